import assert from "node:assert/strict";

import { stage } from "../story.js";

const story = stage();

// Playwright runs Chromium without its back/forward cache, so "back" asks the server here; back-button.test.js has it on.

story("after signing out nobody is signed in, also not by the back button", async ({ visit }) => {
  const person = await visit();
  await person.signIn();

  await person.signOut();
  assert.equal(await person.see("signed-out-title").innerText(), person.say("你已退出登录", "You are signed out"));
  assert.equal(await person.see("sign-in-again").innerText(), person.say("重新登录", "Sign in again"));
  await person.assertNotSignedIn();

  await person.page.goBack();
  await person.see("sign-in-title").waitFor();
  assert.equal(await person.see("signed-in-name").count(), 0);
  await person.assertNotSignedIn();
});

story("the signed-out page leads to a sign-in that works", async ({ visit }) => {
  const person = await visit();
  await person.signIn();
  await person.signOut();
  await person.see("sign-in-again").click();
  await person.signInThroughFrame("lisi");
  await person.assertSignedIn("lisi");
});

story("a copy of the cookie is worth nothing after the sign-out", async ({ visit }) => {
  const person = await visit();
  await person.signIn();
  const cookies = await person.context.cookies();
  const thief = await visit();
  await thief.context.addCookies(cookies);
  assert.equal((await thief.me()).status, 200, "until then the copy is the session");

  await person.signOut();
  await thief.assertNotSignedIn();
  await thief.open("/");
  await thief.see("sign-in-title").waitFor();
});

story("another site cannot sign a person out", async ({ visit, demo }) => {
  const person = await visit();
  await person.signIn();
  const response = await person.context.request.post(`${demo.url}/logout`, {
    headers: { "sec-fetch-site": "cross-site", origin: demo.wecom },
  });
  assert.equal(response.status(), 403);
  await person.page.reload();
  await person.assertSignedIn();
});
