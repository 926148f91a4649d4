// The simulator's own pages, for pictures of them.

/** Opens each in turn and calls `look(name, page)` when it is there. */
export async function wecomPages(demo, arrive, look) {
  const person = await arrive();
  const see = (name, visitor = person) => look(`wecom-${name}`, visitor.page);
  await person.open("/login?element=auths.loginTypes.QywxInnerExample");
  const wecom = await person.see("sign-in-link").getAttribute("href");
  await person.frame.locator("#qr svg").waitFor();
  const scan = await person.frame.locator("#qr").getAttribute("href");

  await person.page.goto(wecom);
  await see("sign-in");
  await person.page.locator('[data-userid="zhangsan"]').click();
  await person.page.locator("#confirm").waitFor();
  await see("confirm");
  await person.page.goto(scan);
  await see("phone");
  await person.page.locator('[data-userid="zhangsan"]').click();
  await person.page.locator("#confirm").click();
  await person.page.locator("#title").waitFor();
  await see("phone-done");
  const wrong = new URL(wecom);
  wrong.searchParams.set("redirect_uri", "https://elsewhere.example/");
  await person.page.goto(wrong.href);
  await see("wrong-domain");

  const link = new URL(wecom).searchParams;
  const oauth = new URL("/connect/oauth2/authorize", demo.wecom);
  oauth.search = new URLSearchParams({
    appid: link.get("appid"),
    redirect_uri: link.get("redirect_uri"),
    response_type: "code",
    scope: "snsapi_privateinfo",
    state: "picture",
    agentid: link.get("agentid"),
    lang: person.language === "en" ? "en" : "zh",
  });
  await person.page.goto(oauth.href);
  await see("outside-client");
  const client = await arrive({ userAgent: "Mozilla/5.0 wxwork/4.1.36" });
  await client.page.goto(oauth.href);
  await see("whose-phone", client);
  await client.page.locator('[data-userid="zhangsan"]').click();
  await client.page.locator("#confirm").waitFor();
  await see("consent", client);
}
