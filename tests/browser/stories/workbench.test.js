// F15: several people use WeCom on one computer. Each entry inside WeCom asks it who is there now.

import assert from "node:assert/strict";

import { stage } from "../story.js";
import { CLIENTS } from "../user_agents.js";

const story = stage();

/** After this many seconds WeCom is asked again. */
const PROOF = 60;

/** How often WeCom has exchanged a code. */
async function exchanges(demo) {
  return (await demo.calls())["auth/getuserinfo"] ?? 0;
}

/** WeCom's client on a computer, in which that member opens the app. */
async function clientOf(userid, { visit, demo }, userAgent = CLIENTS.Windows) {
  await demo.deviceBelongsTo(userid);
  const client = await visit({ userAgent });
  await client.open("/login");
  await client.assertSignedIn(userid);
  return client;
}

for (const system of ["Windows", "macOS"]) {
  story(`F15: at a shared computer the next person is themselves, in WeCom for ${system}`, async (scene) => {
    const { visit, demo } = scene;
    const client = await clientOf("zhangsan", scene, CLIENTS[system]);
    const former = await client.sessionCookie();

    await demo.deviceBelongsTo("lisi");
    await demo.pass(PROOF);
    await client.open("/");
    await client.assertSignedIn("lisi");
    assert.equal(await client.see("signed-in-name").innerText(), "李四");
    assert.notEqual((await client.sessionCookie()).value, former.value);

    const copy = await visit();
    await copy.context.addCookies([former]);
    await copy.assertNotSignedIn();
    await copy.open("/");
    await copy.see("sign-in-title").waitFor();

    await demo.deviceBelongsTo("wangwu");
    await demo.pass(PROOF);
    await client.open("/login?return_to=%2F%3Ffrom%3Dmail");
    await client.see("signed-in-userid").waitFor();
    client.assertAt("/?from=mail");
    assert.equal((await client.me()).body.userId, "wangwu");
  });
}

story("F15: a page that the person before has left open becomes the next person's", async (scene) => {
  const { demo } = scene;
  const client = await clientOf("zhangsan", scene);
  const left = client.page;
  await demo.deviceBelongsTo("lisi");
  await demo.pass(PROOF);
  client.page = await client.context.newPage();
  await client.open("/");
  await client.assertSignedIn("lisi");

  client.page = left;
  await left.bringToFront();
  await left.reload();
  await client.assertSignedIn("lisi");
  assert.equal(await client.see("signed-in-name").innerText(), "李四");
});

story("in the workbench the same person keeps the session", async (scene) => {
  const { demo } = scene;
  const client = await clientOf("zhangsan", scene);
  const [cookie, { body: me }] = [await client.sessionCookie(), await client.me()];
  const assertSame = async () => {
    await client.assertSignedIn("zhangsan");
    assert.deepEqual(await client.sessionCookie(), cookie);
    const { body: now } = await client.me();
    assert.deepEqual([now.signedInAt, now.expiresAt], [me.signedInAt, me.expiresAt]);
  };
  const before = await exchanges(demo);
  for (const entry of ["/", "/login", "/"]) {
    await client.open(entry);
    await assertSame();
  }
  assert.equal(await exchanges(demo), before, "within a minute WeCom is not asked");

  for (const entry of ["/", "/login"]) {
    await demo.pass(PROOF);
    await client.open(entry);
    await assertSame();
  }
  assert.equal((await exchanges(demo)) - before, 2, "after a minute each entry asks once");
});

story("somebody who may not sign in does not see the page of the person before", async (scene) => {
  const { demo } = scene;
  const client = await clientOf("zhangsan", scene);
  await demo.deviceBelongsTo("zhaoliu");
  await demo.pass(PROOF);
  for (const entry of ["/", "/login"]) {
    await client.open(entry);
    await client.assertProblem(710103, [], { signedIn: "zhangsan" });
    assert.doesNotMatch(await client.page.content(), /张三/);
  }
});

for (const [system, lasts] of [["Windows", false], ["macOS", false], ["Android", true], ["iOS", true]]) {
  story(`a session in WeCom for ${system} ${lasts ? "lasts" : "ends with the client"}`, async (scene) => {
    const client = await clientOf("zhangsan", scene, CLIENTS[system]);
    const { expires } = await client.sessionCookie();
    assert.equal(expires > Date.now() / 1000, lasts, `expires at ${expires}`);
    if (!lasts) assert.equal(expires, -1, "a session cookie");
  });
}
