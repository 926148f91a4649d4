import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { stage } from "../story.js";

const story = stage();

story("WeCom takes the domain once its file lies in the data folder", async ({ demo }) => {
  const domain = new URL(demo.url).host;
  const { file, content } = await demo.ownershipFile();
  const folder = path.join(demo.app, "../data/verify");
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, file), "another company's");
  assert.equal((await demo.verifyDomain(domain)).verified, false);
  await writeFile(path.join(folder, file), content);
  const answer = await demo.verifyDomain(domain);
  assert.equal(answer.verified, true, answer.reason);
});
