import assert from "node:assert/strict";

import { stage } from "../story.js";
import { CLIENTS, WECHAT } from "../user_agents.js";

const story = stage();

for (const [system, userAgent] of Object.entries(CLIENTS)) {
  story(`in WeCom for ${system} a person is in without a tap`, async ({ visit, demo }) => {
    await demo.deviceBelongsTo("zhangsan");
    const person = await visit({ userAgent });
    await person.open("/login");
    await person.assertSignedIn("zhangsan");
    assert.equal(await person.see("signed-in-name").innerText(), "张三");
  });
}

story("in WeCom the person also ends where they wanted to go", async ({ visit, demo }) => {
  await demo.deviceBelongsTo("lisi");
  const person = await visit({ userAgent: CLIENTS.Android });
  await person.open("/login?return_to=%2Fhealthz");
  person.assertAt("/healthz");
  assert.equal((await person.me()).body.userId, "lisi");
});

story("in WeCom a member outside the visible scope is told what to do", async ({ visit, demo }) => {
  await demo.deviceBelongsTo("chenjiu");
  const person = await visit({ userAgent: CLIENTS.iOS });
  await person.open("/login");
  await person.assertProblem(60111);
});

story("the first visit in WeCom asks whose phone it is, and remembers", async ({ visit }) => {
  const person = await visit({ userAgent: CLIENTS.Android });
  await person.open("/login");
  assert.equal(await person.page.locator("h1").innerText(), person.say("这是谁的手机？", "Whose phone is this?"));
  await person.page.locator('[data-userid="zhangsan"]').click();
  await person.assertSignedIn("zhangsan");
  await person.signOut();
  await person.see("sign-in-again").click();
  await person.assertSignedIn("zhangsan");
});

story("in WeChat with the WeCom plug-in a member is in without a tap", async ({ visit, demo }) => {
  await demo.deviceBelongsTo("lisi");
  const person = await visit({ userAgent: WECHAT });
  await person.open("/login?return_to=%2F%3Ffrom%3Dwechat");
  await person.see("signed-in-userid").waitFor();
  person.assertAt("/?from=wechat");
  assert.equal((await person.me()).body.userId, "lisi");
});

story("in WeChat somebody of no company is told so, and by whom it can be mended", async ({ visit, demo }) => {
  await demo.deviceBelongsToStranger("oStranger0000000000000000001");
  const person = await visit({ userAgent: WECHAT });
  await person.open("/login");
  await person.assertProblem(710101);
});

story("in WeCom whoever has a session goes straight on", async ({ visit, demo }) => {
  await demo.deviceBelongsTo("zhangsan");
  const person = await visit({ userAgent: CLIENTS.Windows });
  await person.open("/login");
  await person.assertSignedIn("zhangsan");
  const asked = [];
  person.page.on("request", (request) => asked.push(new URL(request.url()).origin));
  await person.open("/login?return_to=%2F%3Fagain");
  await person.see("signed-in-userid").waitFor();
  person.assertAt("/?again");
  assert.deepEqual([...new Set(asked)], [demo.url], "WeCom is not asked again");
});
