import assert from "node:assert/strict";

import { stage } from "../story.js";

const story = stage();

story("a sign-in ends where the person wanted to go", async ({ visit, demo }) => {
  const person = await visit();
  await person.open("/login?return_to=%2Fhealthz");
  await person.signInThroughFrame("zhangsan");
  await person.page.waitForURL(`${demo.url}/healthz`);
  assert.equal(await person.page.locator("body").innerText(), "ok");

  await person.open("/login?return_to=%2F%3Ffrom%3Dmail");
  await person.see("signed-in-name").waitFor();
  assert.equal(person.page.url(), `${demo.url}/?from=mail`, "who is in goes there at once");
});

story("the place to go to outlives a declined sign-in", async ({ visit, demo }) => {
  const person = await visit();
  await person.open("/login?return_to=%2Fhealthz");
  await person.frame.locator("#decline").click();
  await person.assertProblem(710001);
  await person.tryAgain();
  await person.signInThroughFrame("zhangsan");
  await person.page.waitForURL(`${demo.url}/healthz`);
});

story("a place on another site is refused before anybody signs in", async ({ visit, demo }) => {
  const person = await visit();
  for (const foreign of ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)", demo.wecom]) {
    await person.open(`/login?return_to=${encodeURIComponent(foreign)}`);
    await person.assertProblem(710309);
    const origins = await person.page.locator("a").evaluateAll((links) => links.map(({ origin }) => origin));
    assert.deepEqual([...new Set(origins)], [demo.url], "no link leads there");
  }
  await person.tryAgain();
  await person.signInThroughFrame("zhangsan");
  await person.assertSignedIn("zhangsan");
});
