// WeCom's sign-in panel in a page, without its traps: the panel gives a code but not the state it belongs to; a state lives
// for ten minutes and pages stay open for days; the panel works on the redirect address's own origin only; and its host may
// be out of reach.
//
// A panel and the state it was made with are one round. A new round is made ready out of sight and then takes the place of
// the one before, which lives on, unseen, until its state has expired: who has just scanned its code may still confirm.

import type { Api, AuthAnswer, UserInfo } from "./api.js";
import { say, WecomLoginError } from "./errors.js";
import { pageLanguage } from "./language.js";
import { loginUrl, type LoginConfig } from "./login_url.js";
import { type FrameEvents, isOfficial, officialPanel, ownFrame, type PanelFrame, type PanelLook, type WecomSdk } from "./panel_frame.js";

/** What a panel needs to know, and whom it tells. */
export interface PanelOptions extends Partial<PanelLook> {
  /** The calls of the server. */
  api: Pick<Api, "base" | "getLoginConfig" | "loginWithCode">;
  /** `@wecom/jssdk`, for pages that bundle it; otherwise the server's copy is loaded. */
  ww?: WecomSdk;
  /** Unmounts the panel. */
  signal?: AbortSignal;
  /** The member is signed in. Not called with `onCode`, nor where the panel leaves the page (hosts other than WeCom's own). */
  onSuccess?(user: UserInfo): void;
  /** Takes code and state instead of `api.loginWithCode`. */
  onCode?(answer: AuthAnswer & { state: string; redirectUri: string }): void;
  /**
   * Something went wrong after the panel was mounted. `kind` says what: `panel` (WeCom's number is in `errcode`), `declined`,
   * `blocked` (a link stands in the panel's place), or a failed call. The panel goes on where it can.
   */
  onFail?(error: WecomLoginError): void;
  /** Whether the desktop client on this computer is signed in, so that one click is enough. */
  onCheckWeComLogin?(answer: { isWeComLogin: boolean }): void;
  /** A new round is in sight, with this config; its link works for ten minutes. */
  onReady?(config: LoginConfig): void;
}

/** A mounted panel. */
export interface LoginPanel {
  /** Begins anew, with a new state. */
  restart(): void;
  /** Takes the panel out of the page. Nothing is called any more. */
  unmount(): void;
}

interface Round {
  config: LoginConfig;
  /** Milliseconds since the Unix epoch, before the state was asked for. */
  since: number;
  slot: HTMLElement;
  frame: PanelFrame;
}

/** Where the server has WeCom's SDK. */
const SDK_PATH = "/assets/wecom-jssdk-2.4.4.js";
/** How long a state lives, in milliseconds. */
const LIFETIME = 10 * 60_000;
/** A round this old is renewed: two minutes are left for whoever has just scanned it. */
const RENEWED_AFTER = 8 * 60_000;
/** How often to look whether a round is old. Timers stop while a computer sleeps, so none is set for the moment itself. */
const LOOK_EVERY = 15_000;
/** How long WeCom's page may take to come. */
const PATIENCE = 10_000;
/** How long the link stands alone before the panel is tried again. */
const QUIET = 60_000;

/**
 * Shows WeCom's sign-in in `element`. Resolves once a panel, or the link in its place, is in sight.
 *
 * @throws WecomLoginError `origin` when the page is not on the origin of redirectUri: WeCom gives codes to no other page.
 *   Otherwise as `getLoginConfig`.
 */
export async function mountLoginPanel(element: Element | string, fullName: string, options: PanelOptions): Promise<LoginPanel> {
  const place = typeof element === "string" ? document.querySelector(element) : element;
  if (place === null) throw new TypeError(`there is no element ${String(element)}`);
  const panel = new Panel(place, fullName, options);
  try {
    await panel.begin();
  } catch (error) {
    panel.unmount();
    throw error;
  }
  return panel;
}

class Panel implements LoginPanel {
  readonly #root = document.createElement("div");
  readonly #link = document.createElement("a");
  readonly #stop = new AbortController();
  readonly #look: PanelLook;
  readonly #language = pageLanguage();
  #rounds: Round[] = [];
  #renewing: Promise<void> | null = null;
  /** A code is being exchanged, or has been. */
  #finishing = false;
  /** The last failure to renew was told. */
  #toldOfLoss = false;
  /** Where the link stands alone, nothing is tried before; milliseconds since the Unix epoch. */
  #quietUntil = 0;

  constructor(
    place: Element,
    private readonly fullName: string,
    private readonly options: PanelOptions,
  ) {
    const { lang, colorScheme, size, signal } = options;
    this.#look = {
      lang: lang ?? (this.#language === "en" ? "en" : "zh"),
      colorScheme: colorScheme ?? "auto",
      size: size ?? (place.clientWidth < 480 ? "small" : "middle"),
    };
    this.#link.className = "wecom-login-link";
    this.#link.hidden = true;
    this.#link.textContent = say("link", this.#language);
    this.#root.className = "wecom-login-panel";
    this.#root.style.position = "relative";
    this.#root.append(this.#link);
    place.append(this.#root);
    signal?.addEventListener("abort", () => this.unmount(), { once: true });
    if (signal?.aborted) this.unmount();
  }

  async begin(): Promise<void> {
    await this.#renew();
    if (this.#stopped) return;
    const look = () => this.#lookAround();
    const timer = setInterval(look, LOOK_EVERY);
    const { signal } = this.#stop;
    signal.addEventListener("abort", () => clearInterval(timer));
    for (const name of ["focus", "online", "pageshow"]) addEventListener(name, look, { signal });
    document.addEventListener("visibilitychange", look, { signal });
  }

  restart(): void {
    this.#finishing = false;
    this.#attempt();
  }

  unmount(): void {
    this.#stop.abort();
    for (const round of this.#rounds.splice(0)) discard(round);
    this.#root.remove();
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  get #current(): Round | undefined {
    return this.#rounds[this.#rounds.length - 1];
  }

  /** A page that nobody sees asks for nothing; it is looked at again when it is seen. */
  #lookAround(): void {
    if (document.visibilityState === "hidden" || this.#finishing || this.#stopped) return;
    for (const round of this.#rounds.filter((round) => round !== this.#current && age(round) >= LIFETIME)) this.#drop(round);
    const isDue = this.#current === undefined ? Date.now() >= this.#quietUntil : age(this.#current) >= RENEWED_AFTER;
    if (isDue) this.#attempt();
  }

  #attempt(): void {
    this.#renew().catch((error: unknown) => {
      const current = this.#current;
      const isLost = current === undefined || age(current) >= LIFETIME;
      if (isLost && !this.#toldOfLoss && error instanceof WecomLoginError) {
        this.#toldOfLoss = true;
        this.#fail(error);
      }
    });
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#makeRound().finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  async #makeRound(): Promise<void> {
    const since = Date.now();
    const config = await this.options.api.getLoginConfig(this.fullName, { signal: this.#stop.signal });
    this.#checkOrigin(config);
    const round = await this.#mount(config, since);
    if (this.#stopped) {
      if (round !== null) discard(round);
      return;
    }
    if (round === null && this.#current !== undefined && age(this.#current) < LIFETIME) throw this.#error("blocked");
    this.#toldOfLoss = false;
    this.#link.href = loginUrl(config);
    this.#link.hidden = round !== null;
    if (round === null) {
      this.#quietUntil = since + QUIET;
      for (const past of [...this.#rounds]) this.#drop(past);
    } else {
      const hadFocus = this.#current?.frame.el === document.activeElement;
      this.#rounds.push(round);
      for (const other of this.#rounds) show(other.slot, other === round);
      if (hadFocus) round.frame.el.focus();
    }
    this.options.onReady?.(config);
    if (round === null) this.#fail(this.#error("blocked"));
  }

  /** A new round out of sight, once WeCom's page has come; null when it does not come in time. */
  async #mount(config: LoginConfig, since: number): Promise<Round | null> {
    const official = isOfficial(config);
    const sdk = official ? await this.#sdk() : null;
    if ((official && sdk === null) || this.#stopped) return null;
    const slot = document.createElement("div");
    // The first one comes into an empty place, so it may as well be seen while it comes.
    show(slot, this.#rounds.length === 0);
    this.#root.append(slot);
    let come: (ready: boolean) => void = () => {};
    const ready = new Promise<boolean>((resolve) => (come = resolve));
    const isPast = () => this.#rounds.some((round) => round.slot === slot && round !== this.#current);
    const events: FrameEvents = {
      ready: () => come(true),
      checked: (isWeComLogin) => {
        come(true);
        if (!this.#stopped && !isPast()) this.options.onCheckWeComLogin?.({ isWeComLogin });
      },
      code: (code) => void this.#finish(config, code),
      failed: (errcode, errMsg) => {
        come(true);
        if (!isPast()) this.#fail(this.#error("panel", errcode, errMsg));
      },
    };
    const frame =
      sdk === null
        ? ownFrame(slot, config, this.#look, events)
        : officialPanel(sdk, slot, config, this.#look, events);
    frame.el.title = say("frame", this.#language);
    const timer = setTimeout(() => come(false), PATIENCE);
    this.#stop.signal.addEventListener("abort", () => come(false), { once: true });
    const isReady = await ready;
    clearTimeout(timer);
    const round = { config, since, slot, frame };
    if (isReady) return round;
    discard(round);
    return null;
  }

  async #sdk(): Promise<WecomSdk | null> {
    if (this.options.ww !== undefined) return this.options.ww;
    const url = this.options.api.base + SDK_PATH;
    return (import(/* @vite-ignore */ /* webpackIgnore: true */ url) as Promise<WecomSdk>).catch(() => null);
  }

  async #finish({ state, redirectUri }: LoginConfig, code: string): Promise<void> {
    if (this.#stopped || this.#finishing) return;
    // A person who says no comes back without a code (WeCom 91019).
    if (!code) return this.#fail(this.#error("declined"));
    this.#finishing = true;
    if (this.options.onCode !== undefined) return this.options.onCode({ authCode: code, state, redirectUri });
    try {
      const answer = { authCode: code, state };
      const user = await this.options.api.loginWithCode(this.fullName, answer, { signal: this.#stop.signal });
      if (!this.#stopped) this.options.onSuccess?.(user);
    } catch (error) {
      this.#finishing = false;
      if (error instanceof WecomLoginError) this.#fail(error);
      else if (!this.#stopped) throw error;
    }
  }

  #checkOrigin(config: LoginConfig): void {
    const { origin } = new URL(config.redirectUri);
    if (origin === location.origin) return;
    const text = say("origin", this.#language).replace("{page}", location.origin).replace("{redirect}", origin);
    throw new WecomLoginError("origin", text);
  }

  #drop(round: Round): void {
    this.#rounds = this.#rounds.filter((other) => other !== round);
    discard(round);
  }

  #error(kind: "panel" | "declined" | "blocked", errcode: number | null = null, detail = ""): WecomLoginError {
    const text = say(kind, this.#language);
    return new WecomLoginError(kind, detail === "" ? text : `${text} (${detail})`, { errcode });
  }

  #fail(error: WecomLoginError): void {
    if (!this.#stopped) this.options.onFail?.(error);
  }
}

function age(round: Round): number {
  return Date.now() - round.since;
}

function show(slot: HTMLElement, seen: boolean): void {
  Object.assign(slot.style, seen ? { visibility: "", position: "", inset: "" } : { visibility: "hidden", position: "absolute", inset: "0" });
  slot.toggleAttribute("inert", !seen);
}

function discard(round: Round): void {
  round.frame.unmount();
  round.slot.remove();
}
