import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));

test("dist/ is what the sources build; after a change run `npm run build`", async () => {
  const fresh = await mkdtemp(path.join(tmpdir(), "client-build-"));
  try {
    execFileSync(process.execPath, ["build.js", fresh], { cwd: here, stdio: "pipe", timeout: 60_000 });
    const [built, committed] = await Promise.all([fresh, path.join(here, "dist")].map((folder) => readdir(folder)));
    assert.deepEqual(committed.sort(), built.sort());
    for (const file of built) {
      const [now, then] = await Promise.all(
        [fresh, path.join(here, "dist")].map((folder) => readFile(path.join(folder, file), "utf8")),
      );
      assert.ok(now === then, `dist/${file} is stale`);
    }
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
});
