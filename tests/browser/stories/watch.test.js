import assert from "node:assert/strict";

import { stage } from "../story.js";

const story = stage();

// The other stories rest on the watch, so it must see what it is there for.
story("the watch sees what a page must not do", async ({ visit, demo }) => {
  const spoil = async (event, isIt, body) => {
    const person = await visit();
    await person.open("/login");
    person.assertNothingOdd();
    const seen = person.context.waitForEvent(event, isIt);
    await person.page.evaluate(body);
    await seen;
    assert.throws(() => person.assertNothingOdd(), assert.AssertionError);
    person.forgive();
  };
  const isError = (message) => message.type() === "error";
  const isForeign = (request) => new URL(request.url()).host === "elsewhere.example";
  const isMissing = (response) => response.status() === 404;

  await spoil("console", isError, () => console.error("an error"));
  await spoil("weberror", () => true, () => void setTimeout(() => Promise.reject(new Error("nobody catches this"))));
  await spoil("request", isForeign, () => void (new Image().src = "https://elsewhere.example/x.png"));
  await spoil("console", isError, () => document.body.append(Object.assign(document.createElement("script"), { text: "1" })));
  await spoil("response", isMissing, () => void (new Image().src = "/assets/none.svg"));

  const calm = await visit();
  await calm.open("/nothing");
  await calm.see("problem-title").waitFor();
  assert.equal(calm.page.url(), `${demo.url}/nothing`);
});
