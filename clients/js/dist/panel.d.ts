import type { Api, AuthAnswer, UserInfo } from "./api.js";
import { WecomLoginError } from "./errors.js";
import { type LoginConfig } from "./login_url.js";
import { type PanelLook, type WecomSdk } from "./panel_frame.js";
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
    onCode?(answer: AuthAnswer & {
        state: string;
        redirectUri: string;
    }): void;
    /**
     * Something went wrong after the panel was mounted. `kind` says what: `panel` (WeCom's number is in `errcode`), `declined`,
     * `blocked` (a link stands in the panel's place), or a failed call. The panel goes on where it can.
     */
    onFail?(error: WecomLoginError): void;
    /** Whether the desktop client on this computer is signed in, so that one click is enough. */
    onCheckWeComLogin?(answer: {
        isWeComLogin: boolean;
    }): void;
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
/**
 * Shows WeCom's sign-in in `element`. Resolves once a panel, or the link in its place, is in sight.
 *
 * @throws WecomLoginError `origin` when the page is not on the origin of redirectUri: WeCom gives codes to no other page.
 *   Otherwise as `getLoginConfig`.
 */
export declare function mountLoginPanel(element: Element | string, fullName: string, options: PanelOptions): Promise<LoginPanel>;
