import assert from "node:assert/strict";

import { stage } from "../story.js";

const story = stage();

story("an unknown address is explained and leads to the first page", async ({ visit, demo }) => {
  const person = await visit();
  const answer = await person.open("/nothing/here?a=1");
  assert.equal(answer.status(), 404);
  await person.assertProblem(710305);
  assert.equal(person.page.url(), `${demo.url}/nothing/here?a=1`);
  assert.equal(await person.see("problem-retry").getAttribute("href"), "/");
  await person.see("problem-retry").click();
  await person.signInThroughFrame("zhangsan");
  await person.assertSignedIn("zhangsan");

  await person.open("/nothing/here");
  await person.see("problem-retry").click();
  await person.assertSignedIn("zhangsan");
});
