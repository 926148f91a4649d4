/** The languages that errors are told in. */
export type Language = "zh-CN" | "en";

/** The page's language: what its `lang` says, then what the browser prefers, then Chinese. */
export function pageLanguage(): Language {
  const page = typeof document === "undefined" ? "" : document.documentElement.lang;
  const browser = typeof navigator === "undefined" ? "" : (navigator.language ?? "");
  const tag = page || browser;
  return tag === "" || /^zh\b/i.test(tag) ? "zh-CN" : "en";
}
