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
export class WecomLoginError extends Error {
  override readonly name = "WecomLoginError";
  readonly kind: ErrorKind;
  /** The service's number (see docs/error-codes.md); null where the service did not speak. */
  readonly errcode: number | null;
  /** What happened, in the page's language. The same text as `message`. */
  readonly errmsg: string;
  /** Finds the request in the service's log; null where no answer came. */
  readonly requestId: string | null;
  /** HTTP status; null where no answer came. */
  readonly status: number | null;

  constructor(kind: ErrorKind, errmsg: string, facts: ErrorFacts = {}) {
    super(errmsg);
    this.kind = kind;
    this.errmsg = errmsg;
    this.errcode = facts.errcode ?? null;
    this.requestId = facts.requestId ?? null;
    this.status = facts.status ?? null;
    if (facts.cause !== undefined) Object.defineProperty(this, "cause", { value: facts.cause, configurable: true });
  }

  /** True when nobody is signed in, or the session has ended. */
  get isNotSignedIn(): boolean {
    return this.errcode === NOT_SIGNED_IN || this.errcode === REFRESH_TOKEN_REUSED;
  }

  /** True when the same call may succeed a little later. */
  get isRetryable(): boolean {
    return this.kind === "network" || this.status === 429 || (this.status !== null && this.status >= 502);
  }
}

/** What is known of a failure besides its text. */
export interface ErrorFacts {
  errcode?: number | null;
  requestId?: string | null;
  status?: number;
  cause?: unknown;
}

export const NOT_SIGNED_IN = 710301;
export const REFRESH_TOKEN_REUSED = 710317;

const TEXTS = {
  unreachable: {
    "zh-CN": "无法连接登录服务。请检查网络；如果页面在另一个网站上，请确认它的来源已列在服务的 origins 里。",
    en: "The sign-in service cannot be reached. Check the network; for a page on another site, that its origin is listed under the service's origins.",
  },
  late: {
    "zh-CN": "登录服务没有及时回答。请稍后再试。",
    en: "The sign-in service did not answer in time. Try again shortly.",
  },
  strange: {
    "zh-CN": "收到的回答不是登录服务的。请检查 base、org 和 app。",
    en: "The answer is not the sign-in service's. Check base, org and app.",
  },
  origin: {
    "zh-CN": "企业微信登录面板只能放在 redirectUri 所在的来源上：页面在 {page}，redirectUri 在 {redirect}。",
    en: "WeCom's panel works on redirectUri's own origin only: the page is on {page}, redirectUri on {redirect}.",
  },
  panel: { "zh-CN": "企业微信登录面板报告了错误。", en: "WeCom's panel reported an error." },
  declined: { "zh-CN": "你在企业微信里取消了这次登录。", en: "You declined the sign-in in WeCom." },
  blocked: { "zh-CN": "企业微信登录面板没有加载出来。", en: "WeCom's panel did not load." },
  frame: { "zh-CN": "企业微信登录二维码", en: "WeCom sign-in QR code" },
  link: { "zh-CN": "用企业微信登录", en: "Sign in with WeCom" },
} as const;

/** A text of the client's own. */
export function say(what: keyof typeof TEXTS, language: Language): string {
  return TEXTS[what][language];
}
