// snsapi_privateinfo: inside WeCom the member is asked what the app may know.

import assert from "node:assert/strict";

import { stage } from "../story.js";

const ANDROID =
  "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 wxwork/4.1.36 MicroMessenger/7.0.1";
const PAGE = "/login?element=auths.loginTypes.Consent";

const story = stage(undefined, async () => ({ instances: { Consent: { scope: "snsapi_privateinfo" } } }));

/** Ticks exactly these fields and goes on. */
async function consent(person, fields) {
  await person.page.locator("#confirm").waitFor();
  for (const box of await person.page.locator('input[name="field"]').all()) {
    await box.setChecked(fields.includes(await box.getAttribute("value")));
  }
  await person.page.locator("#confirm").click();
  await person.see("signed-in-userid").waitFor();
}

story("what the member ticks is known, what they do not is not", async ({ visit, demo }) => {
  const person = await visit({ userAgent: ANDROID });
  // What was told once stays known, so each language has a member of its own.
  const userid = person.say("wangwu", "lisi");
  await demo.deviceBelongsTo(userid);
  await person.open(PAGE);
  await consent(person, []);
  const { body: silent } = await person.me();
  assert.deepEqual([silent.userId, silent.mobile, silent.email], [userid, "", ""]);

  await person.signOut();
  await person.open(PAGE);
  await consent(person, ["mobile", "email"]);
  const { body: told } = await person.me();
  assert.match(told.mobile, /^1[0-9]{10}$/);
  assert.match(told.email, /@/);
});

story("who says no at the consent page is told so", async ({ visit, demo }) => {
  await demo.deviceBelongsTo("zhangsan");
  const person = await visit({ userAgent: ANDROID });
  await person.open(PAGE);
  await person.page.locator("#decline").click();
  await person.assertProblem(710001);
});
