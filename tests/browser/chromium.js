import { chromium } from "playwright-core";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Whatever a page asks for elsewhere finds no host; the watch then reports it.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
];

/**
 * Debian's Chromium without a window. `options` are further ones of Playwright's. With `wecom` (`tls` of a demo that
 * was started with --wecom-tls) the browser finds WeCom's own hosts there and takes their certificate. `flags` are more of
 * Chromium's.
 */
export function launch({ wecom, flags = [], ...options } = {}) {
  const args = wecom ? ARGUMENTS.map((argument) => argument.replace("MAP *", `${wecom.hostRules}, MAP *`)) : ARGUMENTS;
  const trust = wecom ? [`--ignore-certificate-errors-spki-list=${wecom.spki}`] : [];
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: [...args, ...trust, ...flags], ...options });
}
