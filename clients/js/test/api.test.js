import assert from "node:assert/strict";
import { test } from "node:test";

import { createApi, loginUrl, WecomLoginError } from "../dist/index.js";
import { envelope, refused, serve } from "./server.js";

const SITE = { base: "https://login.example.com", org: "acme", app: "portal", session: "cookie", language: "en" };
const NAME = "auths.loginTypes.Staff";
const FOLDER = "/api/acme/portal/auths/loginTypes/Staff";
const CONFIG = { corpId: "ww1", agentId: "1000002", redirectUri: "https://app.example.com/in?a=b", state: "s1" };

const api = (answers, more = {}) => {
  const { fetch, asked } = serve(answers);
  return { asked, api: createApi({ ...SITE, fetch, ...more }) };
};

test("a config comes without its envelope, with the address to go to", async () => {
  const { api: it, asked } = api({ [`POST ${FOLDER}/getLoginConfig`]: envelope(CONFIG) });
  const { loginUrl: url, ...config } = await it.getLoginConfig(NAME);
  assert.deepEqual(config, CONFIG);
  const documented =
    "https://login.work.weixin.qq.com/wwlogin/sso/login?login_type=CorpApp&appid=ww1&agentid=1000002" +
    "&redirect_uri=https%3A%2F%2Fapp.example.com%2Fin%3Fa%3Db&state=s1";
  assert.equal(url, documented);
  assert.equal(loginUrl({ ...config, loginUrl: url }), documented);
  assert.equal(loginUrl(config), documented, "the four documented keys are enough for the public WeCom");
  const [{ method, json, credentials, headers }] = asked;
  assert.deepEqual([method, json, credentials], ["POST", {}, "include"]);
  assert.equal(headers["accept-language"], "en");
  assert.equal(headers["x-wecom-login-browser"], undefined, "a cookie session names its browser by cookie");
});

test("a simulator's or a private host is told beside the config", async () => {
  const hosts = JSON.stringify({ login: "http://localhost:9000", oauth: "http://localhost:9001", scope: "snsapi_privateinfo" });
  const { api: it } = api({
    [`POST ${FOLDER}/getLoginConfig`]: { ...envelope(CONFIG), headers: { "x-wecom-login-hosts": hosts } },
  });
  const config = await it.getLoginConfig(NAME);
  assert.match(loginUrl(config), /^http:\/\/localhost:9000\/wwlogin\/sso\/login\?/);
});

test("inside the WeCom app the address is the one that signs in at once", async () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const value = { userAgent: "Mozilla/5.0 wxwork/4.1.30 MicroMessenger/7.0.1", language: "en" };
  Object.defineProperty(globalThis, "navigator", { configurable: true, value });
  try {
    const rest =
      "/connect/oauth2/authorize?appid=ww1&redirect_uri=https%3A%2F%2Fapp.example.com%2Fin%3Fa%3Db&response_type=code";
    const end = "&state=s1&agentid=1000002#wechat_redirect";
    assert.equal(loginUrl(CONFIG), `https://open.weixin.qq.com${rest}&scope=snsapi_base${end}`);
    const hosts = JSON.stringify({ login: "http://localhost:9000", oauth: "http://localhost:9001", scope: "snsapi_privateinfo" });
    const { api: it } = api({
      [`POST ${FOLDER}/getLoginConfig`]: { ...envelope(CONFIG), headers: { "x-wecom-login-hosts": hosts } },
    });
    const url = loginUrl(await it.getLoginConfig(NAME));
    assert.equal(url, `http://localhost:9001${rest}&scope=snsapi_privateinfo${end}`);
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else delete globalThis.navigator;
  }
});

test("loginWithCode gives the member and asks with code and state alone", async () => {
  const { api: it, asked } = api({ [`POST ${FOLDER}/getLoginCode`]: envelope({ userId: "zhangsan", name: "张三" }) });
  const user = await it.loginWithCode(NAME, { authCode: "c1", state: "s1" });
  assert.deepEqual(user, { userId: "zhangsan", name: "张三" });
  assert.deepEqual(asked[0].json, { authCode: "c1", state: "s1" });
});

test("a refusal carries number, text and request", async () => {
  const { api: it } = api({ [`POST ${FOLDER}/getLoginCode`]: refused(40029, "The sign-in code is wrong.") });
  await assert.rejects(it.loginWithCode(NAME, { authCode: "c", state: "s" }), (error) => {
    assert.ok(error instanceof WecomLoginError && error instanceof Error);
    const { kind, errcode, errmsg, requestId, status, message } = error;
    assert.deepEqual(
      { kind, errcode, errmsg, requestId, status, message },
      {
        kind: "refused",
        errcode: 40029,
        errmsg: "The sign-in code is wrong.",
        message: "The sign-in code is wrong.",
        requestId: "r2",
        status: 200,
      },
    );
    assert.deepEqual([error.isNotSignedIn, error.isRetryable], [false, false]);
    return true;
  });
});

test("me is null when nobody is signed in, and every other refusal is thrown", async () => {
  const signedOut = api({ "GET /me": refused(710301, "Not signed in.", 401) });
  assert.equal(await signedOut.api.me(), null);
  const broken = api({ "GET /me": refused(50000, "Unforeseen.", 503) });
  await assert.rejects(broken.api.me(), { kind: "refused", errcode: 50000, status: 503, isRetryable: true });
  const person = { userId: "zhangsan", corpId: "ww1" };
  assert.deepEqual(await api({ "GET /me": { body: person } }).api.me(), person);
});

test("what is no answer of the service is told apart", async () => {
  const page = new Response("<html>Bad gateway</html>", { status: 502 });
  await assert.rejects(api({ "GET /me": page }).api.me(), { kind: "http", errcode: null, status: 502, isRetryable: true });
  const other = { status: 404, body: { hello: "world" } };
  await assert.rejects(api({ "GET /me": other }).api.me(), { kind: "http", status: 404, isRetryable: false });
  for (const text of ["[]", "null", "7", ""]) {
    await assert.rejects(api({ "GET /me": new Response(text) }).api.me(), { kind: "http", status: 200 });
  }
  await assert.rejects(api({}).api.me(), { kind: "network", errcode: null, status: null, isRetryable: true });
});

test("texts of the client's own are in the page's language", async () => {
  const failure = async (language) => (await api({}, { language }).api.me().catch((error) => error)).message;
  assert.match(await failure("en"), /cannot be reached/);
  assert.match(await failure("zh-CN"), /无法连接/);
});

/** A server that never answers, until the request is aborted. */
const silence = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

test("a call ends after its time", async () => {
  await assert.rejects(api({ "GET /me": silence }, { timeout: 1 }).api.me(), { kind: "network", message: /in time/ });
});

test("a caller may give up, and gets its own reason back", async () => {
  const reason = new Error("the person left the page");
  const giveUp = new AbortController();
  const waiting = api({ "GET /me": silence }).api.me({ signal: giveUp.signal });
  giveUp.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(api({ "GET /me": silence }).api.me({ signal: AbortSignal.abort(reason) }), reason);
});

test("options and names that cannot be meant are named", async () => {
  assert.throws(() => createApi({ ...SITE, base: "login.example.com" }), TypeError);
  assert.throws(() => createApi({ ...SITE, base: "ftp://login.example.com" }), /base must begin with https/);
  assert.throws(() => createApi({ ...SITE, org: "" }), /org must be given/);
  const { api: it, asked } = api({});
  for (const name of ["", "a..b", "../me", "a/b", undefined]) {
    await assert.rejects(it.getLoginConfig(name), /fullName must be an element's full name/);
  }
  assert.deepEqual(asked, []);
});
