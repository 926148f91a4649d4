// A company's page with WeCom's login panel on it: the unmodified SDK of the npm package in a browser that finds
// WeCom's hosts in the simulator.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const SDK = createRequire(import.meta.url).resolve("@wecom/jssdk/dist/wecom.global.prod.js");

/** Where the SDK's frame comes from; it knows no other host. */
export const WECOM = "https://login.work.weixin.qq.com";

const PAGE = `<!doctype html><meta charset="utf-8"><title>portal</title><link rel="icon" href="data:,">
<div id="panel"></div><script src="/sdk.js"></script>`;

/** The company's web server on a free port of this machine. */
export class Portal {
  #server;

  static async open() {
    const portal = new Portal();
    const sdk = await readFile(SDK);
    portal.#server = createServer((request, response) => {
      const script = request.url === "/sdk.js";
      response.setHeader("content-type", script ? "text/javascript" : "text/html");
      response.end(script ? sdk : PAGE);
    });
    portal.#server.listen(0, "127.0.0.1");
    await once(portal.#server, "listening");
    portal.port = portal.#server.address().port;
    portal.url = `http://127.0.0.1:${portal.port}`;
    return portal;
  }

  async close() {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/**
 * Puts the panel on the page that is open. `heard` on the page lists what the SDK called, in order, as
 * `[name, payload]`.
 */
export async function showPanel(page, params) {
  await page.evaluate((params) => {
    window.heard = [];
    const names = ["onCheckWeComLogin", "onLoginSuccess", "onLoginFail", "onOpenInWecom"];
    const hear = (name) => [name, (payload) => window.heard.push([name, payload])];
    const panel = window.ww.createWWLoginPanel({ el: "#panel", params, ...Object.fromEntries(names.map(hear)) });
    panel.el.name = "wecom";
  }, params);
  return page.frameLocator("iframe[name=wecom]");
}

/** Waits for the SDK's call of that name and gives its payload. */
export async function heard(page, name) {
  const found = await page.waitForFunction((name) => window.heard.find(([called]) => called === name), name);
  return (await found.jsonValue())[1];
}
