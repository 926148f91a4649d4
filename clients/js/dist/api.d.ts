import { type Language } from "./language.js";
import { type LoginConfig } from "./login_url.js";
import type { TokenStorage } from "./storage.js";
/** Where the server is, and how to be signed in there. */
export interface ApiOptions {
    /** The server's address, such as `https://login.example.com`. */
    base: string;
    /** orgId of the app. */
    org: string;
    /** Name of the app. */
    app: string;
    /**
     * `cookie`: the server's own cookie; for pages on the server's origin, or on another host of the same site.
     * `bearer`: a pair of tokens; for front ends on another site, and for Node. Their origin must be listed under the
     * server's `origins`. Left out: `cookie` on the server's origin, `bearer` elsewhere.
     */
    session?: "cookie" | "bearer";
    /**
     * Where the refresh token of a bearer session is kept. `local`, the default: localStorage, so that a reload and other
     * tabs stay signed in; any script that gets to run on the front end's origin can read it there. `memory`: a reload asks
     * for a new sign-in. Or a storage of one's own.
     */
    storage?: "local" | "memory" | TokenStorage;
    /** Milliseconds that one request may take; 15000. */
    timeout?: number;
    /** The language of error texts; the page's. */
    language?: Language;
    /** Instead of the global one. */
    fetch?: typeof fetch;
}
/** Options of one call. */
export interface CallOptions {
    /** Aborts the call: it throws the signal's reason. */
    signal?: AbortSignal;
}
/** What WeCom sent the browser back with. */
export interface AuthAnswer {
    /** The parameter `code` of the redirect. */
    authCode: string;
    /** The parameter `state` of the redirect. */
    state: string | null;
}
/** A member. What WeCom withholds is `""`, `[]` or `false`. */
export interface UserInfo {
    userId: string;
    name: string;
    mobile: string;
    email: string;
    avatar: string;
    /** Ids. */
    department: number[];
    /** In the order of `department`; `""` for one whose name is not known yet. */
    departmentNames: string[];
    mainDepartment: number | null;
    position: string;
    /** `"0"` unknown, `"1"` male, `"2"` female. */
    gender: string;
    /** 1 active, 4 not yet joined. */
    status: number | null;
    isLeader: boolean;
    bizMail: string;
    alias: string;
    /** An app's own Type may add to it. */
    [key: string]: unknown;
}
/** Who is signed in. */
export interface Person extends UserInfo {
    corpId: string;
    /** The instance through which the member signed in. */
    element: string;
    /** Milliseconds since the Unix epoch. */
    signedInAt: number;
    /** When the session ends in any case; milliseconds since the Unix epoch. */
    expiresAt: number;
    account?: {
        id: number;
        username: string;
    };
}
/** The calls of one server. */
export interface Api {
    /** The server's origin. */
    readonly base: string;
    /** What a page needs to send a person to WeCom, with a new state each time. */
    getLoginConfig(fullName: string, options?: CallOptions): Promise<LoginConfig>;
    /** Finishes the sign-in with what WeCom sent the browser back with. After it the browser is signed in. */
    loginWithCode(fullName: string, answer: AuthAnswer, options?: CallOptions): Promise<UserInfo>;
    /** Who is signed in; null when nobody is. */
    me(options?: CallOptions): Promise<Person | null>;
    /** Ends the session. When it throws, the session may live on. */
    logout(options?: CallOptions): Promise<void>;
    /**
     * A live access token of a bearer session, for an own back end, which asks the server's `/me` with it; null when nobody
     * is signed in, and with `cookie`.
     */
    accessToken(options?: CallOptions): Promise<string | null>;
}
/** The calls of the server at `base` for one app. */
export declare function createApi(options: ApiOptions): Api;
