import assert from "node:assert/strict";

import { stage } from "../story.js";

// With Chromium's back/forward cache, which Playwright switches off elsewhere.
const story = stage({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });

/** Writes down, beyond the page's life, when it is shown again as it was left, and whether anything of it is seen. */
function noteReturn() {
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) sessionStorage.setItem("returned", document.documentElement.checkVisibility() ? "seen" : "unseen");
  });
}

story("going back after a sign-out shows nobody's page", async ({ visit }) => {
  const person = await visit();
  await person.context.addInitScript(noteReturn);
  await person.signIn();
  await person.signOut();
  await person.page.goBack({ waitUntil: "commit" });
  await person.see("sign-in-title").waitFor();
  assert.equal(await person.page.evaluate(() => sessionStorage.getItem("returned")), "unseen", "it came from the cache");
  assert.doesNotMatch(await person.page.content(), /张三|zhangsan/);
  await person.assertNotSignedIn();
});

story("going back to the sign-in page after a sign-in leads home again", async ({ visit }) => {
  const person = await visit();
  await person.signIn();
  await person.page.goBack({ waitUntil: "commit" });
  await person.assertSignedIn();
});
