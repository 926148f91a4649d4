import { type Answer, type Wire } from "./http.js";
import { type TokenStorage } from "./storage.js";
/** What the server gives beside the member when it begins a bearer session, and at each refresh. */
export interface Pair {
    accessToken: string;
    refreshToken: string;
    /** Seconds until the access token ends. */
    expiresIn: number;
}
export interface Bearer {
    /** The header that names this browser; the server binds the sign-in's state to it, as it would to a cookie. */
    browser(): Record<string, string>;
    /** Keeps a new pair in place of the one before, whose session ends. */
    begin(pair: Pair): Promise<void>;
    /** A live access token; a new one if need be. Null when nobody is signed in. */
    accessToken(signal?: AbortSignal): Promise<string | null>;
    /** Asks with the access token; with a new one, once, if it is refused. Null, and nothing asked, when nobody is signed in. */
    ask(question: (headers: Record<string, string>) => Promise<Answer>, signal?: AbortSignal): Promise<Answer | null>;
    /** Ends the session here and at the server. */
    end(signal?: AbortSignal): Promise<void>;
}
export declare function bearer(wire: Wire, where: "local" | "memory" | TokenStorage): Bearer;
