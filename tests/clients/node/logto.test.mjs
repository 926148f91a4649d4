// Logto's WeCom connector, unmodified, signs people in at the simulator.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import createConnector from "@logto/connector-wecom";
import { redirected, startSimulator } from "./simulator.mjs";

const redirectUri = "http://127.0.0.1:9000/callback/wecom";
let simulator;

before(async () => {
  simulator = await startSimulator();
});
after(() => simulator.stop());
beforeEach(() => simulator.control("POST", "reset"));

function connector(config = {}) {
  const { corpid: corpId, agentid: agentId, secret: appSecret } = simulator;
  return createConnector({ getConfig: async () => ({ corpId, agentId, appSecret, ...config }) });
}

async function link(userAgent, scope) {
  const { getAuthorizationUri } = await connector();
  return getAuthorizationUri({ state: "State1", redirectUri, headers: { userAgent }, scope });
}

/** What the application learns from the parameters of a redirect. */
async function learn(parameters, config) {
  const { getUserInfo } = await connector(config);
  return getUserInfo(parameters);
}

test("its link in a browser leads through the QR page to the member", async () => {
  const page = await (await simulator.open(await link("Mozilla/5.0 Chrome/140"))).text();
  const choose = page.match(/href="([^"]+)" data-userid="zhangsan"/)[1].replaceAll("&#38;", "&");
  const confirm = await (await simulator.open(choose)).text();
  const finish = confirm.match(/id="confirm" href="([^"]+)"/)[1].replaceAll("&amp;", "&").replaceAll("&#38;", "&");
  const back = redirected(await simulator.open(finish));
  assert.equal(back.state, "State1");
  const person = await learn(back);
  assert.equal(person.id, "zhangsan");
  assert.equal(person.name, "张三");
  assert.deepEqual(person.rawData.department, [1, 2]);
  assert.equal(person.phone, undefined);
});

test("its link in the client signs in silently", async () => {
  await simulator.control("POST", "device", { userid: "lisi" });
  const back = redirected(await simulator.open(await link(simulator.PHONE), { phone: true }));
  assert.deepEqual({ state: back.state, id: (await learn(back)).id }, { state: "State1", id: "lisi" });
});

test("with consent it learns mobile and e-mail", async () => {
  await simulator.control("POST", "device", { userid: "lisi" });
  const page = await simulator.open(await link(simulator.PHONE, "snsapi_privateinfo"), { phone: true });
  const key = (await page.text()).match(/name="key" value="([^"]+)"/)[1];
  const body = new URLSearchParams([["key", key], ["field", "mobile"], ["field", "email"], ["answer", "allow"]]);
  const back = redirected(await simulator.open("/connect/consent", { method: "POST", body }));
  const person = await learn(back);
  assert.equal(person.name, "李四");
  assert.equal(person.email, "lisi@example.com");
  assert.equal(person.phone, "8613800000002");
});

test("an app made before 2022-06-20 gets them without consent", async () => {
  await simulator.control("PATCH", `apps/${simulator.agentid}`, { made: "before" });
  const person = await learn({ code: await simulator.code({ userid: "zhangsan" }) });
  assert.equal(person.email, "zhangsan@example.com");
  assert.match(person.avatar, /^https:/);
});

test("a code works once", async () => {
  const code = await simulator.code({ userid: "lisi" });
  await learn({ code });
  await assert.rejects(learn({ code }), (error) => error.data.errcode === 40029);
});

test("a wrong secret is said", async () => {
  const code = await simulator.code({ userid: "lisi" });
  await assert.rejects(learn({ code }, { appSecret: "wrong" }), (error) => error.data.errcode === 40001);
});

test("one sign-in costs it three calls", async () => {
  await learn({ code: await simulator.code({ userid: "lisi" }) });
  const { calls } = await simulator.control("GET", "calls");
  assert.deepEqual(calls, { gettoken: 1, "auth/getuserinfo": 1, "user/get": 1 });
});
