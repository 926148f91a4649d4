// A walk through every page that people see, for whoever looks at all of them: pictures, and the check for accessibility.

import { CLIENTS } from "./user_agents.js";

/** WeCom's failures, and the page of each. 60020 comes last: our side remembers it for five seconds. */
const FAULTS = {
  "wecom-unreachable": { kind: "status", code: 500 },
  "wecom-busy": { kind: "errcode", code: -1 },
  "wecom-limit": { kind: "errcode", code: 45009 },
  "wecom-secret": { kind: "errcode", code: 40001 },
  "wecom-ip": { kind: "errcode", code: 60020 },
};

const OFFICIAL = "/login?element=auths.loginTypes.Official";

/** What `walk` needs: the flags of the demo, and instances beside its own. */
export const setting = {
  flags: ["--wecom-tls"],
  instances: {
    Official: { loginBase: undefined, oauthBase: undefined },
    Page: (demo) => ({ callback: "page", redirectUri: `${demo.url}/app/done` }),
  },
};

/** Opens each page in turn and calls `look(name, page)` when it is there. `arrive` gives a new visitor with Playwright's options. */
export async function walk(demo, arrive, look) {
  // What the walk before this one ended with, ten seconds ahead (below), is forgotten.
  await demo.pass(30);
  const person = await arrive();
  const see = async (name) => {
    await look(name, person.page);
  };
  const seeProblem = async (name) => {
    await person.see("problem-title").waitFor();
    await see(`problem-${name}`);
  };
  const begin = async (visitor = person) => {
    await visitor.open(OFFICIAL);
    await visitor.frame.locator("#qr svg").waitFor();
  };
  const attempt = async (userid) => {
    await begin();
    await person.signInThroughFrame(userid);
  };

  await person.open("/login");
  await person.see("choice").first().waitFor();
  await see("choose");
  await begin();
  await see("sign-in");
  await demo.desktopOf("zhangsan");
  await begin();
  await person.frame.locator("#quick").waitFor();
  await see("sign-in-quick");
  await demo.desktopOf(null);
  await attempt("zhangsan");
  await person.see("signed-in-name").waitFor();
  await see("home");
  await person.open("/login?bind=1");
  await person.see("choice").first().waitFor();
  await see("choose-binding");
  await person.open(`${OFFICIAL}&bind=1`);
  await person.frame.locator("#qr svg").waitFor();
  await see("binding");
  await person.signInThroughFrame("sunba");
  await person.see("bound-notice").waitFor();
  await see("home-bound");
  await seeBindingInside(demo, arrive, look);
  await person.signOut();
  await see("signed-out");

  await seeTroubles(demo, arrive, look);
  await person.open("/login?element=auths.loginTypes.Page");
  const state = new URL(await person.see("sign-in-link").getAttribute("href")).searchParams.get("state");
  await person.open(`/app/done?code=never-issued&state=${state}`);
  await person.trouble.waitFor();
  await see("callback-failed");

  await person.open(`/auth/wecom/callback?state=${"x".repeat(32)}`);
  await seeProblem("declined");
  await begin();
  await person.frame.locator("#non-member").click();
  await person.frame.locator("#confirm").click();
  await seeProblem("not-a-member");
  await attempt("chenjiu");
  await seeProblem("outside-scope");
  await attempt("zhaoliu");
  await seeProblem("disabled");
  await person.open("/login?return_to=https%3A%2F%2Felsewhere.example%2F");
  await seeProblem("return-to");
  await person.open(`/auth/wecom/callback?code=abc&state=${"x".repeat(32)}`);
  await seeProblem("unknown-state");
  await person.open("/login?element=nothing");
  await seeProblem("no-such-sign-in");
  await person.open("/nothing");
  await seeProblem("no-such-page");

  const stranger = await arrive();
  await begin(stranger);
  const link = new URL(await stranger.see("sign-in-link").getAttribute("href"));
  const code = await demo.codeFor("lisi", link.searchParams.get("agentid"));
  await person.open(`/auth/wecom/callback?code=${code}&state=${link.searchParams.get("state")}`);
  await seeProblem("other-browser");

  for (const [name, fault] of Object.entries(FAULTS)) {
    await demo.fail("auth/getuserinfo", fault);
    await attempt("lisi");
    await seeProblem(name);
    await demo.clearFaults();
  }
  person.assertNothingOdd();
}

/** The page for binding inside WeCom, and what it comes to without its cookie. */
async function seeBindingInside(demo, arrive, look) {
  await demo.deviceBelongsTo("zhangsan");
  const client = await arrive({ userAgent: CLIENTS.Android });
  await client.open(OFFICIAL);
  await client.see("signed-in-name").waitFor();
  await client.open(`${OFFICIAL}&bind=1`);
  await client.see("binding-leave").waitFor();
  await look("binding-inside", client.page);
  const link = new URL(await client.see("sign-in-link").getAttribute("href"));
  await client.context.clearCookies({ name: /^wecom_login_flow_/ });
  await client.open(`/auth/wecom/callback?code=abc&state=${link.searchParams.get("state")}`);
  await client.see("problem-title").waitFor();
  await look("problem-binding-lost", client.page);
  await demo.deviceBelongsToNobody();
}

/** What may go wrong in the panel. */
async function seeTroubles(demo, arrive, look) {
  const blocked = await arrive();
  blocked.forgive();
  await blocked.page.route("**/assets/wecom-jssdk-*", (route) => route.abort());
  await blocked.open(OFFICIAL);
  await blocked.trouble.waitFor();
  await look("sign-in-blocked", blocked.page);

  await demo.setApp(1000002, { login_domains: ["portal.example.com"], oauth_domains: [] });
  const elsewhere = await arrive();
  await elsewhere.open(OFFICIAL);
  await elsewhere.trouble.waitFor();
  await look("sign-in-domain", elsewhere.page);
  await demo.resetWecom();
  // That took the time back, too.
  await demo.pass(10);

  const lost = await arrive();
  lost.forgive();
  await lost.page.clock.install();
  await lost.open(OFFICIAL);
  await lost.frame.locator("#qr svg").waitFor();
  await lost.page.route(`${demo.url}/login?*`, (route) => route.abort());
  await lost.page.clock.fastForward(11 * 60_000);
  await lost.trouble.waitFor();
  await look("sign-in-lost", lost.page);

  const plain = await arrive({ javaScriptEnabled: false });
  await plain.open(OFFICIAL);
  await look("sign-in-without-script", plain.page);
}
