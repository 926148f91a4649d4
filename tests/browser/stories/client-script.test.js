// The client as a script of plain pages on the server's own origin: signed in by cookie.

import assert from "node:assert/strict";

import { stage } from "../story.js";

const story = stage();
const ELEMENT = "auths.loginTypes.QywxInnerExample";

/** Opens a page of our origin, as an app behind the same proxy would serve it. */
async function openPlain(person, script) {
  const html = `<!doctype html><html lang="${person.language}"><meta charset="utf-8"><title>Plain</title>${script}</html>`;
  const address = `${person.demo.url}/plain.html`;
  await person.context.route(address, (route) => route.fulfill({ contentType: "text/html", body: html }));
  await person.page.goto(address);
}

/** The platform's sample, run as it is printed, with a code as WeCom would send it. */
async function signIn(person) {
  const config = await person.page.evaluate((name) => api.getLoginConfig(name), ELEMENT);
  const url = new URL(config.loginUrl);
  assert.equal(url.origin, person.demo.wecom);
  assert.equal(url.searchParams.get("state"), config.state);
  const authCode = await person.demo.codeFor("zhangsan", Number(config.agentId));
  const answer = { authCode, state: config.state };
  return person.page.evaluate(([name, answer]) => api.loginWithCode(name, answer), [ELEMENT, answer]);
}

for (const [kind, script] of [
  ["module", (url) => `<script type="module" src="${url}/client.js"></script>`],
  ["classic", (url) => `<script src="${url}/client.global.js"></script>`],
]) {
  story(`with a ${kind} script a page signs in, knows who it is, and signs out`, async ({ visit, demo }) => {
    const person = await visit();
    await openPlain(person, script(demo.url));
    const user = await signIn(person);
    assert.equal(user.name, "张三");
    assert.equal(await person.page.evaluate(() => JSON.stringify(Object.entries(localStorage))), "[]");
    const me = await person.page.evaluate(() => api.me());
    assert.deepEqual([me.userId, me.element], ["zhangsan", ELEMENT]);
    await person.open("/");
    await person.assertSignedIn("zhangsan");

    await person.page.goto(`${demo.url}/plain.html`);
    await person.page.evaluate(() => api.logout());
    await person.assertNotSignedIn();
  });
}

story("errors are told in the page's language, with number and request", async ({ visit, demo }) => {
  const person = await visit();
  await openPlain(person, `<script src="${demo.url}/client.global.js"></script>`);
  const refused = await person.page.evaluate(async (name) => {
    await api.getLoginConfig(name);
    const error = await api.loginWithCode(name, { authCode: "never-issued", state: "x" }).catch((error) => error);
    const { kind, errcode, errmsg, requestId } = error;
    return { kind, errcode, errmsg, requestId, named: error instanceof wecomLogin.WecomLoginError };
  }, ELEMENT);
  const { requestId, ...told } = refused;
  const errmsg = person.say("这次登录不是从这里发起的，或者已经过去太久。", "This sign-in was not started here, or was started too long ago.");
  assert.deepEqual(told, { kind: "refused", errcode: 710003, errmsg, named: true });
  assert.match(requestId, /^[0-9a-f]{32}$/);
  assert.ok(demo.log.includes(requestId));
});

story("a page of the server's own origin is given no tokens", async ({ visit, demo }) => {
  const person = await visit();
  await openPlain(person, `<script src="${demo.url}/client.global.js"></script>`);
  // Chromium writes the refused request into the console.
  person.forgive();
  const errcode = await person.page.evaluate(async (name) => {
    const bearer = wecomLogin.createApi({ session: "bearer", storage: "memory" });
    return (await bearer.getLoginConfig(name).catch((error) => error)).errcode;
  }, ELEMENT);
  assert.equal(errcode, 710316);
});
