import assert from "node:assert/strict";

import { stage } from "../story.js";

const story = stage();

/** WeCom's number for the failed call, which its support asks for. */
const HINT = /^[0-9]{20,}$/;

/** The sign-in shows the page of that number while WeCom fails, and "try again" works once it does not. */
async function assertFailsThenMends({ visit, demo }, fault, code, status, details) {
  await demo.fail("auth/getuserinfo", fault);
  const person = await visit();
  await person.open("/login");
  const answer = person.page.waitForResponse((response) => response.url().startsWith(`${demo.url}/auth/wecom/callback`));
  await person.signInThroughFrame("zhangsan");
  assert.equal((await answer).status(), status);
  await person.assertProblem(code, details);

  await demo.clearFaults();
  await person.tryAgain();
  await person.signInThroughFrame("zhangsan");
  return person;
}

const cases = [
  ["answers with an error of its server", { kind: "status", code: 500 }, 710201, 502],
  ["cuts the connection", { kind: "reset" }, 710201, 502],
  ["answers with something that is no JSON", { kind: "wrong_json" }, 710201, 502],
  ["says that it is busy", { kind: "errcode", code: -1 }, -1, 502, [HINT]],
  ["says that the calls are used up", { kind: "errcode", code: 45009 }, 45009, 502, [HINT]],
];

for (const [name, fault, code, status, details] of cases) {
  story(`WeCom ${name}: the page says so, and trying again later works`, async (at) => {
    const person = await assertFailsThenMends(at, fault, code, status, details);
    await person.assertSignedIn("zhangsan");
  });
}

story("WeCom does not accept our address: the page names it for the administrator", async (at) => {
  const person = await assertFailsThenMends(at, { kind: "errcode", code: 60020 }, 60020, 502, [/^127\.0\.0\.1$/, HINT]);
  // The refusal is remembered for 5 seconds, so that a crowd at the door does not ask WeCom in vain; who tries
  // again and again gets in.
  const welcomed = person.see("signed-in-userid");
  for (let tries = 0; tries < 40; tries += 1) {
    await welcomed.or(person.see("problem-title")).waitFor();
    if (await welcomed.isVisible()) break;
    await person.assertProblem(60020, [/^127\.0\.0\.1$/, HINT]);
    await person.tryAgain();
    await person.signInThroughFrame("zhangsan");
  }
  await person.assertSignedIn("zhangsan");
});
