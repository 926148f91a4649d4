var __typeError = (msg) => {
  throw TypeError(msg);
};
var __accessCheck = (obj, member, msg) => member.has(obj) || __typeError("Cannot " + msg);
var __privateGet = (obj, member, getter) => (__accessCheck(obj, member, "read from private field"), getter ? getter.call(obj) : member.get(obj));
var __privateAdd = (obj, member, value) => member.has(obj) ? __typeError("Cannot add the same private member more than once") : member instanceof WeakSet ? member.add(obj) : member.set(obj, value);
var __privateSet = (obj, member, value, setter) => (__accessCheck(obj, member, "write to private field"), setter ? setter.call(obj, value) : member.set(obj, value), value);
var __privateMethod = (obj, member, method) => (__accessCheck(obj, member, "access private method"), method);

// src/errors.ts
var WecomLoginError = class extends Error {
  constructor(kind, errmsg, facts = {}) {
    super(errmsg);
    this.name = "WecomLoginError";
    this.kind = kind;
    this.errmsg = errmsg;
    this.errcode = facts.errcode ?? null;
    this.requestId = facts.requestId ?? null;
    this.status = facts.status ?? null;
    if (facts.cause !== void 0) Object.defineProperty(this, "cause", { value: facts.cause, configurable: true });
  }
  /** True when nobody is signed in, or the session has ended. */
  get isNotSignedIn() {
    return this.errcode === NOT_SIGNED_IN || this.errcode === REFRESH_TOKEN_REUSED;
  }
  /** True when the same call may succeed a little later. */
  get isRetryable() {
    return this.kind === "network" || this.status === 429 || this.status !== null && this.status >= 502;
  }
};
var NOT_SIGNED_IN = 710301;
var REFRESH_TOKEN_REUSED = 710317;
var TEXTS = {
  unreachable: {
    "zh-CN": "无法连接登录服务。请检查网络；如果页面在另一个网站上，请确认它的来源已列在服务的 origins 里。",
    en: "The sign-in service cannot be reached. Check the network; for a page on another site, that its origin is listed under the service's origins."
  },
  late: {
    "zh-CN": "登录服务没有及时回答。请稍后再试。",
    en: "The sign-in service did not answer in time. Try again shortly."
  },
  strange: {
    "zh-CN": "收到的回答不是登录服务的。请检查 base、org 和 app。",
    en: "The answer is not the sign-in service's. Check base, org and app."
  },
  origin: {
    "zh-CN": "企业微信登录面板只能放在 redirectUri 所在的来源上：页面在 {page}，redirectUri 在 {redirect}。",
    en: "WeCom's panel works on redirectUri's own origin only: the page is on {page}, redirectUri on {redirect}."
  },
  panel: { "zh-CN": "企业微信登录面板报告了错误。", en: "WeCom's panel reported an error." },
  declined: { "zh-CN": "你在企业微信里取消了这次登录。", en: "You declined the sign-in in WeCom." },
  blocked: { "zh-CN": "企业微信登录面板没有加载出来。", en: "WeCom's panel did not load." },
  frame: { "zh-CN": "企业微信登录二维码", en: "WeCom sign-in QR code" },
  link: { "zh-CN": "用企业微信登录", en: "Sign in with WeCom" }
};
function say(what, language) {
  return TEXTS[what][language];
}

// src/http.ts
async function ask(wire, question) {
  const { method, path, body, headers, signal } = question;
  if (signal?.aborted) throw reasonOf(signal);
  const language = wire.language();
  const abort = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    abort.abort();
  }, wire.timeout);
  const forward = () => abort.abort();
  signal?.addEventListener("abort", forward, { once: true });
  try {
    const response = await wire.fetch(wire.base + path, {
      method,
      headers: {
        accept: "application/json",
        "accept-language": language,
        ...body === void 0 ? {} : { "content-type": "application/json" },
        ...headers
      },
      ...body === void 0 ? {} : { body: JSON.stringify(body) },
      credentials: wire.credentials,
      cache: "no-store",
      redirect: "error",
      signal: abort.signal
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parse(text, response, language) };
  } catch (cause) {
    if (cause instanceof WecomLoginError) throw cause;
    if (signal?.aborted && !late) throw reasonOf(signal);
    throw new WecomLoginError("network", say(late ? "late" : "unreachable", language), { cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", forward);
  }
}
function parse(text, response, language) {
  try {
    const body = JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return body;
  } catch {
  }
  const requestId = response.headers.get("x-request-id");
  throw new WecomLoginError("http", say("strange", language), { status: response.status, requestId });
}
function reasonOf(signal) {
  return signal.reason ?? new DOMException("The call was aborted.", "AbortError");
}
function refusal(answer, language) {
  const { errcode, errmsg, requestId } = answer.body;
  if (typeof errcode === "number" && errcode !== 0) {
    return new WecomLoginError("refused", typeof errmsg === "string" ? errmsg : String(errcode), {
      errcode,
      status: answer.status,
      requestId: typeof requestId === "string" ? requestId : answer.headers.get("x-request-id")
    });
  }
  if (answer.status >= 200 && answer.status < 300) return null;
  const facts = { status: answer.status, requestId: answer.headers.get("x-request-id") };
  return new WecomLoginError("http", say("strange", language), facts);
}

// src/language.ts
function pageLanguage() {
  const page = typeof document === "undefined" ? "" : document.documentElement.lang;
  const browser = typeof navigator === "undefined" ? "" : navigator.language ?? "";
  const tag = page || browser;
  return tag === "" || /^zh\b/i.test(tag) ? "zh-CN" : "en";
}

// src/login_url.ts
var LOGIN = "https://login.work.weixin.qq.com";
var OAUTH = "https://open.weixin.qq.com";
function loginUrl(config) {
  return config.loginUrl ?? linkAt({}, config);
}
function linkAt(hosts, config, inside = isInsideWecom()) {
  const [corpId, agentId, redirect, state] = [config.corpId, config.agentId, config.redirectUri, config.state].map(
    encodeURIComponent
  );
  return inside ? `${hosts.oauth ?? OAUTH}/connect/oauth2/authorize?appid=${corpId}&redirect_uri=${redirect}&response_type=code&scope=${hosts.scope ?? "snsapi_base"}&state=${state}&agentid=${agentId}#wechat_redirect` : `${hosts.login ?? LOGIN}/wwlogin/sso/login?login_type=CorpApp&appid=${corpId}&agentid=${agentId}&redirect_uri=${redirect}&state=${state}`;
}
function isInsideWecom() {
  return typeof navigator !== "undefined" && /wxwork\/|MicroMessenger\//.test(navigator.userAgent ?? "");
}

// src/panel_frame.ts
var OFFICIAL = "https://login.work.weixin.qq.com";
function isOfficial(config) {
  return config.loginUrl === void 0 || new URL(config.loginUrl).origin === OFFICIAL;
}
function officialPanel(sdk, el, config, look, on) {
  const panel = sdk.createWWLoginPanel({
    el,
    params: {
      login_type: "CorpApp",
      appid: config.corpId,
      agentid: config.agentId,
      redirect_uri: config.redirectUri,
      state: config.state,
      redirect_type: "callback",
      panel_size: look.size,
      lang: look.lang,
      color_scheme: look.colorScheme
    },
    onCheckWeComLogin: ({ isWeComLogin }) => on.checked(isWeComLogin),
    onLoginSuccess: ({ code }) => on.code(code),
    onLoginFail: ({ errCode, errMsg }) => on.failed(errCode ?? null, errMsg ?? "")
  });
  const hear = ({ origin, source, data }) => {
    if (origin !== OFFICIAL || source !== panel.el.contentWindow) return;
    if (typeof data === "string" && data.includes("ww-iframe-handle:")) on.ready();
  };
  addEventListener("message", hear);
  return {
    el: panel.el,
    unmount: () => {
      removeEventListener("message", hear);
      panel.unmount();
    }
  };
}
function ownFrame(el, config, look, on) {
  const frame = document.createElement("iframe");
  const url = new URL(config.loginUrl ?? OFFICIAL);
  url.searchParams.set("lang", look.lang);
  url.searchParams.set("color_scheme", look.colorScheme);
  frame.src = url.href;
  frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups allow-top-navigation");
  frame.allow = "local-network-access";
  frame.referrerPolicy = "origin";
  const [width, height] = look.size === "small" ? ["320px", "380px"] : ["480px", "416px"];
  Object.assign(frame.style, { display: "block", border: "none", width, maxWidth: "100%", height });
  frame.addEventListener("load", () => on.ready(), { once: true });
  el.append(frame);
  return { el: frame, unmount: () => frame.remove() };
}

// src/panel.ts
var SDK_PATH = "/assets/wecom-jssdk-2.4.4.js";
var LIFETIME = 10 * 6e4;
var RENEWED_AFTER = 8 * 6e4;
var LOOK_EVERY = 15e3;
var PATIENCE = 1e4;
var QUIET = 6e4;
async function mountLoginPanel(element, fullName, options) {
  const place2 = typeof element === "string" ? document.querySelector(element) : element;
  if (place2 === null) throw new TypeError(`there is no element ${String(element)}`);
  const panel = new Panel(place2, fullName, options);
  try {
    await panel.begin();
  } catch (error) {
    panel.unmount();
    throw error;
  }
  return panel;
}
var _root, _link, _stop, _look, _language, _rounds, _renewing, _finishing, _toldOfLoss, _quietUntil, _Panel_instances, stopped_get, current_get, lookAround_fn, attempt_fn, renew_fn, makeRound_fn, mount_fn, sdk_fn, finish_fn, checkOrigin_fn, drop_fn, error_fn, fail_fn;
var Panel = class {
  constructor(place2, fullName, options) {
    this.fullName = fullName;
    this.options = options;
    __privateAdd(this, _Panel_instances);
    __privateAdd(this, _root, document.createElement("div"));
    __privateAdd(this, _link, document.createElement("a"));
    __privateAdd(this, _stop, new AbortController());
    __privateAdd(this, _look);
    __privateAdd(this, _language, pageLanguage());
    __privateAdd(this, _rounds, []);
    __privateAdd(this, _renewing, null);
    /** A code is being exchanged, or has been. */
    __privateAdd(this, _finishing, false);
    /** The last failure to renew was told. */
    __privateAdd(this, _toldOfLoss, false);
    /** Where the link stands alone, nothing is tried before; milliseconds since the Unix epoch. */
    __privateAdd(this, _quietUntil, 0);
    const { lang, colorScheme, size, signal } = options;
    __privateSet(this, _look, {
      lang: lang ?? (__privateGet(this, _language) === "en" ? "en" : "zh"),
      colorScheme: colorScheme ?? "auto",
      size: size ?? (place2.clientWidth < 480 ? "small" : "middle")
    });
    __privateGet(this, _link).className = "wecom-login-link";
    __privateGet(this, _link).hidden = true;
    __privateGet(this, _link).textContent = say("link", __privateGet(this, _language));
    __privateGet(this, _root).className = "wecom-login-panel";
    __privateGet(this, _root).style.position = "relative";
    __privateGet(this, _root).append(__privateGet(this, _link));
    place2.append(__privateGet(this, _root));
    signal?.addEventListener("abort", () => this.unmount(), { once: true });
    if (signal?.aborted) this.unmount();
  }
  async begin() {
    await __privateMethod(this, _Panel_instances, renew_fn).call(this);
    if (__privateGet(this, _Panel_instances, stopped_get)) return;
    const look = () => __privateMethod(this, _Panel_instances, lookAround_fn).call(this);
    const timer = setInterval(look, LOOK_EVERY);
    const { signal } = __privateGet(this, _stop);
    signal.addEventListener("abort", () => clearInterval(timer));
    for (const name of ["focus", "online", "pageshow"]) addEventListener(name, look, { signal });
    document.addEventListener("visibilitychange", look, { signal });
  }
  restart() {
    __privateSet(this, _finishing, false);
    __privateMethod(this, _Panel_instances, attempt_fn).call(this);
  }
  unmount() {
    __privateGet(this, _stop).abort();
    for (const round of __privateGet(this, _rounds).splice(0)) discard(round);
    __privateGet(this, _root).remove();
  }
};
_root = new WeakMap();
_link = new WeakMap();
_stop = new WeakMap();
_look = new WeakMap();
_language = new WeakMap();
_rounds = new WeakMap();
_renewing = new WeakMap();
_finishing = new WeakMap();
_toldOfLoss = new WeakMap();
_quietUntil = new WeakMap();
_Panel_instances = new WeakSet();
stopped_get = function() {
  return __privateGet(this, _stop).signal.aborted;
};
current_get = function() {
  return __privateGet(this, _rounds)[__privateGet(this, _rounds).length - 1];
};
/** A page that nobody sees asks for nothing; it is looked at again when it is seen. */
lookAround_fn = function() {
  if (document.visibilityState === "hidden" || __privateGet(this, _finishing) || __privateGet(this, _Panel_instances, stopped_get)) return;
  for (const round of __privateGet(this, _rounds).filter((round2) => round2 !== __privateGet(this, _Panel_instances, current_get) && age(round2) >= LIFETIME)) __privateMethod(this, _Panel_instances, drop_fn).call(this, round);
  const isDue = __privateGet(this, _Panel_instances, current_get) === void 0 ? Date.now() >= __privateGet(this, _quietUntil) : age(__privateGet(this, _Panel_instances, current_get)) >= RENEWED_AFTER;
  if (isDue) __privateMethod(this, _Panel_instances, attempt_fn).call(this);
};
attempt_fn = function() {
  __privateMethod(this, _Panel_instances, renew_fn).call(this).catch((error) => {
    const current = __privateGet(this, _Panel_instances, current_get);
    const isLost = current === void 0 || age(current) >= LIFETIME;
    if (isLost && !__privateGet(this, _toldOfLoss) && error instanceof WecomLoginError) {
      __privateSet(this, _toldOfLoss, true);
      __privateMethod(this, _Panel_instances, fail_fn).call(this, error);
    }
  });
};
renew_fn = function() {
  __privateGet(this, _renewing) ?? __privateSet(this, _renewing, __privateMethod(this, _Panel_instances, makeRound_fn).call(this).finally(() => __privateSet(this, _renewing, null)));
  return __privateGet(this, _renewing);
};
makeRound_fn = async function() {
  const since = Date.now();
  const config = await this.options.api.getLoginConfig(this.fullName, { signal: __privateGet(this, _stop).signal });
  __privateMethod(this, _Panel_instances, checkOrigin_fn).call(this, config);
  const round = await __privateMethod(this, _Panel_instances, mount_fn).call(this, config, since);
  if (__privateGet(this, _Panel_instances, stopped_get)) {
    if (round !== null) discard(round);
    return;
  }
  if (round === null && __privateGet(this, _Panel_instances, current_get) !== void 0 && age(__privateGet(this, _Panel_instances, current_get)) < LIFETIME) throw __privateMethod(this, _Panel_instances, error_fn).call(this, "blocked");
  __privateSet(this, _toldOfLoss, false);
  __privateGet(this, _link).href = loginUrl(config);
  __privateGet(this, _link).hidden = round !== null;
  if (round === null) {
    __privateSet(this, _quietUntil, since + QUIET);
    for (const past of [...__privateGet(this, _rounds)]) __privateMethod(this, _Panel_instances, drop_fn).call(this, past);
  } else {
    const hadFocus = __privateGet(this, _Panel_instances, current_get)?.frame.el === document.activeElement;
    __privateGet(this, _rounds).push(round);
    for (const other of __privateGet(this, _rounds)) show(other.slot, other === round);
    if (hadFocus) round.frame.el.focus();
  }
  this.options.onReady?.(config);
  if (round === null) __privateMethod(this, _Panel_instances, fail_fn).call(this, __privateMethod(this, _Panel_instances, error_fn).call(this, "blocked"));
};
mount_fn = async function(config, since) {
  const official = isOfficial(config);
  const sdk = official ? await __privateMethod(this, _Panel_instances, sdk_fn).call(this) : null;
  if (official && sdk === null || __privateGet(this, _Panel_instances, stopped_get)) return null;
  const slot = document.createElement("div");
  show(slot, __privateGet(this, _rounds).length === 0);
  __privateGet(this, _root).append(slot);
  let come = () => {
  };
  const ready = new Promise((resolve) => come = resolve);
  const isPast = () => __privateGet(this, _rounds).some((round2) => round2.slot === slot && round2 !== __privateGet(this, _Panel_instances, current_get));
  const events = {
    ready: () => come(true),
    checked: (isWeComLogin) => {
      come(true);
      if (!__privateGet(this, _Panel_instances, stopped_get) && !isPast()) this.options.onCheckWeComLogin?.({ isWeComLogin });
    },
    code: (code) => void __privateMethod(this, _Panel_instances, finish_fn).call(this, config, code),
    failed: (errcode, errMsg) => {
      come(true);
      if (!isPast()) __privateMethod(this, _Panel_instances, fail_fn).call(this, __privateMethod(this, _Panel_instances, error_fn).call(this, "panel", errcode, errMsg));
    }
  };
  const frame = sdk === null ? ownFrame(slot, config, __privateGet(this, _look), events) : officialPanel(sdk, slot, config, __privateGet(this, _look), events);
  frame.el.title = say("frame", __privateGet(this, _language));
  const timer = setTimeout(() => come(false), PATIENCE);
  __privateGet(this, _stop).signal.addEventListener("abort", () => come(false), { once: true });
  const isReady = await ready;
  clearTimeout(timer);
  const round = { config, since, slot, frame };
  if (isReady) return round;
  discard(round);
  return null;
};
sdk_fn = async function() {
  if (this.options.ww !== void 0) return this.options.ww;
  const url = this.options.api.base + SDK_PATH;
  return import(
    /* @vite-ignore */
    /* webpackIgnore: true */
    url
  ).catch(() => null);
};
finish_fn = async function({ state, redirectUri }, code) {
  if (__privateGet(this, _Panel_instances, stopped_get) || __privateGet(this, _finishing)) return;
  if (!code) return __privateMethod(this, _Panel_instances, fail_fn).call(this, __privateMethod(this, _Panel_instances, error_fn).call(this, "declined"));
  __privateSet(this, _finishing, true);
  if (this.options.onCode !== void 0) return this.options.onCode({ authCode: code, state, redirectUri });
  try {
    const answer = { authCode: code, state };
    const user = await this.options.api.loginWithCode(this.fullName, answer, { signal: __privateGet(this, _stop).signal });
    if (!__privateGet(this, _Panel_instances, stopped_get)) this.options.onSuccess?.(user);
  } catch (error) {
    __privateSet(this, _finishing, false);
    if (error instanceof WecomLoginError) __privateMethod(this, _Panel_instances, fail_fn).call(this, error);
    else if (!__privateGet(this, _Panel_instances, stopped_get)) throw error;
  }
};
checkOrigin_fn = function(config) {
  const { origin } = new URL(config.redirectUri);
  if (origin === location.origin) return;
  const text = say("origin", __privateGet(this, _language)).replace("{page}", location.origin).replace("{redirect}", origin);
  throw new WecomLoginError("origin", text);
};
drop_fn = function(round) {
  __privateSet(this, _rounds, __privateGet(this, _rounds).filter((other) => other !== round));
  discard(round);
};
error_fn = function(kind, errcode = null, detail = "") {
  const text = say(kind, __privateGet(this, _language));
  return new WecomLoginError(kind, detail === "" ? text : `${text} (${detail})`, { errcode });
};
fail_fn = function(error) {
  if (!__privateGet(this, _Panel_instances, stopped_get)) this.options.onFail?.(error);
};
function age(round) {
  return Date.now() - round.since;
}
function show(slot, seen) {
  Object.assign(slot.style, seen ? { visibility: "", position: "", inset: "" } : { visibility: "hidden", position: "absolute", inset: "0" });
  slot.toggleAttribute("inert", !seen);
}
function discard(round) {
  round.frame.unmount();
  round.slot.remove();
}

// src/login_page.ts
var DOMAIN_MISMATCH = [-31020, -31039];
var place = document.getElementById("panel");
if (place !== null) begin(place);
function begin(place2) {
  const { element, renew, ...data } = place2.dataset;
  const lead = document.getElementById("lead");
  const link = document.getElementById("sign-in-link");
  const requestId = document.querySelector("[data-testid=request-id]")?.textContent ?? "";
  const say2 = (words) => {
    const text = lead?.dataset[words];
    if (lead !== null && text !== void 0 && lead.textContent !== text) lead.textContent = text;
  };
  const troubles = [...document.querySelectorAll("[data-trouble]")];
  const tell = (kind, error) => {
    for (const trouble of troubles) {
      trouble.hidden = trouble.dataset.trouble !== kind;
      if (trouble.hidden) continue;
      fill(trouble, "request", error?.requestId ?? requestId);
      fill(trouble, "number", error?.errcode == null ? "" : String(error.errcode));
      fill(trouble, "reason", error?.kind === "refused" ? error.errmsg : "");
    }
  };
  let panel = null;
  let first = {
    corpId: data.corpId ?? "",
    agentId: data.agentId ?? "",
    redirectUri: data.redirectUri ?? "",
    state: data.state ?? "",
    loginUrl: data.loginUrl ?? ""
  };
  const mount = async () => {
    try {
      panel = await mountLoginPanel(place2, element ?? "", {
        // Not the element API: the page's own address keeps where the person wants to go.
        api: {
          base: location.origin,
          getLoginConfig: async (_, options) => {
            const config = first ?? await renewed(renew ?? "", options?.signal);
            first = null;
            return config;
          },
          loginWithCode: () => Promise.reject(new TypeError("the redirect finishes this sign-in"))
        },
        onCode: ({ authCode, state, redirectUri }) => {
          tell(null);
          say2("going");
          const target = new URL(redirectUri);
          target.searchParams.append("code", authCode);
          target.searchParams.append("state", state);
          location.assign(target.href);
        },
        onReady: ({ loginUrl: loginUrl2 }) => {
          tell(null);
          if (link !== null && loginUrl2 !== void 0) link.href = loginUrl2;
        },
        onCheckWeComLogin: ({ isWeComLogin }) => say2(isWeComLogin ? "quick" : "scan"),
        onFail: (error) => tell(troubleOf(error), error)
      });
    } catch (error) {
      tell("lost", error);
    }
  };
  for (const button of document.querySelectorAll("[data-retry]")) {
    button.addEventListener("click", () => {
      tell(null);
      if (panel === null) void mount();
      else panel.restart();
    });
  }
  void mount();
}
function troubleOf({ kind, errcode }) {
  if (kind === "panel") return errcode !== null && DOMAIN_MISMATCH.includes(errcode) ? "domain" : "failed";
  return kind === "declined" || kind === "blocked" ? kind : "lost";
}
function fill(trouble, name, value) {
  for (const place2 of trouble.querySelectorAll(`[data-fill=${name}]`)) {
    place2.textContent = value;
    const row = place2.closest("[data-row]");
    if (row !== null) row.hidden = value === "";
  }
}
async function renewed(path, signal) {
  const language = pageLanguage();
  const wire = {
    base: location.origin,
    timeout: 15e3,
    language: () => language,
    fetch: (input, init) => fetch(input, init),
    credentials: "same-origin"
  };
  const answer = await ask(wire, { method: "POST", path, body: {}, signal });
  const refused = refusal(answer, language);
  if (refused !== null) throw refused;
  const { location: next, ...config } = answer.body;
  if (next === void 0) return config;
  location.assign(next);
  return new Promise(() => {
  });
}
