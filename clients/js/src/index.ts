export { type Api, type ApiOptions, type AuthAnswer, type CallOptions, createApi, type Person, type UserInfo } from "./api.js";
export { type ErrorKind, WecomLoginError } from "./errors.js";
export type { Language } from "./language.js";
export { type LoginConfig, loginUrl } from "./login_url.js";
export type { TokenStorage } from "./storage.js";
export { type LoginPanel, mountLoginPanel, type PanelOptions } from "./panel.js";
export type { PanelLook, WecomSdk } from "./panel_frame.js";
