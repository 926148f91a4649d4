// A bearer pair: for front ends on another site, where browsers block the session's cookie.

import { type Answer, ask, reasonOf, refusal, type Wire } from "./http.js";
import { localStorageOf, memoryStorage, type TokenStorage, usable } from "./storage.js";

/** What the server gives beside the member when it begins a bearer session, and at each refresh. */
export interface Pair {
  accessToken: string;
  refreshToken: string;
  /** Seconds until the access token ends. */
  expiresIn: number;
}

/** What the storage holds, as JSON. */
interface Kept {
  refreshToken: string;
  /** Written before the token is sent: proves that the same client asks again when the answer was lost. */
  retryKey?: string;
}

/** An access token that ends sooner than this is not sent any more, in milliseconds. */
const MARGIN = 20_000;

export interface Bearer {
  /** The header that names this browser; the server binds the sign-in's state to it, as it would to a cookie. */
  browser(): Record<string, string>;
  /** Keeps a new pair in place of the one before, whose session ends. */
  begin(pair: Pair): Promise<void>;
  /** A live access token; a new one if need be. Null when nobody is signed in. */
  accessToken(signal?: AbortSignal): Promise<string | null>;
  /** Asks with the access token; with a new one, once, if it is refused. Null, and nothing asked, when nobody is signed in. */
  ask(question: (headers: Record<string, string>) => Promise<Answer>, signal?: AbortSignal): Promise<Answer | null>;
  /** Ends the session here and at the server. */
  end(signal?: AbortSignal): Promise<void>;
}

export function bearer(wire: Wire, where: "local" | "memory" | TokenStorage): Bearer {
  const key = `wecom-login ${wire.base}`;
  const storage = where === "local" ? localStorageOf(key) : where === "memory" ? memoryStorage() : where;
  const name = browserName(key);
  let access: { token: string; until: number } | null = null;
  let refreshing: Promise<string | null> | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(() => (storage.exclusively ? storage.exclusively(work) : work()));
    turn = mine.catch(() => {});
    return mine;
  };

  const read = async (): Promise<Kept | null> => {
    try {
      const kept = JSON.parse((await storage.get()) ?? "null") as Kept | null;
      return typeof kept?.refreshToken === "string" ? kept : null;
    } catch {
      return null;
    }
  };

  const keep = async (pair: Pair): Promise<string> => {
    await storage.set(JSON.stringify({ refreshToken: pair.refreshToken } satisfies Kept));
    access = { token: pair.accessToken, until: Date.now() + pair.expiresIn * 1000 };
    return pair.accessToken;
  };

  const refresh = async (): Promise<string | null> => {
    const kept = await read();
    if (kept === null) {
      access = null;
      return null;
    }
    if (kept.retryKey === undefined) {
      kept.retryKey = random();
      await storage.set(JSON.stringify(kept));
    }
    // Not aborted by a caller: others wait for it too, and the token may be spent already.
    const answer = await ask(wire, { method: "POST", path: "/session/refresh", body: kept });
    const refused = refusal(answer, wire.language());
    if (refused === null) return keep(answer.body as unknown as Pair);
    if (!refused.isNotSignedIn) throw refused;
    access = null;
    await storage.set(null);
    return null;
  };

  const accessToken = async (signal?: AbortSignal): Promise<string | null> => {
    if (access !== null && access.until - MARGIN > Date.now()) return access.token;
    refreshing ??= alone(refresh).finally(() => {
      refreshing = null;
    });
    return unlessAborted(refreshing, signal);
  };

  return {
    browser: () => ({ "x-wecom-login-browser": name() }),
    begin: async (pair) => {
      const former = await alone(async () => {
        const former = await read();
        await keep(pair);
        return former;
      });
      // Only tidiness: it would end by itself.
      if (former !== null && former.refreshToken !== pair.refreshToken) await leave(wire, former).catch(() => {});
    },
    accessToken,
    ask: async (question, signal) => {
      const send = (token: string) => question({ authorization: `Bearer ${token}` });
      const token = await accessToken(signal);
      if (token === null) return null;
      const answer = await send(token);
      if (answer.status !== 401) return answer;
      if (access?.token === token) access = null;
      const next = await accessToken(signal);
      return next === null ? null : send(next);
    },
    end: (signal) =>
      alone(async () => {
        const kept = await read();
        if (kept !== null) await leave(wire, kept, signal);
        access = null;
        await storage.set(null);
      }),
  };
}

async function leave(wire: Wire, kept: Kept, signal?: AbortSignal): Promise<void> {
  const { refreshToken } = kept;
  const answer = await ask(wire, { method: "POST", path: "/logout", body: { refreshToken }, signal });
  const refused = refusal(answer, wire.language());
  if (refused !== null) throw refused;
}

/** The browser's random name: kept for the tab, because the sign-in leads away from the page and back. */
function browserName(key: string): () => string {
  let name: string | null = null;
  return () => {
    const tab = usable(() => globalThis.sessionStorage);
    name ??= tab?.getItem(`${key} browser`) ?? random();
    tab?.setItem(`${key} browser`, name);
    return name;
  };
}

/** 256 random bits in base64url. */
function random(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function unlessAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const aborted = () => reject(reasonOf(signal));
    if (signal.aborted) return aborted();
    signal.addEventListener("abort", aborted, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
