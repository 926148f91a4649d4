import { type Api, type ApiOptions, type LoginPanel, type PanelOptions } from "./index.js";
export * from "./index.js";
/** As in the package; server and app need not be given. */
export declare function createApi(options?: Partial<ApiOptions>): Api;
/** The calls of the server that served this script. */
export declare const api: Api;
/** As in the package; `api` need not be given. */
export declare function mountLoginPanel(element: Element | string, fullName: string, options?: Partial<PanelOptions>): Promise<LoginPanel>;
