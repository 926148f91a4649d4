import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const PHONE = "Mozilla/5.0 (Linux; Android 14) wxwork/4.1.30 MicroMessenger/7.0.1";

/** No wait is longer, in milliseconds. */
const PATIENCE = 60_000;

/** The option of a request or an event that ends the wait for it. */
export const soon = () => ({ signal: AbortSignal.timeout(PATIENCE) });

/** Looks until it is so, and gives what `look` gave then. */
export async function until(what, look) {
  for (const end = Date.now() + PATIENCE; ; ) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`not within ${PATIENCE / 1000} s: ${what}`);
  }
}

/** `wecom-login simulate --json` as a child process; BIN_WECOM_LOGIN names the program. */
export async function startSimulator() {
  const program = process.env.BIN_WECOM_LOGIN;
  if (!program) throw new Error("set BIN_WECOM_LOGIN to the wecom-login program");
  const child = spawn(program, ["simulate", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface(child.stdout), "line", soon());
  const { url, corpid, agentid, secret } = JSON.parse(line);
  process.env.WECOM_SIMULATOR_URL = url;

  /** One request below /_sim/; gives the answer's JSON. */
  const control = async (method, path, body) => {
    const answer = await fetch(`${url}/_sim/${path}`, { method, body: body && JSON.stringify(body), ...soon() });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };

  /** Opens a page of WeCom's at the simulator, in the client (a phone) or a browser. */
  const open = (link, { phone = false, ...options } = {}) => {
    const { pathname, search } = new URL(link, url);
    const headers = phone ? { "user-agent": PHONE } : {};
    return fetch(`${url}${pathname}${search}`, { headers, redirect: "manual", ...soon(), ...options });
  };

  /** A code as the sign-in page would give it, for { userid } or { openid }. */
  const code = async (person) => (await control("POST", "code", { corpid, agentid, ...person })).code;

  const stop = async () => {
    const gone = once(child, "exit", soon());
    child.kill();
    await gone;
  };
  return { url, corpid, agentid: String(agentid), secret, control, open, code, stop, PHONE };
}

/** The parameters of a redirect. */
export function redirected(answer) {
  if (answer.status !== 302) throw new Error(`no redirect: ${answer.status}`);
  return Object.fromEntries(new URL(answer.headers.get("location")).searchParams);
}
