import type { LoginConfig } from "./login_url.js";
/** What of `@wecom/jssdk` is used. */
export interface WecomSdk {
    createWWLoginPanel(options: {
        el: Element;
        params: Record<string, string>;
        onCheckWeComLogin(answer: {
            isWeComLogin: boolean;
        }): void;
        onLoginSuccess(answer: {
            code: string;
        }): void;
        onLoginFail(answer: {
            errCode?: number;
            errMsg?: string;
        }): void;
    }): {
        el: HTMLIFrameElement;
        unmount(): void;
    };
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
export declare function isOfficial(config: LoginConfig): boolean;
/** WeCom's own panel (WeCom 98172), which gives the code to this page. */
export declare function officialPanel(sdk: WecomSdk, el: Element, config: LoginConfig, look: PanelLook, on: FrameEvents): PanelFrame;
/** A frame of our own for every other host: after the sign-in it takes the whole window to the redirect address. */
export declare function ownFrame(el: Element, config: LoginConfig, look: PanelLook, on: FrameEvents): PanelFrame;
