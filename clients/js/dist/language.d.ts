/** The languages that errors are told in. */
export type Language = "zh-CN" | "en";
/** The page's language: what its `lang` says, then what the browser prefers, then Chinese. */
export declare function pageLanguage(): Language;
