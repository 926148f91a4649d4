// WeCom's own @wecom/crypto signs and encrypts; the server, as it is installed, takes the events.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { decrypt, encrypt, getSignature } from "@wecom/crypto";
import { soon, startSimulator, until } from "./simulator.mjs";

const TOKEN = "hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo";
const AES_KEY = "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt";

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** A server with one instance that takes the events of contact sync. */
async function startServer(simulator) {
  const [folder, port] = [await mkdtemp(join(tmpdir(), "events-")), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const instance = join(folder, "app/auths/loginTypes/Staff");
  await mkdir(instance, { recursive: true });
  await writeFile(join(instance, "e.json"),
    JSON.stringify({ title: "Staff", type: "auths.loginTypes.QywxInnerType" }));
  await writeFile(join(instance, "Staff.json"), JSON.stringify({
    corpId: simulator.corpid, corpSecret: simulator.secret, agentId: simulator.agentid,
    redirectUri: `${url}/auth/wecom`, apiBase: simulator.url, loginBase: simulator.url, oauthBase: simulator.url,
    contactCallbackToken: TOKEN, contactCallbackAesKey: AES_KEY,
  }));
  const child = spawn(process.env.BIN_WECOM_LOGIN, ["serve", "--app", join(folder, "app")], {
    cwd: folder,
    env: { ...process.env, WECOM_LOGIN_LISTEN: `127.0.0.1:${port}` },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const stop = async () => {
    const gone = once(child, "exit", soon());
    child.kill();
    await gone;
    await rm(folder, { recursive: true });
  };
  await until("the server answers", async () => {
    if (child.exitCode !== null) throw new Error("the server ended");
    return (await fetch(`${url}/healthz`, soon()).catch(() => undefined))?.ok;
  });
  return { callback: `${url}/wecom/callback/Staff`, stop };
}

describe("events of an independent sender", () => {
  let simulator, server;

  before(async () => {
    simulator = await startSimulator();
    server = await startServer(simulator);
  });
  after(async () => {
    await server?.stop();
    await simulator?.stop();
  });

  const sealed = (message, { token = TOKEN, key = AES_KEY, receiver = simulator.corpid } = {}) => {
    const [timestamp, nonce] = [String(1_700_000_000 + randomInt(1_000_000)), String(randomInt(2 ** 31))];
    const text = encrypt(key, message, receiver);
    const query = new URLSearchParams({ msg_signature: getSignature(token, timestamp, nonce, text), timestamp, nonce });
    return { text, query };
  };

  const push = async (message, keys) => {
    const { text, query } = sealed(message, keys);
    const body = `<xml><ToUserName><![CDATA[x]]></ToUserName><Encrypt><![CDATA[${text}]]></Encrypt></xml>`;
    const answer = await fetch(`${server.callback}?${query}`, { method: "POST", body, ...soon() });
    return { status: answer.status, body: await answer.text() };
  };

  const changed = (userId) =>
    `<xml><ToUserName><![CDATA[${simulator.corpid}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>`
    + "<CreateTime>1403610513</CreateTime><MsgType><![CDATA[event]]></MsgType>"
    + "<Event><![CDATA[change_contact]]></Event><ChangeType>update_user</ChangeType>"
    + `<UserID><![CDATA[${userId}]]></UserID></xml>`;

  test("the check of the address, a hundred times", async () => {
    for (let round = 0; round < 100; round++) {
      const message = String(randomInt(2 ** 47));
      const { text, query } = sealed(message);
      assert.equal(decrypt(AES_KEY, text).message, message);
      query.set("echostr", text);
      const answer = await fetch(`${server.callback}?${query}`, soon());
      assert.equal(answer.status, 200);
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), Buffer.from(message));
    }
  });

  test("an event is taken, and the member is read again", async () => {
    const reads = async () => (await simulator.control("GET", "calls")).calls["user/get"] ?? 0;
    const before = await reads();
    assert.deepEqual(await push(changed("lisi")), { status: 200, body: "" });
    await until("the member is read again", async () => (await reads()) > before);
  });

  test("with another token or key it is not, and for another company it asks for nothing", async () => {
    assert.equal((await push(changed("zhangsan"), { token: "another" })).status, 403);
    const key = AES_KEY.replace(/^./, (first) => (first === "A" ? "B" : "A"));
    assert.equal((await push(changed("zhangsan"), { key })).status, 400);
    const elsewhere = await push(changed("zhangsan"), { receiver: "ww0000000000000000" });
    assert.deepEqual(elsewhere, { status: 200, body: "" });
  });
});
