// The package as a program installs it, in Node against a running server: no browser, no cookies.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createApi, loginUrl, WecomLoginError } from "wecom-login";

import { Demo, soon } from "../demo.js";

let demo;
before(async () => {
  demo = await Demo.start();
});
after(() => demo?.stop());

const open = (options = {}) => createApi({ base: demo.url, org: "demo", app: "portal", language: "en", ...options });

async function signIn(api, userid) {
  const config = await api.getLoginConfig(demo.element);
  assert.equal(new URL(loginUrl(config)).origin, demo.wecom);
  const authCode = await demo.codeFor(userid, Number(config.agentId));
  return api.loginWithCode(demo.element, { authCode, state: config.state });
}

/** A storage of one's own: a file, say. */
function drawer() {
  let text = null;
  return { get: async () => text, set: async (value) => void (text = value) };
}

test("a program signs in, asks who it is, and signs out", async () => {
  const api = open();
  assert.equal(await api.me(), null);
  assert.equal((await signIn(api, "zhangsan")).name, "张三");
  const me = await api.me();
  assert.deepEqual([me.userId, me.element, me.departmentNames], ["zhangsan", demo.element, ["云帆科技", "研发中心"]]);
  const access = await api.accessToken();
  const asked = await fetch(`${demo.url}/me`, { headers: { authorization: `Bearer ${access}` }, ...soon() });
  assert.equal((await asked.json()).userId, "zhangsan", "as an own back end would ask");
  await api.logout();
  assert.equal(await api.me(), null);
  const again = await fetch(`${demo.url}/me`, { headers: { authorization: `Bearer ${access}` }, ...soon() });
  assert.equal(again.status, 401);
});

test("another start goes on with what the one before has kept", async () => {
  const storage = drawer();
  await signIn(open({ storage }), "lisi");
  for (let starts = 0; starts < 3; starts += 1) assert.equal((await open({ storage }).me()).userId, "lisi");
});

test("a copy of what was kept, used after it was refreshed, ends the session", async () => {
  const storage = drawer();
  await signIn(open({ storage }), "lisi");
  const copy = drawer();
  await copy.set(await storage.get());
  assert.equal((await open({ storage }).me()).userId, "lisi");
  assert.equal(await open({ storage: copy }).me(), null);
  assert.equal(await open({ storage }).me(), null);
});

test("refusals are errors with a number, in the language that was asked for", async () => {
  await assert.rejects(open().loginWithCode(demo.element, { authCode: "c", state: "x" }), (error) => {
    assert.ok(error instanceof WecomLoginError);
    assert.deepEqual([error.kind, error.errcode], ["refused", 710003]);
    assert.match(error.message, /not started here/);
    return true;
  });
  await assert.rejects(open({ app: "other" }).getLoginConfig(demo.element), { errcode: 710313, status: 404 });
  await assert.rejects(open({ base: "http://127.0.0.1:1" }).getLoginConfig(demo.element), { kind: "network", errcode: null });
});
