import type { Language } from "./language.js";
/**
 * Why a call failed:
 * - `network`: no answer came (unreachable, blocked by CORS, timed out); trying again may help.
 * - `http`: an answer came that is not the sign-in service's (a proxy's error page, a wrong `base`).
 * - `refused`: the service said no; `errcode` says why.
 *
 * Of a panel, also:
 * - `origin`: the page is not on the origin of redirectUri, so WeCom gives it no code.
 * - `panel`: WeCom's panel said no; `errcode` is WeCom's number, where it gave one.
 * - `declined`: the person said no.
 * - `blocked`: WeCom's page did not come.
 */
export type ErrorKind = "network" | "http" | "refused" | "origin" | "panel" | "declined" | "blocked";
/** What every failed call throws, except one that its own `signal` aborted. */
export declare class WecomLoginError extends Error {
    readonly name = "WecomLoginError";
    readonly kind: ErrorKind;
    /** The service's number (see docs/error-codes.md); null where the service did not speak. */
    readonly errcode: number | null;
    /** What happened, in the page's language. The same text as `message`. */
    readonly errmsg: string;
    /** Finds the request in the service's log; null where no answer came. */
    readonly requestId: string | null;
    /** HTTP status; null where no answer came. */
    readonly status: number | null;
    constructor(kind: ErrorKind, errmsg: string, facts?: ErrorFacts);
    /** True when nobody is signed in, or the session has ended. */
    get isNotSignedIn(): boolean;
    /** True when the same call may succeed a little later. */
    get isRetryable(): boolean;
}
/** What is known of a failure besides its text. */
export interface ErrorFacts {
    errcode?: number | null;
    requestId?: string | null;
    status?: number;
    cause?: unknown;
}
export declare const NOT_SIGNED_IN = 710301;
export declare const REFRESH_TOKEN_REUSED = 710317;
declare const TEXTS: {
    readonly unreachable: {
        readonly "zh-CN": "无法连接登录服务。请检查网络；如果页面在另一个网站上，请确认它的来源已列在服务的 origins 里。";
        readonly en: "The sign-in service cannot be reached. Check the network; for a page on another site, that its origin is listed under the service's origins.";
    };
    readonly late: {
        readonly "zh-CN": "登录服务没有及时回答。请稍后再试。";
        readonly en: "The sign-in service did not answer in time. Try again shortly.";
    };
    readonly strange: {
        readonly "zh-CN": "收到的回答不是登录服务的。请检查 base、org 和 app。";
        readonly en: "The answer is not the sign-in service's. Check base, org and app.";
    };
    readonly origin: {
        readonly "zh-CN": "企业微信登录面板只能放在 redirectUri 所在的来源上：页面在 {page}，redirectUri 在 {redirect}。";
        readonly en: "WeCom's panel works on redirectUri's own origin only: the page is on {page}, redirectUri on {redirect}.";
    };
    readonly panel: {
        readonly "zh-CN": "企业微信登录面板报告了错误。";
        readonly en: "WeCom's panel reported an error.";
    };
    readonly declined: {
        readonly "zh-CN": "你在企业微信里取消了这次登录。";
        readonly en: "You declined the sign-in in WeCom.";
    };
    readonly blocked: {
        readonly "zh-CN": "企业微信登录面板没有加载出来。";
        readonly en: "WeCom's panel did not load.";
    };
    readonly frame: {
        readonly "zh-CN": "企业微信登录二维码";
        readonly en: "WeCom sign-in QR code";
    };
    readonly link: {
        readonly "zh-CN": "用企业微信登录";
        readonly en: "Sign in with WeCom";
    };
};
/** A text of the client's own. */
export declare function say(what: keyof typeof TEXTS, language: Language): string;
export {};
