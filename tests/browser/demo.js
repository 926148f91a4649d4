// The program under test: `wecom-login demo`, and the control requests of the WeCom that it simulates.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

/** How long the program may take to be ready, or to end, in milliseconds. */
const PATIENCE = 30_000;

/** A running demo on free ports, with a folder of its own. */
export class Demo {
  #process;
  #folder;
  #log = [];

  /** Starts the program named by BIN_WECOM_LOGIN and gives it back once it says that it is ready. `flags` are more of
   * the command line's. */
  static async start(flags = []) {
    const program = process.env.BIN_WECOM_LOGIN;
    assert.ok(program && path.isAbsolute(program), "BIN_WECOM_LOGIN must be the absolute path of the program");
    const demo = new Demo();
    demo.#folder = await mkdtemp(path.join(tmpdir(), "browser-tests-"));
    demo.#process = spawn(program, ["demo", "--json", "--port", "0", ...flags], {
      cwd: demo.#folder,
      env: { ...process.env, TMPDIR: demo.#folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    createInterface({ input: demo.#process.stderr }).on("line", (line) => demo.#log.push(line));
    try {
      const ready = once(createInterface({ input: demo.#process.stdout }), "line", soon());
      const ended = once(demo.#process, "exit", soon()).then(([code]) => {
        throw new Error(`the demo ended with ${code} before it was ready`);
      });
      const [line] = await Promise.race([ready, ended]);
      ended.catch(() => {});
      Object.assign(demo, JSON.parse(line));
    } catch (cause) {
      await demo.#clean();
      throw new Error(`the demo did not start:\n${demo.log}`, { cause });
    }
    return demo;
  }

  /** What the program has logged so far. */
  get log() {
    return this.#log.join("\n");
  }

  /** Ends the program as Ctrl-C does; it must leave with 0 and nothing behind. */
  async stop() {
    const ended = once(this.#process, "exit", soon());
    this.#process.kill("SIGTERM");
    try {
      const [code, signal] = await ended;
      assert.equal(code, 0, `the demo ended with ${code ?? signal}:\n${this.log}`);
      assert.deepEqual(await readdir(this.#folder), [], "the demo leaves its temporary folder behind");
    } finally {
      await this.#clean();
    }
  }

  async #clean() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** How often each call of WeCom's API was made. */
  async calls() {
    return (await this.#control("GET", "calls")).calls;
  }

  /** Lets a call of WeCom's API fail until `clearFaults`, such as `{kind: "errcode", code: -1}`. */
  async fail(endpoint, fault) {
    await this.#control("POST", "faults", { endpoint, ...fault });
  }

  async clearFaults() {
    await this.#control("DELETE", "faults");
  }

  /** Whose WeCom client opens the OAuth page. */
  async deviceBelongsTo(userid) {
    await this.#control("POST", "device", { userid });
  }

  async deviceBelongsToNobody() {
    await this.#control("DELETE", "device");
  }

  /** The desktop client beside the browser: runs with that member signed in, or not at all. */
  async desktopOf(userid) {
    await (userid ? this.#control("POST", "desktop", { userid }) : this.#control("DELETE", "desktop"));
  }

  /** In WeChat: the member whom it is bound to, or a stranger's openid. */
  async deviceBelongsToStranger(openid) {
    await this.#control("POST", "device", { openid });
  }

  /** Time goes by, for the server and for WeCom; pages have clocks of their own (`page.clock`). */
  async pass(seconds) {
    await this.#control("POST", "clock", { advance_seconds: seconds });
  }

  /** WeCom looks for the ownership file of a domain, as its console does. */
  async verifyDomain(domain) {
    return this.#control("POST", "verify-domain", { domain, scheme: "http", agentid: 1000002 });
  }

  /** The ownership file that WeCom's console offers, `{file, content}`. */
  async ownershipFile() {
    return this.#control("GET", "verify-domain?agentid=1000002");
  }

  /**
   * Adds an instance beside the one of the demo, with these changes to its configuration (undefined takes a key away),
   * and waits until it is served. Gives its full name.
   */
  async addInstance(name, changes) {
    const folder = path.join(this.app, "auths/loginTypes");
    const config = JSON.parse(await readFile(path.join(folder, "QywxInnerExample/QywxInnerExample.json"), "utf8"));
    await mkdir(path.join(folder, name));
    await writeFile(path.join(folder, name, `${name}.json`), JSON.stringify({ ...config, ...changes }));
    const element = { title: `云帆 ${name}`, type: "auths.loginTypes.QywxInnerType" };
    await writeFile(path.join(folder, name, "e.json"), JSON.stringify(element));
    const { orgId, name: app } = JSON.parse(await readFile(path.join(this.app, "app.json"), "utf8"));
    const address = `${this.url}/api/${orgId}/${app}/auths/loginTypes/${name}/getLoginConfig`;
    for (const end = Date.now() + PATIENCE; ; await setTimeout(100)) {
      const answer = await fetch(address, { method: "POST", ...soon() });
      if (answer.ok && (await answer.json()).errcode === 0) return `auths.loginTypes.${name}`;
      assert.ok(Date.now() < end, `${name} is not served:\n${this.log}`);
    }
  }

  /** Changes an app's settings in WeCom's console. */
  async setApp(agentid, change) {
    await this.#control("PATCH", `apps/${agentid}`, change);
  }

  /** WeCom as it was at the start; access tokens stay. */
  async resetWecom() {
    await this.#control("POST", "reset");
  }

  /** Who a code of the sample app stands for, as WeCom's API tells its server; the code is then used up. */
  async whoseCode(code) {
    const call = async (path, query) =>
      (await fetch(`${this.wecom}/cgi-bin/${path}?${new URLSearchParams(query)}`, soon())).json();
    const secret = "sample-secret-of-the-new-app-0123456789abcde";
    const { access_token } = await call("gettoken", { corpid: "ww5ca1ab1e5ca1ab1e", corpsecret: secret });
    return call("auth/getuserinfo", { access_token, code });
  }

  /** A code of that app as WeCom's sign-in page would give it to that member. */
  async codeFor(userid, agentid) {
    return (await this.#control("POST", "code", { userid, agentid, host: new URL(this.url).host })).code;
  }

  async #control(method, name, body) {
    const response = await fetch(`${this.wecom}/_sim/${name}`, {
      method,
      headers: body && { "content-type": "application/json" },
      body: body && JSON.stringify(body),
      ...soon(),
    });
    assert.ok(response.ok, `${method} /_sim/${name}: ${response.status}`);
    return response.json();
  }
}

/** The option of a request or an event that ends the wait for it. */
export function soon() {
  return { signal: AbortSignal.timeout(PATIENCE) };
}
