import assert from "node:assert/strict";

import { stage } from "../story.js";

const story = stage();

/** The address that WeCom would send this visitor to, with the code of that member; nobody goes there yet. */
async function redirectOf(visitor, userid) {
  await visitor.open("/login");
  const link = new URL(await visitor.see("sign-in-link").getAttribute("href"));
  const [state, agentid] = ["state", "agentid"].map((name) => link.searchParams.get(name));
  const redirect = new URL("/auth/wecom/callback", visitor.demo.url);
  redirect.search = new URLSearchParams({ code: await visitor.demo.codeFor(userid, agentid), state });
  return redirect.href;
}

story("two tabs of one browser both sign in", async ({ visit }) => {
  const first = await visit();
  const second = Object.assign(Object.create(first), { page: await first.context.newPage() });
  await first.open("/login");
  await second.open("/login");
  await second.signInThroughFrame("lisi");
  await second.assertSignedIn("lisi");
  await first.page.bringToFront();
  await first.signInThroughFrame("zhangsan");
  await first.assertSignedIn("zhangsan");
  await second.page.bringToFront();
  await second.page.reload();
  await second.assertSignedIn("zhangsan");
});

story("a sign-in begun in one browser is refused in another, and goes on in its own", async ({ visit }) => {
  const attacker = await visit();
  const victim = await visit();
  const redirect = await redirectOf(attacker, "lisi");
  await victim.open("/login");

  await victim.page.goto(redirect);
  await victim.assertProblem(710006);
  await victim.tryAgain();
  await victim.signInThroughFrame("zhangsan");
  await victim.assertSignedIn("zhangsan");

  await attacker.page.goto(redirect);
  await attacker.assertSignedIn("lisi");
});

story("a browser that was never here begins anew instead of being signed in", async ({ visit, demo }) => {
  const attacker = await visit();
  const redirect = await redirectOf(attacker, "lisi");

  const stranger = await visit();
  await stranger.page.goto(redirect);
  await stranger.page.locator("#qr svg").waitFor();
  assert.equal(new URL(stranger.page.url()).origin, demo.wecom);
  await stranger.assertNotSignedIn();

  await stranger.signInAtWecom("zhangsan");
  await stranger.assertSignedIn("zhangsan");
});

story("a state that was never issued is refused", async ({ visit }) => {
  const person = await visit();
  await person.open(`/auth/wecom/callback?code=abc&state=${"x".repeat(32)}`);
  await person.assertProblem(710003);
  await person.tryAgain();
  await person.signInThroughFrame("zhangsan");
  await person.assertSignedIn("zhangsan");
});

story("the redirect's address opened again gives the same session and asks WeCom nothing", async ({ visit, demo }) => {
  const person = await visit();
  const redirect = await redirectOf(person, "zhangsan");
  const exchanges = async () => (await demo.calls())["auth/getuserinfo"] ?? 0;
  const before = await exchanges();
  await person.page.goto(redirect);
  await person.assertSignedIn("zhangsan");
  const session = async () => (await person.sessionCookie()).value;
  const first = await session();

  await person.page.goto(redirect);
  await person.assertSignedIn("zhangsan");
  assert.equal(await session(), first);
  assert.equal((await exchanges()) - before, 1);

  await person.signOut();
  await person.page.goto(redirect);
  await person.assertProblem(710005);
  assert.equal((await exchanges()) - before, 1);
  await person.tryAgain();
  await person.signInThroughFrame("zhangsan");
  await person.assertSignedIn("zhangsan");
});

story("a sign-in that took longer than ten minutes begins anew by itself, and still leads where it was to lead", async ({ visit, demo }) => {
  const person = await visit();
  await person.open("/login?return_to=%2F%3Ffrom%3Dmail");
  const link = new URL(await person.see("sign-in-link").getAttribute("href"));
  const state = link.searchParams.get("state");
  await demo.pass(10 * 60 + 1);
  const code = await demo.codeFor("lisi", link.searchParams.get("agentid"));
  await person.page.goto(`${demo.url}/auth/wecom/callback?code=${code}&state=${state}`);
  await person.page.locator("#qr svg").waitFor();
  assert.equal(new URL(person.page.url()).origin, demo.wecom);
  await person.assertNotSignedIn();
  await person.signInAtWecom("lisi");
  await person.see("signed-in-userid").waitFor();
  person.assertAt("/?from=mail");
});

story("a browser that keeps losing its cookies begins anew twice, and is then told why", async ({ visit, demo }) => {
  const person = await visit();
  await person.open("/login");
  await person.see("sign-in-link").click();
  for (let restart = 1; restart <= 2; restart += 1) {
    const state = new URL(person.page.url()).searchParams.get("state");
    await person.page.locator('[data-userid="zhangsan"]').click();
    await person.context.clearCookies();
    await person.page.locator("#confirm").click();
    await person.page.locator("#qr svg").waitFor();
    assert.equal(new URL(person.page.url()).origin, demo.wecom);
    assert.notEqual(new URL(person.page.url()).searchParams.get("state"), state);
  }
  await person.page.locator('[data-userid="zhangsan"]').click();
  await person.context.clearCookies();
  await person.page.locator("#confirm").click();
  await person.assertProblem(710008);
  await person.tryAgain();
  await person.signInThroughFrame("zhangsan");
  await person.assertSignedIn("zhangsan");
});

story("a redirect that is delivered twice at once gives one session", async ({ visit, demo }) => {
  const person = await visit();
  const redirect = await redirectOf(person, "zhangsan");
  const exchanges = async () => (await demo.calls())["auth/getuserinfo"] ?? 0;
  const before = await exchanges();
  // As a prefetcher does it beside the visit.
  const [ahead] = await Promise.all([
    person.context.request.get(redirect, { maxRedirects: 0 }),
    person.page.goto(redirect),
  ]);
  assert.equal(ahead.status(), 303);
  await person.assertSignedIn("zhangsan");
  assert.equal((await exchanges()) - before, 1);
});
