import assert from "node:assert/strict";

import { stage } from "../story.js";

const story = stage();

async function assertHome(visitor) {
  const shown = (hook) => visitor.see(hook).innerText();
  assert.equal(await shown("signed-in-name"), "张三");
  assert.equal(await shown("position"), "后台工程师");
  assert.deepEqual(await visitor.see("departments").getByRole("listitem").allInnerTexts(), ["云帆科技", "研发中心"]);
  assert.equal(await shown("company"), "ww5ca1ab1e5ca1ab1e");
  assert.equal(await shown("element"), "auths.loginTypes.QywxInnerExample");
  assert.equal(await shown("sign-out"), visitor.say("退出登录", "Sign out"));
  const [from, to] = await Promise.all(
    ["signed-in-at", "session-end"].map(async (hook) => Date.parse(await visitor.see(hook).getAttribute("datetime"))),
  );
  assert.ok(from < to, "the session ends after it began");
}

story("a person scans nothing, picks a name in the frame, and is in", async ({ visit }) => {
  const person = await visit();
  await person.open("/");
  assert.equal(new URL(person.page.url()).pathname, "/login");
  assert.equal(await person.see("sign-in-title").innerText(), person.say("登录 云帆工作台", "Sign in to 云帆工作台"));
  await person.frame.locator("#qr svg").waitFor();

  await person.signInThroughFrame("zhangsan");
  await person.assertSignedIn("zhangsan");
  await assertHome(person);
  const { body } = await person.me();
  assert.equal(body.name, "张三");
  assert.deepEqual(body.departmentNames, ["云帆科技", "研发中心"]);

  await person.page.reload();
  await person.assertSignedIn("zhangsan");
});

story("the same on WeCom's own page, by the plain link", async ({ visit }) => {
  const person = await visit();
  await person.open("/login");
  await person.signInThroughLink("zhangsan");
  await person.assertSignedIn("zhangsan");
  await assertHome(person);
});

story("a phone scans the code, and the computer goes on by itself", async ({ visit }) => {
  const computer = await visit();
  await computer.open("/login");
  const scanned = await computer.frame.locator("#qr").getAttribute("href");

  const phone = await visit({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await phone.page.goto(scanned);
  await phone.page.locator('[data-userid="lisi"]').click();
  await phone.page.locator("#confirm").click();
  assert.equal(await phone.page.locator("#title").innerText(), phone.say("登录已确认", "Sign-in confirmed"));

  await computer.assertSignedIn("lisi");
  await phone.assertNotSignedIn();
});

story("the sign-in page speaks the language that was chosen, and keeps it", async ({ visit }) => {
  const person = await visit();
  const [other, title, lang] = person.say(
    ["language-en", "Sign in to 云帆工作台", "en"],
    ["language-zh", "登录 云帆工作台", "zh-CN"],
  );
  await person.open("/login");
  await person.see(other).click();
  await person.page.locator(`html[lang="${lang}"]`).waitFor();
  assert.equal(await person.see("sign-in-title").innerText(), title);
  assert.equal(await person.frame.locator("html").getAttribute("lang"), lang);
  await person.open("/login");
  assert.equal(await person.page.locator("html").getAttribute("lang"), lang);
  assert.equal(await person.see("sign-in-title").innerText(), title);
});

story("a language chosen on any page is kept at the next click", async ({ visit }) => {
  const person = await visit();
  const choose = async (path, lang) => {
    await person.open(`${path}?lang=${lang === "en" ? "en" : "zh"}`);
    await person.page.locator(`html[lang="${lang}"]`).waitFor();
  };
  const click = async (hook, next, lang) => {
    await person.see(hook).click();
    await person.see(next).waitFor();
    await person.page.waitForLoadState();
    assert.equal(await person.page.locator("html").getAttribute("lang"), lang);
  };
  const [other, own] = person.say(["en", "zh-CN"], ["zh-CN", "en"]);
  await person.signIn();
  await choose("/", other);
  await click("sign-out", "signed-out-title", other);
  await click("sign-in-again", "sign-in-title", other);
  await choose("/nothing", own);
  await click("problem-retry", "sign-in-title", own);
});

story("on a narrow screen people and buttons are in view in WeCom's frame", async ({ visit }) => {
  const person = await visit({ viewport: { width: 390, height: 844 } });
  const inView = async (selector) => {
    const element = person.frame.locator(selector);
    await element.waitFor();
    const share = await element.evaluate(
      (seen) => new Promise((tell) => new IntersectionObserver(([{ intersectionRatio }]) => tell(intersectionRatio)).observe(seen)),
    );
    assert.equal(share, 1, selector);
  };
  await person.open("/login");
  for (const selector of ["#qr svg", "#search", '[data-userid="zhangsan"]', '[data-userid="lisi"]', "#non-member", "#decline"]) {
    await inView(selector);
  }
  await person.frame.locator('[data-userid="zhangsan"]').click();
  for (const selector of ["#who", "#confirm", "#someone-else", "#decline"]) await inView(selector);
});

story("everything can be reached and done by keyboard", async ({ visit }) => {
  const person = await visit();
  await person.open("/login");
  await person.frame.locator("#qr svg").waitFor();
  const tabTo = async (locator) => {
    for (let presses = 0; presses < 40; presses += 1) {
      if (await locator.evaluate((element) => element === element.ownerDocument.activeElement)) return;
      await person.page.keyboard.press("Tab");
    }
    assert.fail(`40 presses of Tab do not reach ${locator}`);
  };
  await tabTo(person.frame.locator('[data-userid="zhangsan"]'));
  await person.page.keyboard.press("Enter");
  await person.frame.locator("#confirm").waitFor();
  await tabTo(person.frame.locator("#confirm"));
  await person.page.keyboard.press("Enter");
  await person.assertSignedIn("zhangsan");
  await tabTo(person.see("sign-out"));
  await person.page.keyboard.press("Enter");
  await person.see("signed-out-title").waitFor();
});
