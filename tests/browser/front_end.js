// A front end on a site of its own: static pages at http://localhost, while the server is at http://127.0.0.1.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";

import { soon } from "./demo.js";

export const ELEMENT = "auths.loginTypes.FrontEnd";

/** The page, which is also where WeCom sends the browser back to. It loads the client from the server. */
const page = (server, language) => `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<title>Front end</title>
<link rel="icon" href="data:,">
<button data-testid="begin">Sign in</button>
<p data-testid="who">…</p>
<script type="module">
  import { api, loginUrl } from "${server}/client.js";

  const show = (text) => (document.querySelector("[data-testid=who]").textContent = text);
  document.querySelector("[data-testid=begin]").onclick = async () => {
    location.href = loginUrl(await api.getLoginConfig("${ELEMENT}"));
  };
  const answer = new URLSearchParams(location.search);
  try {
    if (answer.has("code")) {
      await api.loginWithCode("${ELEMENT}", { authCode: answer.get("code"), state: answer.get("state") });
      history.replaceState(null, "", "/");
    }
    const person = await api.me();
    show(person === null ? "nobody" : person.userId);
  } catch (error) {
    show(\`\${error.kind} \${error.errcode}\`);
  }
</script>
</html>`;

export class FrontEnd {
  #server;
  /** The address of the server whose client it loads. */
  api = "";

  static async start() {
    const front = new FrontEnd();
    front.#server = createServer(({ headers }, response) => {
      const language = headers["accept-language"]?.startsWith("en") ? "en" : "zh-CN";
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" });
      response.end(page(front.api, language));
    });
    front.#server.listen(0, "localhost");
    await once(front.#server, "listening");
    return front;
  }

  get origin() {
    return `http://localhost:${this.#server.address().port}`;
  }

  async stop() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** Adds an instance to the demo's app whose redirect is this front end's, and waits until it is served. */
  async join(demo) {
    this.api = demo.url;
    const folder = (name) => path.join(demo.app, "auths/loginTypes", name);
    const sample = JSON.parse(await readFile(path.join(folder("QywxInnerExample"), "QywxInnerExample.json"), "utf8"));
    const config = { ...sample, callback: "page", redirectUri: `${this.origin}/in` };
    await mkdir(folder("FrontEnd"));
    await writeFile(path.join(folder("FrontEnd"), "FrontEnd.json"), JSON.stringify(config));
    await writeFile(
      path.join(folder("FrontEnd"), "e.json"),
      JSON.stringify({ title: "Front end", type: "auths.loginTypes.QywxInnerType" }),
    );
    for (let tries = 0; tries < 100; tries += 1) {
      const address = `${demo.url}/api/demo/portal/${ELEMENT.replaceAll(".", "/")}/getLoginConfig`;
      if ((await fetch(address, { method: "POST", ...soon() })).status === 200) return;
      await new Promise((resume) => setTimeout(resume, 100));
    }
    assert.fail("the demo does not see the new instance");
  }
}
