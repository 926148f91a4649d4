// WeCom's panel on an app's own page, on another origin than the server's: mountLoginPanel of the served client.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after } from "node:test";

import { stage } from "../story.js";

const ELEMENT = "auths.loginTypes.Portal";

/** What the app's page says, after what became of the panel. */
const page = (server, language) => `<!doctype html><html lang="${language}"><meta charset="utf-8"><title>App</title>
<link rel="icon" href="data:,"><div id="panel" data-testid="sign-in-panel"></div><p data-testid="told">…</p>
<script type="module">
  import { mountLoginPanel } from "${server}/client.js";
  const tell = (text) => (document.querySelector("[data-testid=told]").textContent = text);
  try {
    window.panel = await mountLoginPanel("#panel", "${ELEMENT}", {
      colorScheme: "dark",
      size: "small",
      onCheckWeComLogin: ({ isWeComLogin }) => tell(isWeComLogin ? "one click" : "scan"),
      onSuccess: ({ name }) => tell(name),
      onFail: ({ kind, errcode }) => tell(kind + " " + errcode),
    });
  } catch ({ kind, errmsg }) {
    tell(kind + ": " + errmsg);
  }
</script></html>`;

let app;
let server = "";
const story = stage(undefined, async () => {
  app = createServer(({ headers }, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(page(server, headers["accept-language"]?.startsWith("en") ? "en" : "zh-CN"));
  });
  app.listen(0, "127.0.0.1");
  await once(app, "listening");
  const [origin, alias] = ["127.0.0.1", "localhost"].map((host) => `http://${host}:${app.address().port}`);
  Object.assign(app, { origin, alias });
  return {
    flags: ["--wecom-tls", "--origin", origin, "--origin", alias],
    origins: [origin, alias],
    instances: {
      Portal: (demo) => {
        server = demo.url;
        return { callback: "page", redirectUri: `${origin}/in`, loginBase: undefined, oauthBase: undefined };
      },
    },
  };
});
after(() => {
  app?.closeAllConnections();
  app?.close();
});

const says = (person, text) => person.page.locator(`[data-testid=told]:text-is(${JSON.stringify(text)})`).waitFor();

story("the member is signed in without leaving the page", async ({ visit }) => {
  const person = await visit();
  await person.page.goto(`${app.origin}/start`);
  await says(person, "scan");
  const frame = person.page.locator("[data-testid=sign-in-panel] iframe");
  const { searchParams } = new URL(await frame.getAttribute("src"));
  assert.deepEqual(["panel_size", "color_scheme", "lang"].map((name) => searchParams.get(name)), ["small", "dark", person.say("zh", "en")]);
  assert.equal(await frame.evaluate((frame) => frame.offsetWidth), 320);
  await person.signInThroughFrame("zhangsan");
  await says(person, "张三");
  assert.equal(person.page.url(), `${app.origin}/start`);
});

story("with the desktop client one click is enough, and a used panel can be taken away", async ({ visit, demo }) => {
  await demo.desktopOf("lisi");
  const person = await visit();
  await person.page.goto(app.origin);
  await says(person, "one click");
  await person.frame.locator("#quick").click();
  await says(person, "李四");
  await person.page.evaluate(() => window.panel.unmount());
  assert.equal(await person.page.locator("#panel").evaluate(({ childElementCount }) => childElementCount), 0);
});

story("a member who is refused is told to the page, which may begin anew", async ({ visit }) => {
  const person = await visit();
  await person.page.goto(app.origin);
  await person.signInThroughFrame("chenjiu");
  await says(person, "refused 60111");
  await person.page.evaluate(() => window.panel.restart());
  await person.signInThroughFrame("zhangsan");
  await says(person, "张三");
});

story("on another origin than redirectUri's the page is told before anybody scans", async ({ visit }) => {
  const person = await visit();
  await person.page.goto(app.alias);
  const [page, redirect] = [app.alias, app.origin];
  await says(
    person,
    person.say(
      `origin: 企业微信登录面板只能放在 redirectUri 所在的来源上：页面在 ${page}，redirectUri 在 ${redirect}。`,
      `origin: WeCom's panel works on redirectUri's own origin only: the page is on ${page}, redirectUri on ${redirect}.`,
    ),
  );
  assert.equal(await person.page.locator("iframe").count(), 0);
});
