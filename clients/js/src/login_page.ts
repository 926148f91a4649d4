// The script of the server's own sign-in page. The page's words stand in its HTML, in its language; this only chooses among
// them. A code goes to the redirect address, as WeCom itself would send it: the server finishes every sign-in there.

import type { WecomLoginError } from "./errors.js";
import { ask, refusal } from "./http.js";
import { pageLanguage } from "./language.js";
import type { LoginConfig } from "./login_url.js";
import { type LoginPanel, mountLoginPanel } from "./panel.js";

/** WeCom's numbers for a redirect address on another host than the console has (WeCom 98152). */
const DOMAIN_MISMATCH = [-31020, -31039];

const place = document.getElementById("panel");
if (place !== null) begin(place);

function begin(place: HTMLElement): void {
  const { element, renew, ...data } = place.dataset as Record<string, string>;
  const lead = document.getElementById("lead");
  const link = document.getElementById("sign-in-link") as HTMLAnchorElement | null;
  const requestId = document.querySelector("[data-testid=request-id]")?.textContent ?? "";
  const say = (words: "scan" | "quick" | "going") => {
    const text = lead?.dataset[words];
    if (lead !== null && text !== undefined && lead.textContent !== text) lead.textContent = text;
  };
  const troubles = [...document.querySelectorAll<HTMLElement>("[data-trouble]")];
  const tell = (kind: string | null, error?: WecomLoginError) => {
    for (const trouble of troubles) {
      trouble.hidden = trouble.dataset.trouble !== kind;
      if (trouble.hidden) continue;
      fill(trouble, "request", error?.requestId ?? requestId);
      fill(trouble, "number", error?.errcode == null ? "" : String(error.errcode));
      fill(trouble, "reason", error?.kind === "refused" ? error.errmsg : "");
    }
  };

  let panel: LoginPanel | null = null;
  let first: LoginConfig | null = {
    corpId: data.corpId ?? "",
    agentId: data.agentId ?? "",
    redirectUri: data.redirectUri ?? "",
    state: data.state ?? "",
    loginUrl: data.loginUrl ?? "",
  };
  const mount = async () => {
    try {
      panel = await mountLoginPanel(place, element ?? "", {
        // Not the element API: the page's own address keeps where the person wants to go.
        api: {
          base: location.origin,
          getLoginConfig: async (_, options) => {
            const config = first ?? (await renewed(renew ?? "", options?.signal));
            first = null;
            return config;
          },
          loginWithCode: () => Promise.reject(new TypeError("the redirect finishes this sign-in")),
        },
        onCode: ({ authCode, state, redirectUri }) => {
          tell(null);
          say("going");
          const target = new URL(redirectUri);
          target.searchParams.append("code", authCode);
          target.searchParams.append("state", state);
          location.assign(target.href);
        },
        onReady: ({ loginUrl }) => {
          tell(null);
          if (link !== null && loginUrl !== undefined) link.href = loginUrl;
        },
        onCheckWeComLogin: ({ isWeComLogin }) => say(isWeComLogin ? "quick" : "scan"),
        onFail: (error) => tell(troubleOf(error), error),
      });
    } catch (error) {
      tell("lost", error as WecomLoginError);
    }
  };
  for (const button of document.querySelectorAll("[data-retry]")) {
    button.addEventListener("click", () => {
      tell(null);
      if (panel === null) void mount();
      else panel.restart();
    });
  }
  void mount();
}

function troubleOf({ kind, errcode }: WecomLoginError): string {
  if (kind === "panel") return errcode !== null && DOMAIN_MISMATCH.includes(errcode) ? "domain" : "failed";
  return kind === "declined" || kind === "blocked" ? kind : "lost";
}

/** Puts a value where the words leave room for it; a row without a value is not shown. */
function fill(trouble: HTMLElement, name: string, value: string): void {
  for (const place of trouble.querySelectorAll<HTMLElement>(`[data-fill=${name}]`)) {
    place.textContent = value;
    const row = place.closest<HTMLElement>("[data-row]");
    if (row !== null) row.hidden = value === "";
  }
}

/** A new state for the same sign-in. Who has signed in meanwhile, in another tab, goes on instead. */
async function renewed(path: string, signal: AbortSignal | undefined): Promise<LoginConfig> {
  const language = pageLanguage();
  const wire = {
    base: location.origin,
    timeout: 15_000,
    language: () => language,
    fetch: (input: RequestInfo | URL, init?: RequestInit) => fetch(input, init),
    credentials: "same-origin" as const,
  };
  const answer = await ask(wire, { method: "POST", path, body: {}, signal });
  const refused = refusal(answer, language);
  if (refused !== null) throw refused;
  const { location: next, ...config } = answer.body as unknown as LoginConfig & { location?: string };
  if (next === undefined) return config;
  location.assign(next);
  return new Promise(() => {});
}
