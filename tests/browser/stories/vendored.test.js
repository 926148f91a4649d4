// The server's copy of WeCom's SDK is the one that WeCom publishes.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";

test("the vendored SDK is the npm package's file, byte for byte", async () => {
  const published = await readFile(createRequire(import.meta.url).resolve("@wecom/jssdk/dist/wecom.prod.js"));
  const vendored = await readFile(new URL("../../../web/vendor/wecom-jssdk-2.4.4/wecom.prod.js", import.meta.url));
  assert.ok(vendored.equals(published));
});
