import assert from "node:assert/strict";

import { problem } from "./words.js";
import { Watch } from "./watch.js";

/** Longest wait for anything on a page, in milliseconds; a page that is right takes a fraction of it. */
const PATIENCE = 15_000;

/** WeCom's own hosts, where the browser finds the simulator (see `launch`). */
const WECOM = ["https://login.work.weixin.qq.com", "https://open.weixin.qq.com"];

/** A person with a browser of their own: cookies, language, a page. */
export class Visitor {
  #watch;

  /** `options` are Playwright's for a context: userAgent, viewport, colorScheme and so on. */
  static async arrive(browser, demo, language, options = {}) {
    const context = await browser.newContext({ locale: language, timezoneId: "Asia/Shanghai", ...options });
    context.setDefaultTimeout(PATIENCE);
    const visitor = new Visitor();
    const origins = [demo.url, demo.wecom, ...(demo.origins ?? []), ...(demo.tls ? WECOM : [])];
    visitor.#watch = new Watch(context, origins);
    return Object.assign(visitor, { demo, language, context, page: await context.newPage() });
  }

  async leave() {
    await this.context.close();
  }

  /** Fails when a page of this visitor did what no page may do; see watch.js. */
  assertNothingOdd() {
    this.#watch.assertNothingOdd();
  }

  /** From here on nothing counts as odd: for the watch's own test. */
  forgive() {
    this.#watch.end();
  }

  /** One text of two, by the visitor's language. */
  say(zh, en) {
    return this.language === "en" ? en : zh;
  }

  /** The element with that hook on the page. */
  see(hook) {
    return this.page.getByTestId(hook);
  }

  /** Opens a path of the server. */
  async open(path) {
    return this.page.goto(new URL(path, this.demo.url).href);
  }

  /** WeCom's page inside the sign-in page. */
  get frame() {
    return this.page.frameLocator("[data-testid=sign-in-panel] div:not([inert]) > iframe");
  }

  /** What went wrong in the panel, as the sign-in page tells it. */
  get trouble() {
    return this.page.locator("[data-testid=trouble]:not([hidden])");
  }

  /** The page tells of that trouble in full (see words.js), with a number to find the request in the log by. */
  async assertTrouble(code, details = []) {
    await this.trouble.waitFor();
    const shown = async (hook) => (await this.trouble.getByTestId(hook).innerText()).trim();
    const { who, ...words } = problem(code, this.language);
    const page = {
      title: await shown("trouble-title"),
      meaning: await shown("trouble-meaning"),
      whoName: await shown("trouble-who"),
      how: await shown("trouble-how"),
    };
    assert.deepEqual(page, words);
    assert.equal(await this.trouble.getByTestId("trouble-who").getAttribute("data-who"), who);
    assert.equal(await shown("trouble-code"), String(code));
    const values = await this.trouble.getByTestId("trouble-details").locator("dd").allInnerTexts();
    assert.deepEqual(values, details);
    const requestId = await shown("trouble-request");
    assert.match(requestId, /^[0-9a-f]{32}$/);
    assert.ok(this.demo.log.includes(requestId), "the log has the request's number");
    await this.assertNotSignedIn();
  }

  /** Whether anybody sees the page, as a browser tells it when tabs are switched or the screen is locked. */
  async becomes(visibility) {
    await this.page.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
      Object.defineProperty(document, "hidden", { configurable: true, get: () => state === "hidden" });
      document.dispatchEvent(new Event("visibilitychange"));
    }, visibility);
  }

  /** From the sign-in page to the next one, in its frame. */
  async signInThroughFrame(userid) {
    await this.frame.locator(`[data-userid="${userid}"]`).click();
    await this.frame.locator("#confirm").click();
  }

  /** From the sign-in page to the next one, on WeCom's own page. */
  async signInThroughLink(userid) {
    await this.see("sign-in-link").click();
    await this.signInAtWecom(userid);
  }

  /** From WeCom's own page to the next one. */
  async signInAtWecom(userid) {
    await this.page.locator(`[data-userid="${userid}"]`).click();
    await this.page.locator("#confirm").click();
  }

  /** Opens the sign-in page, signs in and waits for the page of whoever is signed in. */
  async signIn(userid = "zhangsan") {
    await this.open("/login");
    await this.signInThroughFrame(userid);
    await this.assertSignedIn(userid);
  }

  /** The page names the member, at a clean address, and /me agrees. */
  async assertSignedIn(userid = "zhangsan") {
    await this.see("signed-in-userid").waitFor();
    assert.equal(await this.see("signed-in-userid").innerText(), userid);
    this.assertAt("/");
    const me = await this.me();
    assert.equal(me.status, 200);
    assert.equal(me.body.userId, userid);
  }

  /**
   * The address is exactly that path and query of the server. An empty fragment may follow: inside WeCom it takes the
   * place of `#wechat_redirect`, which OAuth links end in and redirects inherit (RFC 9110, 10.2.2).
   */
  assertAt(path) {
    assert.equal(this.page.url().replace(/#$/, ""), `${this.demo.url}${path}`);
  }

  /** The cookie of the session as the browser keeps it. */
  async sessionCookie() {
    return (await this.context.cookies()).find(({ name }) => name === "wecom_login_session");
  }

  async assertNotSignedIn() {
    const me = await this.me();
    assert.equal(me.status, 401);
    assert.equal(me.body.errcode, 710301);
  }

  /** GET /me with the browser's cookies, as a program asks. */
  async me() {
    const response = await this.context.request.get(`${this.demo.url}/me`);
    return { status: response.status(), body: await response.json() };
  }

  async signOut() {
    await this.see("sign-out").click();
    await this.see("signed-out-title").waitFor();
  }

  /**
   * The page explains the failure with that number in full (see words.js) and gives a number to find the request in
   * the log by; nobody is signed in, or only `signedIn` is, as before. `details` are the values that whoever acts will need, as
   * patterns.
   */
  async assertProblem(code, details = [], { signedIn } = {}) {
    await this.see("problem-title").waitFor();
    const shown = async (hook) => (await this.see(hook).innerText()).trim();
    const { who, ...words } = problem(code, this.language);
    const page = {
      title: await shown("problem-title"),
      meaning: await shown("problem-meaning"),
      whoName: await shown("problem-who"),
      how: await shown("problem-how"),
    };
    assert.deepEqual(page, words);
    assert.equal(await this.see("problem-who").getAttribute("data-who"), who);
    assert.equal(await shown("problem-code"), String(code));
    const values = await this.see("problem-details").locator("dd").allInnerTexts();
    assert.equal(values.length, details.length, `details: ${values}`);
    details.forEach((pattern, at) => assert.match(values[at], pattern));
    assert.equal(await this.page.locator("html").getAttribute("lang"), this.language);
    const requestId = await shown("request-id");
    assert.match(requestId, /^[0-9a-f]{32}$/);
    assert.ok(this.demo.log.includes(requestId), "the log has the request's number");
    if (signedIn === undefined) await this.assertNotSignedIn();
    else assert.equal((await this.me()).body.userId, signedIn);
  }

  /** "Try again" leads to a sign-in page. */
  async tryAgain() {
    assert.equal(await this.see("problem-retry").innerText(), this.say("再试一次", "Try again"));
    await this.see("problem-retry").click();
    await this.see("sign-in-title").waitFor();
  }
}
