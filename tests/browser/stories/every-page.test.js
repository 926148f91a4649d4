// What holds on every page: people who cannot see or point can use it, and it asks nobody but us and WeCom for anything.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { setting, walk } from "../pages.js";
import { stage } from "../story.js";

const source = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const story = stage(undefined, async () => setting);

for (const [scheme, viewport] of [
  ["light", { width: 1280, height: 900 }],
  ["dark", { width: 390, height: 844 }],
]) {
  // Each visitor's watch notes every request to a third host.
  story(`no page has a serious fault for screen reader or keyboard, nor asks a third host, ${scheme}`, async ({ visit, demo }) => {
    const found = {};
    const seen = [];
    const look = async (name, page) => {
      seen.push(name);
      if (name === "sign-in-without-script") return;
      // Past the pages' own policy, as the browser's tools are; the frame is WeCom's own matter.
      const tools = await page.context().newCDPSession(page);
      const { frameTree } = await tools.send("Page.getFrameTree");
      const world = await tools.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
      const run = (expression) =>
        tools.send("Runtime.evaluate", { expression, contextId: world.executionContextId, awaitPromise: true, returnByValue: true });
      await run(await source);
      const { result } = await run(`axe.run(document, {iframes: false, resultTypes: ["violations"]}).then(({ violations }) =>
        violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
          .map(({ id, nodes }) => id + ": " + nodes.map(({ target }) => target).join(", ")))`);
      assert.ok(Array.isArray(result.value), `axe ran on ${name}: ${JSON.stringify(result)}`);
      if (result.value.length > 0) found[name] = result.value;
      await tools.detach();
    };
    await walk(demo, (options) => visit({ viewport, colorScheme: scheme, reducedMotion: "reduce", ...options }), look);
    assert.deepEqual(found, {});
    assert.ok(seen.length > 20, `the walk saw ${seen}`);
  }, { timeout: 300_000 });
}

story("the sign-in page lets WeCom's host in, and nothing else", async ({ visit, demo }) => {
  const person = await visit();
  const headers = (await person.open("/login?element=auths.loginTypes.Official")).headers();
  const policy = Object.fromEntries(
    headers["content-security-policy"].split("; ").map((directive) => [directive.split(" ")[0], directive.split(" ").slice(1)]),
  );
  const self = ["'self'"];
  assert.deepEqual(policy, {
    "default-src": ["'none'"],
    "script-src": self,
    "style-src": self,
    "img-src": self,
    "form-action": self,
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
    "connect-src": self,
    "frame-src": ["https://login.work.weixin.qq.com"],
  });
  assert.match(headers["permissions-policy"], /local-network-access=\(self "https:\/\/login\.work\.weixin\.qq\.com"\)/);
  // The panel's frame is granted what the policy leaves it; no other page leaves it to anybody.
  await person.frame.locator("#qr svg").waitFor();
  const other = (await person.context.request.get(`${demo.url}/nothing`)).headers();
  assert.doesNotMatch(other["content-security-policy"], /frame-src|connect-src/);
});
