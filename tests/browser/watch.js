// What must never happen on any page: errors in the console, requests to anybody else, requests that fail.

import assert from "node:assert/strict";

/** Writes down everything odd that happens in a context's pages. */
export class Watch {
  #odd = [];
  #ended = false;
  #refusedPages = new Set();
  #origins;

  /** `origins` are the only ones that pages may load from. */
  constructor(context, origins) {
    this.#origins = origins;
    context.on("request", (request) => this.#request(request));
    context.on("response", (response) => this.#response(response));
    context.on("requestfailed", (request) => this.#failed(request));
    context.on("console", (message) => this.#console(message));
    context.on("weberror", (error) => this.#note(`error in a script: ${error.error().message}`));
    context.on("page", (page) => page.on("crash", () => this.#note(`crashed: ${page.url()}`)));
  }

  /** Fails when anything odd has happened. */
  assertNothingOdd() {
    assert.deepEqual(this.#odd, []);
  }

  end() {
    this.#odd = [];
    this.#ended = true;
  }

  #note(text) {
    if (!this.#ended) this.#odd.push(text);
  }

  #request(request) {
    const url = new URL(request.url());
    if (!["data:", "about:"].includes(url.protocol) && !this.#origins.includes(url.origin)) {
      this.#note(`request to a third host: ${url.origin}${url.pathname}`);
    }
  }

  #response(response) {
    if (response.status() < 400 || isOver(response.url())) return;
    // A page that explains a refusal has the status of one, and Chromium puts that in the console.
    if (response.request().isNavigationRequest()) this.#refusedPages.add(withoutFragment(response.url()));
    else this.#note(`${response.status()} for ${response.url()}`);
  }

  #failed(request) {
    // A page that is left, or a panel that another one takes the place of, takes its waiting requests with it.
    const left = request.failure()?.errorText === "net::ERR_ABORTED";
    const waits = /^\/(wwlogin\/|assets\/icon-)/.test(new URL(request.url()).pathname);
    if (!(left && waits)) this.#note(`failed: ${request.url()} (${request.failure()?.errorText})`);
  }

  #console(message) {
    if (!["error", "warning", "assert"].includes(message.type())) return;
    const { url } = message.location();
    const refused =
      message.text().startsWith("Failed to load resource") &&
      (this.#refusedPages.has(withoutFragment(url)) || isOver(url));
    if (!refused) this.#note(`console ${message.type()}: ${message.text()} (${url})`);
  }
}

/** WeCom's page asks after its code until it is told that it has expired. */
function isOver(url) {
  return URL.canParse(url) && new URL(url).pathname === "/wwlogin/status";
}

function withoutFragment(url) {
  return url.split("#")[0];
}
