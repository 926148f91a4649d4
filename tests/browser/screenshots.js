// Pictures of every page that people see, for whoever designs them: target/screenshots/<language>-<width>/<page>.png

import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { launch } from "./chromium.js";
import { Demo } from "./demo.js";
import { Visitor } from "./visitor.js";

const FOLDER = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));
const LANGUAGES = ["zh-CN", "en"];
const SIZES = [
  { width: 1280, height: 900 },
  { width: 390, height: 844 },
];

async function takeAll(demo, browser, language, viewport) {
  const folder = path.join(FOLDER, `${language}-${viewport.width}`);
  await mkdir(folder, { recursive: true });
  const person = await Visitor.arrive(browser, demo, language, { viewport });
  const take = (name, page = person.page) => page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
  const takeProblem = async (name) => {
    await person.see("problem-title").waitFor();
    await take(`problem-${name}`);
  };
  const attempt = async (userid) => {
    await person.open("/login");
    await person.signInThroughFrame(userid);
  };

  await person.open("/login");
  await person.frame.locator("#qr svg").waitFor();
  await take("sign-in");
  const wecom = await person.see("sign-in-link").getAttribute("href");
  const scan = await person.frame.locator("#qr").getAttribute("href");
  await person.frame.locator('[data-userid="zhangsan"]').click();
  await person.frame.locator("#confirm").waitFor();
  await take("sign-in-confirm");
  await person.frame.locator("#confirm").click();
  await person.see("signed-in-name").waitFor();
  await take("home");
  await person.signOut();
  await take("signed-out");

  await person.page.goto(wecom);
  await take("wecom-sign-in");
  await person.page.locator('[data-userid="zhangsan"]').click();
  await person.page.locator("#confirm").waitFor();
  await take("wecom-confirm");
  await person.page.goto(scan);
  await take("wecom-phone");
  await person.page.locator('[data-userid="zhangsan"]').click();
  await person.page.locator("#confirm").click();
  await person.page.locator("#title").waitFor();
  await take("wecom-phone-done");
  const wrong = new URL(wecom);
  wrong.searchParams.set("redirect_uri", "https://elsewhere.example/");
  await person.page.goto(wrong.href);
  await take("wecom-wrong-domain");

  await person.open("/login");
  await person.frame.locator("#decline").click();
  await takeProblem("declined");
  await person.open("/login");
  await person.frame.locator("#non-member").click();
  await person.frame.locator("#confirm").click();
  await takeProblem("not-a-member");
  await attempt("chenjiu");
  await takeProblem("outside-scope");
  await attempt("zhaoliu");
  await takeProblem("disabled");
  await person.open("/login?return_to=https%3A%2F%2Felsewhere.example%2F");
  await takeProblem("return-to");
  await person.open(`/auth/wecom/callback?code=abc&state=${"x".repeat(32)}`);
  await takeProblem("unknown-state");
  await person.open("/login?element=nothing");
  await takeProblem("no-such-sign-in");
  await person.open("/nothing");
  await takeProblem("no-such-page");

  const faults = {
    "wecom-unreachable": { kind: "status", code: 500 },
    "wecom-busy": { kind: "errcode", code: -1 },
    "wecom-limit": { kind: "errcode", code: 45009 },
    "wecom-secret": { kind: "errcode", code: 40001 },
  };
  for (const [name, fault] of Object.entries(faults)) {
    await demo.fail("auth/getuserinfo", fault);
    await attempt("lisi");
    await takeProblem(name);
    await demo.clearFaults();
  }

  const stranger = await Visitor.arrive(browser, demo, language, { viewport });
  await stranger.open("/login");
  const link = new URL(await stranger.see("sign-in-link").getAttribute("href"));
  const code = await demo.codeFor("lisi", link.searchParams.get("agentid"));
  await stranger.leave();
  await person.open(`/auth/wecom/callback?code=${code}&state=${link.searchParams.get("state")}`);
  await takeProblem("other-browser");

  const oauth = new URL("/connect/oauth2/authorize", demo.wecom);
  oauth.search = new URLSearchParams({
    appid: link.searchParams.get("appid"),
    redirect_uri: link.searchParams.get("redirect_uri"),
    response_type: "code",
    scope: "snsapi_privateinfo",
    state: "picture",
    agentid: link.searchParams.get("agentid"),
    lang: language === "en" ? "en" : "zh",
  });
  await person.page.goto(oauth.href);
  await take("wecom-outside-client");
  const client = await Visitor.arrive(browser, demo, language, { viewport, userAgent: "Mozilla/5.0 wxwork/4.1.36" });
  await client.page.goto(oauth.href);
  await take("wecom-whose-phone", client.page);
  await client.page.locator('[data-userid="zhangsan"]').click();
  await client.page.locator("#confirm").waitFor();
  await take("wecom-consent", client.page);
  await client.leave();

  const dark = await Visitor.arrive(browser, demo, language, { viewport, colorScheme: "dark" });
  await dark.open("/login");
  await dark.frame.locator("#qr svg").waitFor();
  await take("sign-in-dark", dark.page);
  await dark.signInThroughFrame("zhangsan");
  await dark.see("signed-in-name").waitFor();
  await take("home-dark", dark.page);
  await dark.leave();
  await person.leave();
}

/** WeCom's refusal of our address is remembered for a few seconds, so its pictures are taken last. */
async function takeAddressRefused(demo, browser, language, viewport) {
  const person = await Visitor.arrive(browser, demo, language, { viewport });
  await person.open("/login");
  await person.signInThroughFrame("lisi");
  await person.see("problem-title").waitFor();
  const file = path.join(FOLDER, `${language}-${viewport.width}`, "problem-wecom-ip.png");
  await person.page.screenshot({ path: file, fullPage: true });
  await person.leave();
}

const demo = await Demo.start();
const browser = await launch();
try {
  const views = LANGUAGES.flatMap((language) => SIZES.map((size) => [language, size]));
  for (const view of views) await takeAll(demo, browser, ...view);
  await demo.fail("auth/getuserinfo", { kind: "errcode", code: 60020 });
  for (const view of views) await takeAddressRefused(demo, browser, ...view);
  console.log(`pictures in ${FOLDER}`);
} finally {
  await browser.close();
  await demo.stop();
}
