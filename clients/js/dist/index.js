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
  }
};
function say(what, language) {
  return TEXTS[what][language];
}

// src/http.ts
async function ask(wire, question) {
  const { method, path: path2, body, headers, signal } = question;
  if (signal?.aborted) throw signal.reason;
  const language = wire.language();
  const abort = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    abort.abort();
  }, wire.timeout);
  const forward = () => abort.abort(signal?.reason);
  signal?.addEventListener("abort", forward, { once: true });
  try {
    const response = await wire.fetch(wire.base + path2, {
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
    if (signal?.aborted && !late) throw signal.reason ?? cause;
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
function linkAt(hosts2, config, inside = isInsideWecom()) {
  const [corpId, agentId, redirect, state] = [config.corpId, config.agentId, config.redirectUri, config.state].map(
    encodeURIComponent
  );
  return inside ? `${hosts2.oauth ?? OAUTH}/connect/oauth2/authorize?appid=${corpId}&redirect_uri=${redirect}&response_type=code&scope=${hosts2.scope ?? "snsapi_base"}&state=${state}&agentid=${agentId}#wechat_redirect` : `${hosts2.login ?? LOGIN}/wwlogin/sso/login?login_type=CorpApp&appid=${corpId}&agentid=${agentId}&redirect_uri=${redirect}&state=${state}`;
}
function isInsideWecom() {
  return typeof navigator !== "undefined" && /wxwork\/|MicroMessenger\//.test(navigator.userAgent ?? "");
}

// src/storage.ts
function memoryStorage() {
  let kept = null;
  return {
    get: () => kept,
    set: (text) => {
      kept = text;
    }
  };
}
function localStorageOf(key) {
  const local = usable(() => globalThis.localStorage);
  if (local === null) return memoryStorage();
  return {
    get: () => local.getItem(key),
    set: (text) => text === null ? local.removeItem(key) : local.setItem(key, text),
    exclusively: (work) => exclusively(local, key, work)
  };
}
function usable(of) {
  try {
    const storage = of();
    if (storage === void 0) return null;
    const probe = "wecom-login probe";
    storage.setItem(probe, "1");
    storage.removeItem(probe);
    return storage;
  } catch {
    return null;
  }
}
async function exclusively(local, key, work) {
  const locks = typeof navigator === "undefined" ? void 0 : navigator.locks;
  return locks ? await locks.request(key, work) : withLease(local, `${key} lease`, work);
}
var LEASE = 3e4;
var SETTLE = 50;
async function withLease(local, key, work) {
  const name = `${Date.now()} ${Math.random()}`;
  const holder = () => {
    const [until = "0", owner = ""] = (local.getItem(key) ?? "").split("|");
    return Number(until) > Date.now() ? owner : "";
  };
  for (; ; ) {
    if (holder() === "") {
      local.setItem(key, `${Date.now() + LEASE}|${name}`);
      await pause(SETTLE);
      if (holder() === name) break;
    }
    await pause(SETTLE);
  }
  try {
    return await work();
  } finally {
    if (holder() === name) local.removeItem(key);
  }
}
function pause(milliseconds) {
  return new Promise((resume) => setTimeout(resume, milliseconds));
}

// src/session.ts
var MARGIN = 2e4;
function bearer(wire, where) {
  const key = `wecom-login ${wire.base}`;
  const storage = where === "local" ? localStorageOf(key) : where === "memory" ? memoryStorage() : where;
  const name = browserName(key);
  let access = null;
  let refreshing = null;
  let turn = Promise.resolve();
  const alone = (work) => {
    const mine = turn.then(() => storage.exclusively ? storage.exclusively(work) : work());
    turn = mine.catch(() => {
    });
    return mine;
  };
  const read = async () => {
    try {
      const kept = JSON.parse(await storage.get() ?? "null");
      return typeof kept?.refreshToken === "string" ? kept : null;
    } catch {
      return null;
    }
  };
  const keep = async (pair) => {
    await storage.set(JSON.stringify({ refreshToken: pair.refreshToken }));
    access = { token: pair.accessToken, until: Date.now() + pair.expiresIn * 1e3 };
    return pair.accessToken;
  };
  const refresh = async () => {
    const kept = await read();
    if (kept === null) {
      access = null;
      return null;
    }
    if (kept.retryKey === void 0) {
      kept.retryKey = random();
      await storage.set(JSON.stringify(kept));
    }
    const answer = await ask(wire, { method: "POST", path: "/session/refresh", body: kept });
    const refused = refusal(answer, wire.language());
    if (refused === null) return keep(answer.body);
    if (!refused.isNotSignedIn) throw refused;
    access = null;
    await storage.set(null);
    return null;
  };
  const accessToken = async (signal) => {
    if (access !== null && access.until - MARGIN > Date.now()) return access.token;
    refreshing ?? (refreshing = alone(refresh).finally(() => {
      refreshing = null;
    }));
    return unlessAborted(refreshing, signal);
  };
  return {
    browser: () => ({ "x-wecom-login-browser": name() }),
    begin: async (pair) => {
      const former = await alone(async () => {
        const former2 = await read();
        await keep(pair);
        return former2;
      });
      if (former !== null && former.refreshToken !== pair.refreshToken) await leave(wire, former).catch(() => {
      });
    },
    accessToken,
    ask: async (question, signal) => {
      const send = (token2) => question({ authorization: `Bearer ${token2}` });
      const token = await accessToken(signal);
      if (token === null) return null;
      const answer = await send(token);
      if (answer.status !== 401) return answer;
      if (access?.token === token) access = null;
      const next = await accessToken(signal);
      return next === null ? null : send(next);
    },
    end: (signal) => alone(async () => {
      const kept = await read();
      if (kept !== null) await leave(wire, kept, signal);
      access = null;
      await storage.set(null);
    })
  };
}
async function leave(wire, kept, signal) {
  const { refreshToken } = kept;
  const answer = await ask(wire, { method: "POST", path: "/logout", body: { refreshToken }, signal });
  const refused = refusal(answer, wire.language());
  if (refused !== null) throw refused;
}
function browserName(key) {
  let name = null;
  return () => {
    const tab = usable(() => globalThis.sessionStorage);
    name ?? (name = tab?.getItem(`${key} browser`) ?? random());
    tab?.setItem(`${key} browser`, name);
    return name;
  };
}
function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
function unlessAborted(work, signal) {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason);
    if (signal.aborted) return aborted();
    signal.addEventListener("abort", aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}

// src/api.ts
var TIMEOUT = 15e3;
function createApi(options) {
  const { base, org, app } = checked(options);
  const mode = options.session ?? (isOwnPage(base) ? "cookie" : "bearer");
  const wire = {
    base,
    timeout: options.timeout ?? TIMEOUT,
    language: () => options.language ?? pageLanguage(),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    credentials: mode === "cookie" ? "include" : "omit"
  };
  const pair = mode === "bearer" ? bearer(wire, options.storage ?? "local") : null;
  const call = async (fullName, name, body, { signal }) => {
    const element = path(fullName);
    const answer = await ask(wire, {
      method: "POST",
      path: `/api/${encodeURIComponent(org)}/${encodeURIComponent(app)}/${element}/${name}`,
      body,
      headers: pair?.browser() ?? {},
      signal
    });
    return accepted(wire, answer);
  };
  return {
    getLoginConfig: async (fullName, options2 = {}) => {
      const { body, headers } = await call(fullName, "getLoginConfig", {}, options2);
      const config = body.data;
      return { ...config, loginUrl: linkAt(hosts(headers), config) };
    },
    loginWithCode: async (fullName, { authCode, state }, options2 = {}) => {
      const { body, status } = await call(fullName, "getLoginCode", { authCode, state }, options2);
      if (pair !== null) {
        if (!isPair(body.session)) throw new WecomLoginError("http", say("strange", wire.language()), { status });
        await pair.begin(body.session);
      }
      return body.data;
    },
    me: async ({ signal } = {}) => {
      const question = (headers) => ask(wire, { method: "GET", path: "/me", headers, signal });
      try {
        const answer = pair === null ? await question({}) : await pair.ask(question, signal);
        return answer === null ? null : accepted(wire, answer).body;
      } catch (error) {
        if (error instanceof WecomLoginError && error.errcode === NOT_SIGNED_IN) return null;
        throw error;
      }
    },
    logout: async ({ signal } = {}) => {
      if (pair !== null) return pair.end(signal);
      accepted(wire, await ask(wire, { method: "POST", path: "/logout", body: {}, signal }));
    },
    accessToken: async ({ signal } = {}) => pair?.accessToken(signal) ?? null
  };
}
function accepted(wire, answer) {
  const refused = refusal(answer, wire.language());
  if (refused !== null) throw refused;
  return answer;
}
function isPair(value) {
  const pair = value;
  return typeof pair?.accessToken === "string" && typeof pair.refreshToken === "string" && typeof pair.expiresIn === "number";
}
function hosts(headers) {
  try {
    return JSON.parse(headers.get("x-wecom-login-hosts") ?? "{}");
  } catch {
    return {};
  }
}
function path(fullName) {
  if (typeof fullName !== "string" || !/^[^./?#]+(\.[^./?#]+)*$/.test(fullName)) {
    throw new TypeError(`fullName must be an element's full name such as auths.loginTypes.Staff, not ${fullName}`);
  }
  return fullName.split(".").map(encodeURIComponent).join("/");
}
function checked({ base, org, app }) {
  const { origin, protocol } = new URL(base);
  if (!/^https?:$/.test(protocol)) throw new TypeError(`base must begin with https:// or http://, not ${base}`);
  for (const [name, value] of Object.entries({ org, app })) {
    if (typeof value !== "string" || value === "") throw new TypeError(`${name} must be given, as in app.json`);
  }
  return { base: origin, org, app };
}
function isOwnPage(base) {
  return typeof location !== "undefined" && location.origin === base;
}
export {
  WecomLoginError,
  createApi,
  loginUrl
};
