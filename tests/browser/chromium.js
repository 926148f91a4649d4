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

/** Debian's Chromium without a window. `options` are further ones of Playwright's. */
export function launch(options = {}) {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: ARGUMENTS, ...options });
}
