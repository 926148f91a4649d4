// Instances with "callback": "page": a page takes the redirect and finishes the sign-in with the client.

import assert from "node:assert/strict";

import { stage } from "../story.js";

const ELEMENT = "auths.loginTypes.Page";
const PAGE = `/login?element=${ELEMENT}`;

const story = stage(undefined, async () => ({
  instances: { Page: (demo) => ({ callback: "page", redirectUri: `${demo.url}/app/done` }) },
}));

story("as long as the app has no page there, the server's bare page signs in and goes on", async ({ visit, demo }) => {
  const person = await visit();
  await person.open(`${PAGE}&return_to=%2F%3Ffrom%3Dmail`);
  const bare = person.page.waitForResponse((response) => response.url().startsWith(`${demo.url}/app/done?`));
  await person.signInThroughFrame("zhangsan");
  assert.equal((await bare).status(), 200);
  await person.see("signed-in-userid").waitFor();
  person.assertAt("/?from=mail");
  assert.equal((await person.me()).body.userId, "zhangsan");

  // The address with the code is not what the back button leads to.
  await person.page.goBack({ waitUntil: "commit" });
  await person.see("signed-in-userid").waitFor();
  person.assertAt("/?from=mail");

  await person.signOut();
  await person.open("/app/done");
  await person.see("sign-in-title").waitFor();
  assert.equal(new URL(person.page.url()).searchParams.get("element"), ELEMENT, "without a code it begins");
});

story("a browser that was never here begins anew there too", async ({ visit, demo }) => {
  const attacker = await visit();
  await attacker.open(PAGE);
  const link = new URL(await attacker.see("sign-in-link").getAttribute("href"));
  const code = await demo.codeFor("lisi", Number(link.searchParams.get("agentid")));
  const stranger = await visit();
  await stranger.open(`/app/done?code=${code}&state=${link.searchParams.get("state")}`);
  await stranger.page.locator("#qr svg").waitFor();
  assert.equal(new URL(stranger.page.url()).origin, demo.wecom);
  await stranger.assertNotSignedIn();
  await stranger.signInAtWecom("zhangsan");
  await stranger.assertSignedIn("zhangsan");
});

story("a sign-in that took too long begins anew", async ({ visit, demo }) => {
  const person = await visit();
  await person.open(PAGE);
  const state = new URL(await person.see("sign-in-link").getAttribute("href")).searchParams.get("state");
  await demo.pass(11 * 60);
  await person.open(`/app/done?code=${await demo.codeFor("lisi", 1000002)}&state=${state}`);
  await person.page.waitForURL((url) => url.pathname === "/login");
  await person.signInThroughFrame("lisi");
  await person.assertSignedIn("lisi");
});

story("the bare page tells what went wrong, and where to begin again", async ({ visit, demo }) => {
  const person = await visit();
  await person.open(PAGE);
  const state = new URL(await person.see("sign-in-link").getAttribute("href")).searchParams.get("state");
  await person.open(`/app/done?code=never-issued&state=${state}`);
  await person.trouble.waitFor();
  const told = (hook) => person.trouble.getByTestId(hook).innerText();
  assert.equal(
    await told("trouble-reason"),
    person.say("授权码无效、已使用或已过期。", "The authorization code is invalid, used or expired."),
  );
  assert.equal(await told("trouble-code"), "40029");
  assert.ok(demo.log.includes(await told("trouble-request")));
  await person.assertNotSignedIn();

  await person.trouble.getByTestId("trouble-retry").click();
  await person.frame.locator("#decline").click();
  await person.assertProblem(710001);
  await person.tryAgain();
  await person.signInThroughFrame("lisi");
  await person.assertSignedIn("lisi");
});

story("a client that does not come is told too", async ({ visit, demo }) => {
  const person = await visit();
  await person.open(PAGE);
  const state = new URL(await person.see("sign-in-link").getAttribute("href")).searchParams.get("state");
  person.forgive();
  await person.page.route("**/client.js", (route) => route.abort());
  await person.open(`/app/done?code=${await demo.codeFor("lisi", 1000002)}&state=${state}`);
  await person.trouble.waitFor();
  assert.equal(await person.see("callback-status").isVisible(), false);
  assert.equal(await person.trouble.getByTestId("trouble-code").isVisible(), false);
  await person.page.unroute("**/client.js");
  await person.trouble.getByTestId("trouble-retry").click();
  await person.signInThroughFrame("lisi");
  await person.assertSignedIn("lisi");
});

/** The app's own page, in the manner of the platform's sample: it asks for a config whenever it is opened. */
const sample = (script) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>App</title>
<a id="go">WeCom</a><p id="who"></p>
${script}
<script type="module">
  const config = await api.getLoginConfig("${ELEMENT}");
  const loginUrl = \`HOST/wwlogin/sso/login?login_type=CorpApp&appid=\${config.corpId}&agentid=\${config.agentId}&redirect_uri=\${encodeURIComponent(config.redirectUri)}&state=\${config.state}\`;
  document.getElementById("go").href = loginUrl;
  const urlParams = new URLSearchParams(window.location.search);
  const authCode = urlParams.get("code");
  if (authCode) {
    const userInfo = await api.loginWithCode("${ELEMENT}", { authCode, state: urlParams.get("state") });
    document.getElementById("who").textContent = userInfo.name;
  }
</script></html>`;

for (const [kind, script] of [
  ["module", '<script type="module" src="/client.js"></script>'],
  ["classic script", '<script src="/client.global.js"></script>'],
]) {
  story(`a page like the sample's, with the client as a ${kind}, signs in though it asks for a new config`, async ({ visit, demo }) => {
    const person = await visit();
    const body = sample(script).replace("HOST", demo.wecom);
    // Routes see no redirects, so WeCom's comes as a page that goes on.
    await person.context.route(`${demo.wecom}/wwlogin/finish*`, async (route) => {
      const { location } = (await route.fetch({ maxRedirects: 0 })).headers();
      await route.fulfill({ contentType: "text/html", body: `<script>location.replace(${JSON.stringify(location)})</script>` });
    });
    // The app's server, behind the same address.
    await person.context.route(`${demo.url}/app/done*`, (route) => route.fulfill({ contentType: "text/html", body }));
    await person.open("/app/done");
    await person.page.locator("#go[href]").click();
    await person.signInAtWecom("zhangsan");
    await person.page.locator("#who:text-is('张三')").waitFor();
    assert.equal(new URL(person.page.url()).pathname, "/app/done");
    assert.equal((await person.me()).body.userId, "zhangsan");
    // Reloaded, with the same code in the address: the same session.
    await person.page.reload();
    await person.page.locator("#who:text-is('张三')").waitFor();
  });
}
