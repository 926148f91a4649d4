/**
 * Where the refresh token is kept. The access token is in memory only.
 *
 * `get` and `set` may be asynchronous; `set(null)` forgets. `exclusively` runs `work` while no other user of the same
 * storage runs theirs; without it, only calls of one page wait for each other.
 */
export interface TokenStorage {
  get(): string | null | Promise<string | null>;
  set(text: string | null): void | Promise<void>;
  exclusively?<T>(work: () => Promise<T>): Promise<T>;
}

/** For the life of the page: a reload asks for a new sign-in. */
export function memoryStorage(): TokenStorage {
  let kept: string | null = null;
  return {
    get: () => kept,
    set: (text) => {
      kept = text;
    },
  };
}

/**
 * localStorage, shared by all tabs of the front end's origin. Where the browser keeps it from the page (a frame on another
 * site, say) memory stands in.
 */
export function localStorageOf(key: string): TokenStorage {
  const local = usable(() => globalThis.localStorage);
  if (local === null) return memoryStorage();
  return {
    get: () => local.getItem(key),
    set: (text) => (text === null ? local.removeItem(key) : local.setItem(key, text)),
    exclusively: (work) => exclusively(local, key, work),
  };
}

/** The storage if the page may use it. */
export function usable(of: () => Storage | undefined): Storage | null {
  try {
    const storage = of();
    if (storage === undefined) return null;
    const probe = "wecom-login probe";
    storage.setItem(probe, "1");
    storage.removeItem(probe);
    return storage;
  } catch {
    return null;
  }
}

async function exclusively<T>(local: Storage, key: string, work: () => Promise<T>): Promise<T> {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  return locks ? ((await locks.request(key, work)) as T) : withLease(local, `${key} lease`, work);
}

/** A lease outlives any refresh, which the time-out of a request bounds. */
const LEASE = 30_000;
/** Longer than it takes another tab's write to be seen here. */
const SETTLE = 50;

/**
 * Plain http off loopback has no Web Locks. There a tab writes its name and goes on if it still reads it a moment later; of
 * two that wrote at once, the later one does.
 */
async function withLease<T>(local: Storage, key: string, work: () => Promise<T>): Promise<T> {
  const name = `${Date.now()} ${Math.random()}`;
  const holder = () => {
    const [until = "0", owner = ""] = (local.getItem(key) ?? "").split("|");
    return Number(until) > Date.now() ? owner : "";
  };
  for (;;) {
    if (holder() === "") {
      local.setItem(key, `${Date.now() + LEASE}|${name}`);
      await pause(SETTLE);
      if (holder() === name) break;
    }
    await pause(SETTLE);
  }
  try {
    return await work();
  } finally {
    if (holder() === name) local.removeItem(key);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, milliseconds));
}
