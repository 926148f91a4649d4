// The sign-in page with WeCom's own panel: the official SDK as the server has it, in a browser that finds WeCom's hosts in the
// simulator.

import assert from "node:assert/strict";

import { stage } from "../story.js";

const WECOM = "https://login.work.weixin.qq.com";
const PAGE = "/login?element=auths.loginTypes.Official";

const story = stage(undefined, async () => ({
  flags: ["--wecom-tls"],
  instances: { Official: { loginBase: undefined, oauthBase: undefined } },
}));

async function assertLead(person, zh, en) {
  const words = person.say(zh, en);
  await person.page.locator(`[data-testid=sign-in-lead]:text-is(${JSON.stringify(words)})`).waitFor();
}

const SCAN = ["用手机上的企业微信扫描二维码，再在手机上确认登录。", "Scan the code with WeCom on your phone, then confirm there."];
const QUICK = [
  "这台电脑上的企业微信已经登录，点一下就能进入；也可以扫码。",
  "WeCom is signed in on this computer: one click is enough. Scanning works too.",
];

/** The frame in sight, with its page in it. */
async function panelOf(person) {
  await person.frame.locator("#qr svg").waitFor();
  const frames = person.page.locator("[data-testid=sign-in-panel] div:not([inert]) > iframe");
  assert.equal(await frames.count(), 1);
  return new URL(await frames.getAttribute("src"));
}

const stateOf = async (person) => new URL(await person.see("sign-in-link").getAttribute("href")).searchParams.get("state");

story("a phone scans the panel's code; the page brings code and state to the redirect address", async ({ visit, demo }) => {
  const computer = await visit();
  await computer.open(`${PAGE}&return_to=%2F%3Ffrom%3Dmail`);
  await assertLead(computer, ...SCAN);
  const { origin, searchParams } = await panelOf(computer);
  assert.equal(origin, WECOM);
  assert.equal(searchParams.get("redirect_type"), "callback");
  assert.equal(searchParams.get("version"), "2.4.4");
  assert.equal(searchParams.get("lang"), computer.say("zh", "en"));
  const redirect = computer.page.waitForRequest((request) => request.url().startsWith(`${demo.url}/auth/wecom/callback?`));

  const phone = await visit({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const scanned = new URL(await computer.frame.locator("#qr").getAttribute("href"));
  await phone.page.goto(scanned.href);
  await phone.page.locator('[data-userid="lisi"]').click();
  await phone.page.locator("#confirm").click();

  const { searchParams: brought } = new URL((await redirect).url());
  assert.equal(brought.get("state"), searchParams.get("state"));
  await computer.see("signed-in-userid").waitFor();
  computer.assertAt("/?from=mail");
  assert.equal((await computer.me()).body.userId, "lisi");
  await phone.assertNotSignedIn();
});

story("who is signed in to WeCom on this computer needs one click, and is told so", async ({ visit, demo }) => {
  await demo.desktopOf("zhangsan");
  const person = await visit();
  await person.open(PAGE);
  await assertLead(person, ...QUICK);
  await person.frame.locator("#quick").click();
  await person.assertSignedIn("zhangsan");
});

story("who says no may begin anew in the panel", async ({ visit }) => {
  const person = await visit();
  await person.open(PAGE);
  await person.frame.locator("#decline").click();
  await person.frame.locator("#again").click();
  await person.signInThroughFrame("zhangsan");
  await person.assertSignedIn("zhangsan");
});

story("a member outside the scope gets the same page as by the link", async ({ visit }) => {
  const person = await visit();
  await person.open(PAGE);
  await person.signInThroughFrame("chenjiu");
  await person.assertProblem(60111);
});

story("a domain that WeCom's console lacks is told with what to enter there", async ({ visit, demo }) => {
  await demo.setApp(1000002, { login_domains: ["portal.example.com"], oauth_domains: [] });
  const person = await visit();
  await person.open(PAGE);
  await person.assertTrouble(710333, [new URL(demo.url).host]);
  assert.equal(await person.trouble.getByTestId("trouble-number").innerText(), "-31020");

  await demo.setApp(1000002, { login_domains: [new URL(demo.url).host] });
  await person.trouble.getByTestId("trouble-retry").click();
  await person.signInThroughFrame("zhangsan");
  await person.assertSignedIn("zhangsan");
});

story("with the panel's script blocked a link stands in its place, and works", async ({ visit }) => {
  const person = await visit();
  await person.page.route("**/assets/wecom-jssdk-*", (route) => route.abort());
  await person.open(PAGE);
  await person.assertTrouble(710331, [WECOM]);
  person.forgive();
  const link = person.page.locator(".wecom-login-link");
  assert.equal(await link.innerText(), person.say("用企业微信登录", "Sign in with WeCom"));
  await link.click();
  await person.signInAtWecom("zhangsan");
  await person.assertSignedIn("zhangsan");
});

story("with WeCom's host out of reach the link takes its place, and the panel comes back by itself", async ({ visit }) => {
  const person = await visit();
  person.forgive();
  await person.page.clock.install();
  await person.page.route(`${WECOM}/**`, (route) => route.abort());
  await person.open(PAGE);
  await person.page.locator("[data-testid=sign-in-panel] iframe").waitFor();
  await person.page.clock.runFor(11_000);
  await person.assertTrouble(710331, [WECOM]);
  assert.equal(await person.page.locator(".wecom-login-link").isVisible(), true);

  await person.page.unroute(`${WECOM}/**`);
  await person.page.clock.runFor(75_000);
  await panelOf(person);
  assert.equal(await person.trouble.count(), 0);
  assert.equal(await person.page.locator(".wecom-login-link").isVisible(), false);
  await person.signInThroughFrame("zhangsan");
  await person.assertSignedIn("zhangsan");
});

story("without script the plain link signs in", async ({ visit }) => {
  const person = await visit({ javaScriptEnabled: false });
  await person.open(PAGE);
  assert.equal(await person.trouble.count(), 0);
  await person.see("sign-in-button").click();
  await person.signInAtWecom("zhangsan");
  await person.assertSignedIn("zhangsan");
});

story("a page left open gets new codes in time, and still leads where it was to lead", async ({ visit }) => {
  const person = await visit();
  await person.page.clock.install();
  await person.open(`${PAGE}&return_to=%2F%3Ffrom%3Dmail`);
  const first = (await panelOf(person)).searchParams.get("state");
  assert.equal(await stateOf(person), first);
  const oldFrame = await person.page.locator("[data-testid=sign-in-panel] iframe").elementHandle();
  await person.page.evaluate(() => {
    // Whether there was a moment without a panel in sight.
    window.gaps = 0;
    const look = () => {
      if (document.querySelector("[data-testid=sign-in-panel] div:not([inert]) > iframe") === null) window.gaps += 1;
    };
    new MutationObserver(look).observe(document.getElementById("panel"), { subtree: true, childList: true, attributes: true });
  });

  await person.page.clock.fastForward(8 * 60_000);
  await person.page.waitForFunction((first) => !document.getElementById("sign-in-link").href.includes(first), first);
  const second = (await panelOf(person)).searchParams.get("state");
  assert.notEqual(second, first);
  assert.equal(await stateOf(person), second);
  assert.equal(await person.page.evaluate(() => window.gaps), 0);

  // Whoever had scanned the first code may still confirm, until its state expires; and it is that state which goes with it.
  const redirect = person.page.waitForRequest((request) => new URL(request.url()).pathname === "/auth/wecom/callback");
  const before = await oldFrame.contentFrame();
  await before.waitForSelector("#qr svg", { state: "attached" });
  await before.evaluate(() => document.querySelector('[data-userid="lisi"]').click());
  await before.waitForSelector("#confirm", { state: "attached" });
  await before.evaluate(() => document.getElementById("confirm").click());
  assert.equal(new URL((await redirect).url()).searchParams.get("state"), first);
  await person.see("signed-in-userid").waitFor();
  person.assertAt("/?from=mail");
  assert.equal((await person.me()).body.userId, "lisi");
});

story("a page left open overnight asks for nothing while nobody looks, and works when somebody does", async ({ visit, demo }) => {
  const person = await visit();
  await person.page.clock.install();
  await person.open(`${PAGE}&return_to=%2F%3Ffrom%3Dmail`);
  const first = (await panelOf(person)).searchParams.get("state");
  let asked = 0;
  person.page.on("request", (request) => (asked += request.method() === "POST" ? 1 : 0));

  await person.becomes("hidden");
  await demo.pass(9 * 3600);
  await person.page.clock.fastForward(9 * 3600 * 1000);
  assert.equal(asked, 0);
  await person.becomes("visible");
  await person.page.waitForFunction((first) => !document.getElementById("sign-in-link").href.includes(first), first);
  await panelOf(person);
  assert.equal(asked, 1);
  await person.signInThroughFrame("zhangsan");
  await person.see("signed-in-userid").waitFor();
  person.assertAt("/?from=mail");
});

story("a page that cannot get a new code says so, and mends itself when the network is back", async ({ visit, demo }) => {
  const person = await visit();
  person.forgive();
  await person.page.clock.install();
  await person.open(PAGE);
  await panelOf(person);
  await person.context.setOffline(true);
  await demo.pass(10 * 60 + 30);
  await person.page.clock.fastForward((10 * 60 + 30) * 1000);
  await person.trouble.waitFor();
  assert.equal(await person.trouble.getByTestId("trouble-code").innerText(), "710334");

  await person.context.setOffline(false);
  await person.trouble.waitFor({ state: "detached" });
  await panelOf(person);
  await person.signInThroughFrame("zhangsan");
  await person.assertSignedIn("zhangsan");
});

story("whoever signed in in another tab is not asked again", async ({ visit, demo }) => {
  const first = await visit();
  await first.page.clock.install();
  await first.open(PAGE);
  await panelOf(first);
  const second = Object.assign(Object.create(first), { page: await first.context.newPage() });
  await second.open(PAGE);
  await second.signInThroughFrame("lisi");
  await second.assertSignedIn("lisi");

  await first.page.bringToFront();
  await demo.pass(9 * 60);
  await first.page.clock.fastForward(9 * 60 * 1000);
  await first.assertSignedIn("lisi");
});
