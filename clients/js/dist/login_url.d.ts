/** What getLoginConfig gives: enough to send a person to WeCom, and no secret. */
export interface LoginConfig {
    /** The company. */
    corpId: string;
    /** The app. */
    agentId: string;
    /** Where WeCom sends the browser back to, with `code` and `state`. */
    redirectUri: string;
    /** New each time; for one sign-in within 10 minutes, in this browser. */
    state: string;
    /** The sign-in page's address for this browser: WeCom's own, a private deployment's or a simulator's. */
    loginUrl?: string;
}
/** Where an instance's WeCom is, where it is not the public one. The server tells it in a header of getLoginConfig. */
export interface Hosts {
    /** Base of the page with the QR code. */
    login?: string;
    /** Base of the page inside the WeCom app. */
    oauth?: string;
    /** What the member is asked for inside the app: `snsapi_base` or `snsapi_privateinfo`. */
    scope?: string;
}
/**
 * The address to send a person to. Inside the WeCom app it signs in at once, with nothing to tap; elsewhere it shows a QR
 * code. It can be followed once, within 10 minutes.
 */
export declare function loginUrl(config: LoginConfig): string;
/** The link of a config at these hosts (WeCom 98171; inside the app 91022). */
export declare function linkAt(hosts: Hosts, config: LoginConfig, inside?: boolean): string;
/** True inside the WeCom app, and inside WeChat, whose WeCom plug-in opens links there. */
export declare function isInsideWecom(): boolean;
