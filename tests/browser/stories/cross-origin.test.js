// A front end on another site, in a browser that keeps no cookies of other sites: a pair of tokens instead.

import assert from "node:assert/strict";
import { after } from "node:test";

import { ELEMENT, FrontEnd } from "../front_end.js";
import { stage } from "../story.js";

let front;
let stranger;

const story = stage({ flags: ["--test-third-party-cookie-phaseout"] }, async () => {
  [front, stranger] = await Promise.all([FrontEnd.start(), FrontEnd.start()]);
  return { flags: ["--origin", front.origin], origins: [front.origin, stranger.origin] };
});

after(async () => {
  await Promise.all([front?.stop(), stranger?.stop()]);
});

/** A visitor at the front end. */
async function arrive(visit, demo) {
  if (front.api === "") await front.join(demo);
  const person = await visit();
  await person.page.goto(front.origin);
  await isShown(person, "nobody");
  return person;
}

async function isShown(person, text, page = person.page) {
  const who = page.getByTestId("who");
  await page.waitForFunction(() => document.querySelector("[data-testid=who]").textContent !== "…");
  assert.equal(await who.innerText(), text);
}

async function signIn(person, userid = "zhangsan") {
  await person.see("begin").click();
  await person.signInAtWecom(userid);
  await person.see("who").waitFor();
  await isShown(person, userid);
  assert.equal(person.page.url(), `${front.origin}/`);
}

/** What the front end keeps, as a script on its page would read it. */
const kept = ({ page }) => page.evaluate(() => JSON.parse(Object.values(localStorage)[0] ?? "null"));

/** Calls a function of a client that would sign in by cookie; gives what came of it. */
const call = ({ page, demo }, name, values) =>
  page.evaluate(
    async ([url, name, values]) => {
      const api = (await import(`${url}/client.js`)).createApi({ session: "cookie" });
      return api[name](...values).catch(({ kind, errcode }) => ({ kind, errcode }));
    },
    [demo.url, name, values],
  );

/** POST /session/refresh from somewhere else. */
async function refreshElsewhere(demo, refreshToken) {
  const response = await fetch(`${demo.url}/session/refresh`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ refreshToken }),
  });
  return { status: response.status, body: await response.json() };
}

story("a person signs in at a front end on another site, stays in, and signs out", async ({ visit, demo }) => {
  const person = await arrive(visit, demo);
  await signIn(person);
  const { refreshToken } = await kept(person);
  await person.page.reload();
  await isShown(person, "zhangsan");
  assert.notEqual((await kept(person)).refreshToken, refreshToken, "a reload takes the next pair");

  const tabs = [person.page, ...(await Promise.all([1, 2, 3].map(() => person.context.newPage())))];
  await Promise.all(tabs.map((tab) => tab.goto(front.origin)));
  for (const tab of tabs) await isShown(person, "zhangsan", tab);

  const url = demo.url;
  await tabs[1].evaluate(async (url) => (await import(`${url}/client.js`)).api.logout(), url);
  await tabs[2].reload();
  await isShown(person, "nobody", tabs[2]);
  assert.equal(await kept(person), null);
  const cookies = await person.context.cookies(demo.url);
  assert.deepEqual(cookies, [], "the server never set a cookie");
});

story("the panel on a front end's page signs in there", async ({ visit, demo }) => {
  const person = await arrive(visit, demo);
  await person.page.evaluate(
    async ([url, name]) => {
      const { mountLoginPanel } = await import(`${url}/client.js`);
      const place = document.createElement("div");
      place.dataset.testid = "sign-in-panel";
      document.body.append(place);
      await mountLoginPanel(place, name);
    },
    [demo.url, ELEMENT],
  );
  await person.signInThroughFrame("zhangsan");
  await person.page.waitForURL(`${front.origin}/`);
  await isShown(person, "zhangsan");
});

story("by cookie nobody could sign in there", async ({ visit, demo }) => {
  const person = await arrive(visit, demo);
  const config = await call(person, "getLoginConfig", [ELEMENT]);
  const authCode = await demo.codeFor("zhangsan", Number(config.agentId));
  const refused = await call(person, "loginWithCode", [ELEMENT, { authCode, state: config.state }]);
  assert.equal(refused.errcode, 710006, "the browser keeps the cookie that a state is bound to from the front end");
  assert.deepEqual(await person.context.cookies(demo.url), []);
});

story("a refresh token that is stolen and used ends the session for both", async ({ visit, demo }) => {
  const person = await arrive(visit, demo);
  await signIn(person);
  const stolen = await kept(person);
  const theirs = await refreshElsewhere(demo, stolen.refreshToken);
  assert.equal(theirs.status, 200, "until it is used twice nobody can tell");

  await person.page.reload();
  await isShown(person, "nobody");
  const me = await fetch(`${demo.url}/me`, { headers: { authorization: `Bearer ${theirs.body.accessToken}` } });
  assert.equal(me.status, 401);
  assert.equal((await refreshElsewhere(demo, theirs.body.refreshToken)).body.errcode, 710301);
  assert.equal(await kept(person), null);
  // The refused refresh stands in the console.
  person.forgive();
  await signIn(person, "lisi");
});

story("a thief who comes second is noticed too", async ({ visit, demo }) => {
  const person = await arrive(visit, demo);
  await signIn(person);
  const stolen = await kept(person);
  await person.page.reload();
  await isShown(person, "zhangsan");
  assert.deepEqual((await refreshElsewhere(demo, stolen.refreshToken)).body.errcode, 710317);
  person.forgive();
  await person.page.reload();
  await isShown(person, "nobody");
});

story("a page that is left in the middle of a refresh signs nobody out", async ({ visit, demo }) => {
  const person = await arrive(visit, demo);
  await signIn(person);
  person.forgive();
  let lost = 0;
  await person.context.route("**/session/refresh", async (route) => {
    if (lost > 0 || route.request().method() !== "POST") return route.continue();
    lost += 1;
    await route.fetch();
    await route.abort();
  });
  await person.page.reload();
  await isShown(person, "network null");
  assert.equal(lost, 1);
  await person.page.reload();
  await isShown(person, "zhangsan");
});

story("a sign-in that another browser began is not finished here", async ({ visit, demo }) => {
  const attacker = await arrive(visit, demo);
  const victim = await arrive(visit, demo);
  const { agentId, state } = await attacker.page.evaluate(
    async ([url, name]) => (await import(`${url}/client.js`)).api.getLoginConfig(name),
    [demo.url, ELEMENT],
  );
  const code = await demo.codeFor("lisi", Number(agentId));
  const redirect = `${front.origin}/in?${new URLSearchParams({ code, state })}`;

  await victim.page.goto(redirect);
  await isShown(victim, "refused 710006");
  assert.equal(await kept(victim), null);

  await attacker.page.goto(redirect);
  await isShown(attacker, "lisi");
});

story("an origin that is not listed gets nothing", async ({ visit, demo }) => {
  if (front.api === "") await front.join(demo);
  const person = await visit();
  person.forgive();
  await person.page.goto(stranger.origin);
  const url = demo.url;
  const module = await person.page.evaluate((url) => import(`${url}/client.js`).catch((error) => error.name), url);
  assert.equal(module, "TypeError", "the module script is not for it");

  // A classic script loads anywhere, but its calls are refused.
  await person.page.addScriptTag({ url: `${url}/client.global.js` });
  const ask = (name, argument) =>
    person.page.evaluate(
      async ([name, argument]) => {
        try {
          return await api[name](argument);
        } catch (error) {
          return [error.constructor === wecomLogin.WecomLoginError, error.kind, error.errcode, error.errmsg];
        }
      },
      [name, argument],
    );
  const [isOurs, kind, errcode, errmsg] = await ask("getLoginConfig", ELEMENT);
  assert.deepEqual([isOurs, kind, errcode], [true, "network", null]);
  assert.match(errmsg, person.say(/无法连接登录服务/, /cannot be reached/));
});
