// F21: the page for binding. Whoever scans its code gets into the account of the person who is signed in.

import assert from "node:assert/strict";

import { stage } from "../story.js";
import { CLIENTS } from "../user_agents.js";

const story = stage();
const PAGE = "/login?bind=1";

/** The page is the one for binding, and names this account and member. */
async function assertBindingPage(person, account = "zhangsan", name = "张三") {
  const title = person.say("绑定企业微信身份", "Bind a WeCom identity");
  assert.equal(await person.see("sign-in-title").innerText(), title);
  assert.ok((await person.page.title()).startsWith(title));
  assert.equal(await person.see("binding-account").innerText(), account);
  assert.equal(await person.see("binding-name").innerText(), name);
  const warning = await person.see("binding-warning").innerText();
  const end = person.say(`今后可以登录账号 ${account}（${name}）。`, `can sign in to the account ${account} (${name}).`);
  assert.ok(warning.includes(end), warning);
  assert.ok(warning.includes(person.say("不会让任何人登录或退出", "signs nobody in or out")), warning);
}

/** The person is who they were, in the same session. */
async function noted(person) {
  const [cookie, { body }] = [await person.sessionCookie(), await person.me()];
  return async () => {
    assert.deepEqual(await person.sessionCookie(), cookie);
    assert.deepEqual((await person.me()).body, body);
  };
}

/** The home page says once that this member was bound. */
async function assertBound(person, userid) {
  await person.see("bound-notice").waitFor();
  person.assertAt("/");
  assert.equal(await person.see("bound-userid").innerText(), userid);
  const notice = await person.see("bound-notice").innerText();
  assert.ok(notice.includes(person.say("今后可以登录你的账号", "can now sign in to your account")), notice);
  await person.page.reload();
  await person.see("signed-in-userid").waitFor();
  assert.equal(await person.see("bound-notice").count(), 0, "once");
}

async function accountOf(visit, userid) {
  const person = await visit();
  await person.signIn(userid);
  return (await person.me()).body.account.username;
}

/** Where WeCom sends the browser with that member's code, for the page that is open. */
async function redirectOf(person, userid) {
  const link = new URL(await person.see("sign-in-link").getAttribute("href"));
  const [state, agentid] = ["state", "agentid"].map((name) => link.searchParams.get(name));
  const redirect = new URL("/auth/wecom/callback", person.demo.url);
  redirect.search = new URLSearchParams({ code: await person.demo.codeFor(userid, agentid), state });
  return redirect.href;
}

story("F21: the page says what a scan does, the scan binds, and the person stays who they are", async ({ visit }) => {
  const person = await visit();
  await person.signIn("zhangsan");
  const assertUnchanged = await noted(person);
  await person.open(PAGE);
  await person.frame.locator("#qr svg").waitFor();
  await assertBindingPage(person);
  const lead = person.say("用要绑定的企业微信扫描二维码，再在手机上确认。", "Scan the code with the WeCom that you want to bind, then confirm on the phone.");
  assert.equal(await person.see("sign-in-lead").innerText(), lead);

  // Bindings stay, so each language has a member of its own, here and below.
  const userid = person.say("lisi", "wangwu");
  await person.signInThroughFrame(userid);
  await assertBound(person, userid);
  await assertUnchanged();
  assert.equal(await accountOf(visit, userid), "zhangsan");
});

story("F21: the page leads away without a binding, and its language link keeps it", async ({ visit }) => {
  const person = await visit();
  await person.signIn("zhangsan");
  await person.open(PAGE);
  const [other, title, back] = person.say(
    ["language-en", "Bind a WeCom identity", "language-zh"],
    ["language-zh", "绑定企业微信身份", "language-en"],
  );
  await person.see(other).click();
  await person.see("sign-in-title").getByText(title).waitFor();
  await person.see(back).click();
  await person.see("sign-in-title").getByText(person.say("绑定企业微信身份", "Bind a WeCom identity")).waitFor();
  await assertBindingPage(person);
  assert.equal(await person.see("binding-leave").innerText(), person.say("不绑定，返回首页", "Do nothing and go back"));
  await person.see("binding-leave").click();
  await person.assertSignedIn("zhangsan");
  assert.equal(await person.see("bound-notice").count(), 0);
});

story("F21: inside WeCom nobody is bound without a tap", async ({ visit, demo }) => {
  await demo.deviceBelongsTo("zhangsan");
  const person = await visit({ userAgent: CLIENTS.iOS, viewport: { width: 390, height: 844 } });
  await person.open("/login");
  await person.assertSignedIn("zhangsan");
  const assertUnchanged = await noted(person);

  const userid = person.say("qianqi", "sunba");
  await demo.deviceBelongsTo(userid);
  await person.open(PAGE);
  await person.see("sign-in-title").waitFor();
  person.assertAt(PAGE);
  await assertBindingPage(person);
  assert.doesNotMatch(await person.page.locator("main").innerText(), /扫|scan/i);
  assert.equal(await person.see("sign-in-link").innerText(), person.say("绑定这个成员", "Bind this member"));
  await person.see("sign-in-link").click();
  await assertBound(person, userid);
  await assertUnchanged();
  assert.equal(await accountOf(visit, userid), "zhangsan");
});

story("F15: at a shared computer the page for binding is about the account of who is there now", async ({ visit, demo }) => {
  await demo.deviceBelongsTo("zhangsan");
  const client = await visit({ userAgent: CLIENTS.Windows });
  await client.open("/login");
  await client.assertSignedIn("zhangsan");
  await demo.deviceBelongsTo("Ouyang.Na");
  await demo.pass(60);
  await client.open(PAGE);
  await client.see("sign-in-title").waitFor();
  client.assertAt(PAGE);
  await assertBindingPage(client, "Ouyang.Na", "欧阳娜");
  assert.equal((await client.me()).body.userId, "Ouyang.Na");
});

story("a redirect without the cookie of its binding binds nobody and signs nobody in", async ({ visit }) => {
  const person = await visit();
  await person.signIn("zhangsan");
  const assertUnchanged = await noted(person);
  await person.open(PAGE);
  const redirect = await redirectOf(person, "wu10");
  await person.context.clearCookies({ name: /^wecom_login_flow_/ });
  await person.page.goto(redirect);
  await person.assertProblem(710108, [], { signedIn: "zhangsan" });
  await assertUnchanged();
  await person.tryAgain();
  await assertBindingPage(person);

  const again = await redirectOf(person, "wu10");
  await person.context.clearCookies({ name: /^wecom_login_(flow_|session)/ });
  await person.page.goto(again);
  await person.assertProblem(710108);
});

story("an identity that is somebody else's stays theirs", async ({ visit }) => {
  const theirs = await visit();
  await theirs.signIn("Ouyang.Na");
  const person = await visit();
  await person.signIn("zhangsan");
  await person.open(PAGE);
  await person.signInThroughFrame("Ouyang.Na");
  await person.assertProblem(710106, [], { signedIn: "zhangsan" });
  await person.tryAgain();
  await assertBindingPage(person);
  assert.equal((await theirs.me()).body.account.username, "Ouyang.Na");
});

story("a page for binding that outlives its session binds nobody", async ({ visit }) => {
  const person = await visit();
  await person.signIn("zhangsan");
  await person.open(PAGE);
  await person.frame.locator("#qr svg").waitFor();
  const binding = person.page;
  person.page = await person.context.newPage();
  await person.open("/");
  await person.signOut();
  person.page = binding;
  await binding.bringToFront();
  await person.signInThroughFrame("wu10");
  await person.assertProblem(710107);
});
