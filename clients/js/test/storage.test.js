import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { createApi } from "../dist/index.js";
import { envelope, serve } from "./server.js";

const SITE = { base: "https://login.example.com", org: "acme", app: "portal", session: "bearer", language: "en" };
const NAME = "auths.loginTypes.Staff";
const FOLDER = "/api/acme/portal/auths/loginTypes/Staff";
const KEY = "wecom-login https://login.example.com";

class FakeStorage {
  values = new Map();
  getItem = (key) => this.values.get(key) ?? null;
  setItem = (key, value) => void this.values.set(key, String(value));
  removeItem = (key) => void this.values.delete(key);
}

/** Puts something in a global's place until the test ends. */
function stand(name, descriptor) {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { configurable: true, ...descriptor });
  restore.push(() => (before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]));
}
const restore = [];
afterEach(() => restore.splice(0).forEach((undo) => undo()));

/** A server that tells how many refreshes were under way at once. `look` looks on at each refresh. */
function busy(look = () => {}) {
  const seen = { most: 0, tokens: [] };
  let now = 0;
  let count = 0;
  const refresh = async ({ json }) => {
    look();
    seen.tokens.push(json.refreshToken);
    now += 1;
    seen.most = Math.max(seen.most, now);
    await new Promise(setImmediate);
    now -= 1;
    return { body: pair() };
  };
  const pair = () => ({ accessToken: `a${++count}`, refreshToken: `r${count}`, expiresIn: 0 });
  const answers = {
    [`POST ${FOLDER}/getLoginCode`]: () => envelope({}, { session: pair() }),
    "POST /session/refresh": refresh,
  };
  return { seen, api: () => createApi({ ...SITE, fetch: serve(answers).fetch }) };
}

async function refreshInThreeTabs() {
  const { seen, api } = busy();
  await api().loginWithCode(NAME, { authCode: "c", state: "s" });
  await Promise.all([api(), api(), api()].map((tab) => tab.accessToken()));
  assert.equal(seen.most, 1, "one at a time");
  assert.deepEqual(seen.tokens, ["r1", "r2", "r3"], "each with the token that the one before it left");
}

test("tabs take turns by Web Locks", async () => {
  const local = new FakeStorage();
  const asked = [];
  let turn = Promise.resolve();
  const request = (name, work) => {
    asked.push(name);
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };
  stand("localStorage", { value: local });
  stand("navigator", { value: { language: "en", userAgent: "", locks: { request } } });
  await refreshInThreeTabs();
  assert.ok(asked.length >= 4 && asked.every((name) => name === KEY));
  assert.deepEqual([...local.values.keys()], [KEY]);
});

test("without Web Locks they take turns by a lease that all of them read", async () => {
  const local = new FakeStorage();
  stand("localStorage", { value: local });
  stand("navigator", { value: undefined });
  await refreshInThreeTabs();
  assert.deepEqual([...local.values.keys()], [KEY], "no lease is left behind");
});

test("of two tabs that took the lease at once the later one has it", async () => {
  const other = () => `${Date.now() + 200}|another tab`;
  let contest = false;
  const local = new (class extends FakeStorage {
    setItem = (key, value) => {
      const lost = contest && key.endsWith("lease");
      if (lost) contest = false;
      this.values.set(key, lost ? other() : value);
    };
  })();
  stand("localStorage", { value: local });
  stand("navigator", { value: undefined });
  const { api, seen } = busy(() => assert.doesNotMatch(local.getItem(`${KEY} lease`), /another tab/));
  await api().loginWithCode(NAME, { authCode: "c", state: "s" });
  contest = true;
  assert.equal(await api().accessToken(), "a2");
  assert.deepEqual([contest, seen.tokens], [false, ["r1"]]);
});

test("a lease that a dead tab left runs out", async () => {
  const local = new FakeStorage();
  stand("localStorage", { value: local });
  stand("navigator", { value: undefined });
  local.setItem(`${KEY} lease`, `${Date.now() - 1}|dead`);
  await refreshInThreeTabs();
});

test("where the browser withholds storage, memory stands in", async () => {
  const { api } = busy();
  const withheld = () => {
    throw new DOMException("denied", "SecurityError");
  };
  stand("localStorage", { get: withheld });
  stand("sessionStorage", { get: withheld });
  const tab = api();
  await tab.loginWithCode(NAME, { authCode: "c", state: "s" });
  assert.equal(await tab.accessToken(), "a2");
  assert.equal(await api().accessToken(), null, "nothing is left for a reload");
});

test("the browser's name outlives the page and stays in its tab", async () => {
  const tab = new FakeStorage();
  stand("sessionStorage", { value: tab });
  const names = [];
  const { fetch } = serve({
    [`POST ${FOLDER}/getLoginConfig`]: ({ headers }) => {
      names.push(headers["x-wecom-login-browser"]);
      return envelope({ corpId: "", agentId: "", redirectUri: "", state: "" });
    },
  });
  const open = () => createApi({ ...SITE, fetch }).getLoginConfig(NAME);
  await open();
  await open();
  stand("sessionStorage", { value: new FakeStorage() });
  await open();
  assert.equal(names[0], names[1]);
  assert.notEqual(names[0], names[2]);
});
