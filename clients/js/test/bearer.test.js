import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { createApi } from "../dist/index.js";
import { envelope, refused, serve } from "./server.js";

const SITE = { base: "https://login.example.com", org: "acme", app: "portal", session: "bearer", language: "en" };
const NAME = "auths.loginTypes.Staff";
const FOLDER = "/api/acme/portal/auths/loginTypes/Staff";

/** A server that issues, rotates and revokes as ours does. */
class Issuer {
  #count = 0;
  #good = null;
  #answered = null;
  live = new Set();
  refreshes = 0;
  loseNextAnswer = false;

  issue() {
    this.#count += 1;
    this.#good = `r${this.#count}`;
    this.live.add(`a${this.#count}`);
    return { accessToken: `a${this.#count}`, refreshToken: this.#good, expiresIn: 600, tokenType: "Bearer" };
  }

  end() {
    this.live.clear();
    this.#good = null;
  }

  answers() {
    return {
      [`POST ${FOLDER}/getLoginConfig`]: envelope({ corpId: "ww1", agentId: "1", redirectUri: "https://x.example/", state: "s" }),
      [`POST ${FOLDER}/getLoginCode`]: () => envelope({ userId: "zhangsan" }, { session: this.issue() }),
      "GET /me": ({ headers }) =>
        this.live.has(headers.authorization?.replace("Bearer ", ""))
          ? { body: { userId: "zhangsan" } }
          : refused(710301, "Not signed in.", 401),
      "POST /session/refresh": ({ json }) => this.#refresh(json),
      "POST /logout": ({ json }) => {
        if (json.refreshToken === this.#good) this.end();
        return { body: {} };
      },
    };
  }

  #refresh({ refreshToken, retryKey }) {
    this.refreshes += 1;
    const again = this.#answered;
    if (again !== null && again.refreshToken === refreshToken && again.retryKey === retryKey) return { body: again.pair };
    if (refreshToken !== this.#good) {
      const known = this.#good !== null;
      this.end();
      return known ? refused(710317, "Used twice.", 401) : refused(710301, "Not signed in.", 401);
    }
    const pair = this.issue();
    this.#answered = { refreshToken, retryKey, pair };
    if (this.loseNextAnswer) {
      this.loseNextAnswer = false;
      throw new TypeError("the connection broke");
    }
    return { body: pair };
  }
}

/** A storage that several clients share, as tabs do. */
function shared() {
  let text = null;
  let turn = Promise.resolve();
  return {
    get: () => text,
    set: (value) => {
      text = value;
    },
    exclusively: (work) => {
      const mine = turn.then(work);
      turn = mine.catch(() => {});
      return mine;
    },
  };
}

function client(issuer, storage = "memory") {
  const { fetch, asked } = serve(issuer.answers());
  return { asked, api: createApi({ ...SITE, fetch, storage }) };
}

const signIn = (api) => api.loginWithCode(NAME, { authCode: "c", state: "s" });

test("a bearer client names its browser by header, the same each time, and sends no cookies", async () => {
  const { api, asked } = client(new Issuer());
  await api.getLoginConfig(NAME);
  await signIn(api);
  const names = asked.map(({ headers }) => headers["x-wecom-login-browser"]);
  assert.match(names[0], /^[A-Za-z0-9_-]{43}$/);
  assert.equal(names[0], names[1]);
  assert.ok(asked.every(({ credentials }) => credentials === "omit"));
  assert.notEqual(names[0], (await nameOf(client(new Issuer()))), "another client has another name");
});

async function nameOf({ api, asked }) {
  await api.getLoginConfig(NAME);
  return asked[0].headers["x-wecom-login-browser"];
}

test("after the sign-in me asks with the access token; the member comes without the pair", async () => {
  const { api, asked } = client(new Issuer());
  assert.equal(await api.me(), null);
  assert.deepEqual(await signIn(api), { userId: "zhangsan" });
  assert.deepEqual(await api.me(), { userId: "zhangsan" });
  assert.equal(asked.at(-1).headers.authorization, "Bearer a1");
  assert.equal(await api.accessToken(), "a1");
  assert.ok(asked.every(({ url }) => !/[ar]1/.test(url)), "no token in an address");
});

test("an access token is renewed before it ends, once for all who wait", async () => {
  mock.timers.enable({ apis: ["Date"], now: 1_800_000_000_000 });
  try {
    const issuer = new Issuer();
    const { api } = client(issuer);
    await signIn(api);
    mock.timers.tick(579_000);
    assert.equal(await api.accessToken(), "a1");
    mock.timers.tick(2_000);
    const people = await Promise.all(Array.from({ length: 20 }, () => api.me()));
    assert.ok(people.every(({ userId }) => userId === "zhangsan"));
    assert.equal(issuer.refreshes, 1);
    assert.equal(await api.accessToken(), "a2");
  } finally {
    mock.timers.reset();
  }
});

test("a refused access token is renewed and the call repeated, once", async () => {
  const issuer = new Issuer();
  const { api, asked } = client(issuer);
  await signIn(api);
  issuer.live.delete("a1");
  assert.deepEqual(await api.me(), { userId: "zhangsan" });
  assert.equal(issuer.refreshes, 1);
  const always401 = createApi({
    ...SITE,
    storage: "memory",
    fetch: serve({ ...issuer.answers(), "GET /me": refused(710301, "Not signed in.", 401) }).fetch,
  });
  await signIn(always401);
  const before = issuer.refreshes;
  assert.equal(await always401.me(), null);
  assert.equal(issuer.refreshes - before, 1, "it gives up after one more try");
  assert.equal(asked.filter(({ path }) => path === "/me").length, 2);
});

test("tabs that share a storage take turns, and each token is sent once", async () => {
  const issuer = new Issuer();
  const storage = shared();
  const tabs = Array.from({ length: 5 }, () => client(issuer, storage));
  await signIn(tabs[0].api);
  issuer.live.clear();
  const people = await Promise.all(tabs.map(({ api }) => api.me()));
  assert.ok(people.every(({ userId }) => userId === "zhangsan"), "nobody was taken for a thief");
  const sent = tabs.flatMap(({ asked }) => asked).filter(({ path }) => path === "/session/refresh");
  assert.equal(new Set(sent.map(({ json }) => json.refreshToken)).size, sent.length);
  assert.equal(sent.length, 5);
});

test("a lost answer is asked for again with the same key, also after a reload", async () => {
  const issuer = new Issuer();
  const storage = shared();
  const { api } = client(issuer, storage);
  await signIn(api);
  issuer.live.clear();
  issuer.loseNextAnswer = true;
  await assert.rejects(api.me(), { kind: "network" });
  const reloaded = client(issuer, storage);
  assert.deepEqual(await reloaded.api.me(), { userId: "zhangsan" });
  const [{ json }] = reloaded.asked;
  assert.match(json.retryKey, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(JSON.parse(storage.get()).retryKey, undefined, "the next refresh has a key of its own");
});

test("a stolen token ends the session here too", async () => {
  const issuer = new Issuer();
  const storage = shared();
  const { api } = client(issuer, storage);
  await signIn(api);
  const stolen = storage.get();
  issuer.live.clear();
  await api.me();
  const thief = client(issuer, { get: () => stolen, set: () => {} });
  assert.equal(await thief.api.me(), null);
  assert.equal(await api.me(), null);
  assert.equal(storage.get(), null);
});

test("a server that fails keeps nobody from trying again", async () => {
  const issuer = new Issuer();
  const answers = issuer.answers();
  const { fetch } = serve(answers);
  const api = createApi({ ...SITE, fetch, storage: "memory" });
  await signIn(api);
  issuer.live.clear();
  const works = answers["POST /session/refresh"];
  answers["POST /session/refresh"] = refused(50000, "Unforeseen.", 503);
  await assert.rejects(api.me(), { errcode: 50000, isRetryable: true });
  answers["POST /session/refresh"] = works;
  assert.deepEqual(await api.me(), { userId: "zhangsan" });
});

test("logout ends the session by its refresh token, and throws when it may live on", async () => {
  const issuer = new Issuer();
  const storage = shared();
  const answers = issuer.answers();
  const { fetch, asked } = serve(answers);
  const api = createApi({ ...SITE, fetch, storage });
  await signIn(api);
  const works = answers["POST /logout"];
  answers["POST /logout"] = refused(50000, "Unforeseen.", 503);
  await assert.rejects(api.logout(), { errcode: 50000 });
  assert.deepEqual(await api.me(), { userId: "zhangsan" });
  answers["POST /logout"] = works;
  await api.logout();
  assert.deepEqual(asked.at(-1).json, { refreshToken: "r1" });
  assert.deepEqual([await api.me(), await api.accessToken(), storage.get()], [null, null, null]);
  await api.logout();
});

test("a new sign-in takes the place of the one before", async () => {
  const issuer = new Issuer();
  const { api, asked } = client(issuer);
  await signIn(api);
  await signIn(api);
  assert.deepEqual(asked.at(-1).json, { refreshToken: "r1" });
  assert.equal(await api.accessToken(), "a2");
});

test("a server that gives no pair is told as such", async () => {
  const { fetch } = serve({ [`POST ${FOLDER}/getLoginCode`]: envelope({ userId: "zhangsan" }) });
  await assert.rejects(signIn(createApi({ ...SITE, fetch })), { kind: "http" });
});

test("what a storage holds by mistake is nobody's session", async () => {
  for (const text of ["", "{", "7", "{}", '{"refreshToken":7}']) {
    const { api, asked } = client(new Issuer(), { get: async () => text, set: async () => {} });
    assert.equal(await api.me(), null);
    assert.equal(asked.filter(({ path }) => path === "/session/refresh").length, 0);
  }
});

test("who gives up waiting for a refresh does not end it for the others", async () => {
  const issuer = new Issuer();
  const { api } = client(issuer);
  await signIn(api);
  issuer.live.clear();
  const reason = new Error("left");
  const giveUp = new AbortController();
  mock.timers.enable({ apis: ["Date"], now: Date.now() + 3_600_000 });
  try {
    const [gone, stays] = [api.accessToken({ signal: giveUp.signal }), api.accessToken()];
    giveUp.abort(reason);
    await assert.rejects(gone, reason);
    assert.equal(await stays, "a2");
  } finally {
    mock.timers.reset();
  }
});
