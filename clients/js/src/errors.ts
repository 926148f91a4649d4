import type { Language } from "./language.js";

/**
 * Why a call failed:
 * - `network`: no answer came (unreachable, blocked by CORS, timed out); trying again may help.
 * - `http`: an answer came that is not the sign-in service's (a proxy's error page, a wrong `base`).
 * - `refused`: the service said no; `errcode` says why.
 */
export type ErrorKind = "network" | "http" | "refused";

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
} as const;

/** A text of the client's own. */
export function say(what: keyof typeof TEXTS, language: Language): string {
  return TEXTS[what][language];
}
