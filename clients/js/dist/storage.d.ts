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
export declare function memoryStorage(): TokenStorage;
/**
 * localStorage, shared by all tabs of the front end's origin. Where the browser keeps it from the page (a frame on another
 * site, say) memory stands in.
 */
export declare function localStorageOf(key: string): TokenStorage;
/** The storage if the page may use it. */
export declare function usable(of: () => Storage | undefined): Storage | null;
