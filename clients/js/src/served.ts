// What the server serves as /client.js: the package, with the server's own address and app filled in.

import {
  type Api,
  type ApiOptions,
  createApi as create,
  type LoginPanel,
  mountLoginPanel as mount,
  type PanelOptions,
} from "./index.js";

/** The server puts it in front of the script. */
declare const WECOM_LOGIN_SITE: Pick<ApiOptions, "base" | "org" | "app">;

export * from "./index.js";

/** As in the package; server and app need not be given. */
export function createApi(options: Partial<ApiOptions> = {}): Api {
  return create({ ...WECOM_LOGIN_SITE, ...options });
}

/** The calls of the server that served this script. */
export const api: Api = createApi();

/** As in the package; `api` need not be given. */
export function mountLoginPanel(
  element: Element | string,
  fullName: string,
  options: Partial<PanelOptions> = {},
): Promise<LoginPanel> {
  return mount(element, fullName, { api, ...options });
}

Object.assign(globalThis, { api });
