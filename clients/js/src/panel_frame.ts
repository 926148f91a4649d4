import type { LoginConfig } from "./login_url.js";

/** The only host that WeCom's own panel knows. */
const OFFICIAL = "https://login.work.weixin.qq.com";

/** What of `@wecom/jssdk` is used. */
export interface WecomSdk {
  createWWLoginPanel(options: {
    el: Element;
    params: Record<string, string>;
    onCheckWeComLogin(answer: { isWeComLogin: boolean }): void;
    onLoginSuccess(answer: { code: string }): void;
    onLoginFail(answer: { errCode?: number; errMsg?: string }): void;
  }): { el: HTMLIFrameElement; unmount(): void };
}

/** How a panel looks. */
export interface PanelLook {
  /** The language of WeCom's page. */
  lang: "zh" | "en";
  colorScheme: "light" | "dark" | "auto";
  /** `middle` is 480 by 416 pixels, `small` 320 by 380 (WeCom 98172). */
  size: "middle" | "small";
}

/** What a frame tells. */
export interface FrameEvents {
  /** WeCom's page is there. */
  ready(): void;
  /** Whether the desktop client on this computer is signed in, so that one click is enough. */
  checked(isWeComLogin: boolean): void;
  /** The code; the state is not told, see panel.ts. */
  code(code: string): void;
  failed(errCode: number | null, errMsg: string): void;
}

/** WeCom's sign-in page in a frame. */
export interface PanelFrame {
  readonly el: HTMLIFrameElement;
  unmount(): void;
}

/** True where the sign-in page is WeCom's own, and not a private deployment's or a simulator's. */
export function isOfficial(config: LoginConfig): boolean {
  return config.loginUrl === undefined || new URL(config.loginUrl).origin === OFFICIAL;
}

/** WeCom's own panel (WeCom 98172), which gives the code to this page. */
export function officialPanel(sdk: WecomSdk, el: Element, config: LoginConfig, look: PanelLook, on: FrameEvents): PanelFrame {
  const panel = sdk.createWWLoginPanel({
    el,
    params: {
      login_type: "CorpApp",
      appid: config.corpId,
      agentid: config.agentId,
      redirect_uri: config.redirectUri,
      state: config.state,
      redirect_type: "callback",
      panel_size: look.size,
      lang: look.lang,
      color_scheme: look.colorScheme,
    },
    onCheckWeComLogin: ({ isWeComLogin }) => on.checked(isWeComLogin),
    onLoginSuccess: ({ code }) => on.code(code),
    onLoginFail: ({ errCode, errMsg }) => on.failed(errCode ?? null, errMsg ?? ""),
  });
  // The SDK does not tell that the frame's page has come. The page's first message does; an error page of the browser sends
  // none, and fires `load` like any other.
  const hear = ({ origin, source, data }: MessageEvent) => {
    if (origin !== OFFICIAL || source !== panel.el.contentWindow) return;
    if (typeof data === "string" && data.includes("ww-iframe-handle:")) on.ready();
  };
  addEventListener("message", hear);
  return {
    el: panel.el,
    unmount: () => {
      removeEventListener("message", hear);
      panel.unmount();
    },
  };
}

/** A frame of our own for every other host: after the sign-in it takes the whole window to the redirect address. */
export function ownFrame(el: Element, config: LoginConfig, look: PanelLook, on: FrameEvents): PanelFrame {
  const frame = document.createElement("iframe");
  const url = new URL(config.loginUrl ?? OFFICIAL);
  url.searchParams.set("lang", look.lang);
  url.searchParams.set("color_scheme", look.colorScheme);
  frame.src = url.href;
  // Once the phone confirms, the frame moves the window with no click in it, which the page grants by name instead of
  // leaving it to each browser's rule for frames of other sites.
  frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups allow-top-navigation");
  // As WeCom's own panel: the frame looks for the desktop client on this computer.
  frame.allow = "local-network-access";
  frame.referrerPolicy = "origin";
  const [width, height] = look.size === "small" ? ["320px", "380px"] : ["480px", "416px"];
  Object.assign(frame.style, { display: "block", border: "none", width, maxWidth: "100%", height });
  // Whether the host answered with its page or the browser with one of its own cannot be seen from outside.
  frame.addEventListener("load", () => on.ready(), { once: true });
  el.append(frame);
  return { el: frame, unmount: () => frame.remove() };
}
