import { WecomLoginError } from "./errors.js";
import type { Language } from "./language.js";
/** How the client speaks to its server. */
export interface Wire {
    /** The server's origin, without a slash at its end. */
    base: string;
    /** Milliseconds that one request may take. */
    timeout: number;
    language: () => Language;
    fetch: typeof fetch;
    /** Cookies go with requests. */
    credentials: RequestCredentials;
}
export interface Question {
    method: "GET" | "POST";
    path: string;
    body?: unknown;
    headers?: Record<string, string>;
    signal?: AbortSignal | undefined;
}
export interface Answer {
    status: number;
    headers: Headers;
    /** The JSON object of the answer. */
    body: Record<string, unknown>;
}
/** One request. Throws when no answer comes in time, or one that is no JSON object; whatever its status says. */
export declare function ask(wire: Wire, question: Question): Promise<Answer>;
/** Why a caller gave up; older browsers keep no reason. */
export declare function reasonOf(signal: AbortSignal): unknown;
/** The error that an answer tells, if it tells one. */
export declare function refusal(answer: Answer, language: Language): WecomLoginError | null;
