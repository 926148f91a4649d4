// WeCom's own login panel against the simulator: the official SDK, unmodified, on WeCom's own hosts.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { launch } from "../chromium.js";
import { Demo } from "../demo.js";
import { heard, Portal, showPanel, WECOM } from "../panel.js";
import { Watch } from "../watch.js";

const APP = { login_type: "CorpApp", appid: "ww5ca1ab1e5ca1ab1e", agentid: "1000002" };

let demo;
let browser;
let portal;
before(async () => {
  [demo, portal] = await Promise.all([Demo.start(["--wecom-tls"]), Portal.open()]);
  browser = await launch({ wecom: demo.tls });
});
afterEach(() => demo.resetWecom());
after(async () => {
  await browser?.close();
  await portal?.close();
  await demo?.stop();
});

/** A story with a page of the portal; whatever is odd on a page fails it. `options` are Playwright's for a context. */
function story(name, body, { start = "/", ...options } = {}) {
  test(name, { timeout: 60_000 }, async () => {
    const context = await browser.newContext({ locale: "zh-CN", ...options });
    context.setDefaultTimeout(15_000);
    const elsewhere = `http://localhost:${portal.port}`;
    const watch = new Watch(context, [portal.url, elsewhere, WECOM, "https://open.weixin.qq.com"]);
    try {
      const page = await context.newPage();
      await page.goto(new URL(start, portal.url).href);
      const params = { ...APP, redirect_uri: `${portal.url}/done?a=1`, state: "st4te" };
      await body({ page, context, params, elsewhere });
      watch.assertNothingOdd();
    } finally {
      await context.close();
    }
  });
}

async function choose(frame, userid) {
  await frame.locator(`[data-userid="${userid}"]`).click();
  await frame.locator("#confirm").click();
}

function assertCameBack(url, portal) {
  const { origin, pathname, searchParams } = new URL(url);
  assert.equal(origin + pathname, `${portal.url}/done`);
  assert.deepEqual([...searchParams.keys()], ["a", "code", "state"]);
  assert.equal(searchParams.get("state"), "st4te");
  return searchParams.get("code");
}

story("callback: the page gets the code, and nothing but the code", async ({ page, params }) => {
  const frame = await showPanel(page, { ...params, redirect_type: "callback" });
  assert.deepEqual(await heard(page, "onCheckWeComLogin"), { isWeComLogin: false });
  assert.equal(await frame.locator("#quick").count(), 0);
  await choose(frame, "zhangsan");
  const { code, ...more } = await heard(page, "onLoginSuccess");
  assert.deepEqual(more, {});
  assert.equal((await demo.whoseCode(code)).userid, "zhangsan");
  assert.equal(page.url(), `${portal.url}/`);
  assert.equal(await page.evaluate(() => window.heard.length), 2);
});

story("callback: a phone scans, the page gets the code", async ({ page, context, params }) => {
  const frame = await showPanel(page, { ...params, redirect_type: "callback" });
  const scanned = await frame.locator("#qr").getAttribute("href");
  assert.equal(new URL(scanned).origin, WECOM);
  const phone = await context.newPage();
  await phone.goto(scanned);
  await phone.locator('[data-userid="lisi"]').click();
  await phone.locator("#confirm").click();
  assert.equal((await demo.whoseCode((await heard(page, "onLoginSuccess")).code)).userid, "lisi");
});

story("one click for whoever is signed in to the desktop client", async ({ page, params }) => {
  await demo.desktopOf("lisi");
  const frame = await showPanel(page, { ...params, redirect_type: "callback" });
  assert.deepEqual(await heard(page, "onCheckWeComLogin"), { isWeComLogin: true });
  assert.match(await frame.locator("#quick").innerText(), /李四/);
  await frame.locator("#quick").click();
  assert.equal((await demo.whoseCode((await heard(page, "onLoginSuccess")).code)).userid, "lisi");
});

story("top: the whole window goes back, out of the SDK's sandbox as well", async ({ page, params, elsewhere }) => {
  for (const from of [portal.url, elsewhere]) {
    await page.goto(from);
    const frame = await showPanel(page, { ...params, redirect_type: "top" });
    const sandboxed = await page.locator("iframe").getAttribute("sandbox");
    assert.equal(sandboxed !== null, from === elsewhere);
    assert.deepEqual(await heard(page, "onCheckWeComLogin"), { isWeComLogin: false });
    await choose(frame, "zhangsan");
    await page.waitForURL("**/done?**");
    assert.equal((await demo.whoseCode(assertCameBack(page.url(), portal))).userid, "zhangsan");
  }
});

story("self: the frame goes back, the page stays", async ({ page, params }) => {
  const frame = await showPanel(page, { ...params, redirect_type: "self" });
  await choose(frame, "zhangsan");
  await frame.locator("#panel").waitFor({ state: "attached" });
  const inner = page.frames().find((one) => one !== page.mainFrame());
  assert.equal((await demo.whoseCode(assertCameBack(inner.url(), portal))).userid, "zhangsan");
  assert.equal(page.url(), `${portal.url}/`);
});

story("who declines may begin again; the page hears nothing", async ({ page, params }) => {
  const frame = await showPanel(page, { ...params, redirect_type: "callback" });
  await frame.locator("#decline").click();
  await frame.locator("#again").click();
  await choose(frame, "zhangsan");
  await heard(page, "onLoginSuccess");
  assert.deepEqual(await page.evaluate(() => window.heard.map(([name]) => name)), ["onCheckWeComLogin", "onLoginSuccess"]);
});

story("a redirect address on a foreign domain fails with -31020", async ({ page, params }) => {
  const frame = await showPanel(page, { ...params, redirect_uri: "https://portal.example.com/cb" });
  const text = "redirect_uri 与配置的授权完成回调域名不一致";
  assert.deepEqual(await heard(page, "onLoginFail"), { errCode: -31020, errMsg: text });
  assert.equal(await frame.locator("#title").innerText(), text);
  assert.equal(await frame.locator("code").innerText(), "portal.example.com");
});

story("a panel on a foreign page fails with -31039 and never tells a code", async ({ page, params, elsewhere }) => {
  await demo.setApp(1000002, { oauth_domains: [], login_domains: [new URL(portal.url).host] });
  await page.goto(elsewhere);
  const frame = await showPanel(page, { ...params, redirect_type: "callback" });
  assert.equal((await heard(page, "onLoginFail")).errCode, -31039);
  assert.equal(await frame.locator("code").innerText(), new URL(elsewhere).host);
  assert.equal(await frame.locator("#confirm, [data-userid]").count(), 0);
});

story("size, language and colours are the panel's", async ({ page, params }) => {
  const frame = await showPanel(page, { ...params, panel_size: "small", lang: "en", color_scheme: "dark" });
  const { width, height } = await page.locator("iframe").boundingBox();
  assert.deepEqual([width, height], [320, 380]);
  assert.equal(await frame.locator("html").getAttribute("lang"), "en");
  const background = () => frame.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
  assert.equal(await background(), "rgb(26, 32, 42)");
  await choose(frame, "zhangsan");
  await page.waitForURL("**/done?**");
});

story("a page of an unknown version hears the same without the channel", async ({ page, params }) => {
  await page.evaluate(([origin, query]) => {
    window.heard = [];
    addEventListener("message", (event) => {
      if (event.origin !== origin) return;
      const { type, args } = JSON.parse(event.data);
      window.heard.push(type.endsWith(":ready") ? ["ready", JSON.parse(event.data)] : [args.name, args.payload]);
    });
    const frame = Object.assign(document.createElement("iframe"), { name: "wecom", referrerPolicy: "origin" });
    frame.src = `${origin}/wwlogin/sso/login?${query}`;
    document.body.append(frame);
  }, [WECOM, new URLSearchParams({ ...params, redirect_type: "callback", version: "next" }).toString()]);
  assert.equal((await heard(page, "ready")).supportChannel, false);
  assert.deepEqual(await heard(page, "onCheckWeComLogin"), { isWeComLogin: false });
  await choose(page.frameLocator("iframe[name=wecom]"), "zhangsan");
  assert.deepEqual(Object.keys(await heard(page, "onLoginSuccess")), ["code"]);
});

story("the sign-in page by itself, at WeCom's own address", async ({ page, params }) => {
  await page.goto(`${WECOM}/wwlogin/sso/login?${new URLSearchParams(params)}`);
  await choose(page, "zhangsan");
  await page.waitForURL("**/done?**");
  assert.equal((await demo.whoseCode(assertCameBack(page.url(), portal))).userid, "zhangsan");
});

story(
  "inside the client, at WeCom's own address: the phone is known from then on",
  async ({ page, params }) => {
    const query = { appid: APP.appid, redirect_uri: params.redirect_uri, response_type: "code", scope: "snsapi_base" };
    const link = `https://open.weixin.qq.com/connect/oauth2/authorize?${new URLSearchParams({ ...query, state: "st4te", agentid: APP.agentid })}#wechat_redirect`;
    await page.goto(link);
    await page.locator('[data-userid="lisi"]').click();
    await page.waitForURL("**/done?**");
    assert.equal((await demo.whoseCode(assertCameBack(page.url(), portal))).userid, "lisi");
    await page.goto(link);
    assert.equal((await demo.whoseCode(assertCameBack(page.url(), portal))).userid, "lisi");
  },
  { userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/116 Safari/537.36 wxwork/4.1.30 MicroMessenger/7.0.1 Language/zh" },
);
