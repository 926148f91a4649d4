import { say, WecomLoginError } from "./errors.js";
import type { Language } from "./language.js";

/** How the client speaks to its server. */
export interface Wire {
  /** The server's origin, without a slash at its end. */
  base: string;
  /** Milliseconds that one request may take. */
  timeout: number;
  language: () => Language;
  fetch: typeof fetch;
  /** Cookies go with requests. */
  credentials: RequestCredentials;
}

export interface Question {
  method: "GET" | "POST";
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** The JSON object of the answer. */
  body: Record<string, unknown>;
}

/** One request. Throws when no answer comes in time, or one that is no JSON object; whatever its status says. */
export async function ask(wire: Wire, question: Question): Promise<Answer> {
  const { method, path, body, headers, signal } = question;
  if (signal?.aborted) throw reasonOf(signal);
  const language = wire.language();
  const abort = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    abort.abort();
  }, wire.timeout);
  const forward = () => abort.abort();
  signal?.addEventListener("abort", forward, { once: true });
  try {
    const response = await wire.fetch(wire.base + path, {
      method,
      headers: {
        accept: "application/json",
        "accept-language": language,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: wire.credentials,
      cache: "no-store",
      redirect: "error",
      signal: abort.signal,
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parse(text, response, language) };
  } catch (cause) {
    if (cause instanceof WecomLoginError) throw cause;
    if (signal?.aborted && !late) throw reasonOf(signal);
    throw new WecomLoginError("network", say(late ? "late" : "unreachable", language), { cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", forward);
  }
}

function parse(text: string, response: Response, language: Language): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    // Told below.
  }
  const requestId = response.headers.get("x-request-id");
  throw new WecomLoginError("http", say("strange", language), { status: response.status, requestId });
}

/** Why a caller gave up; older browsers keep no reason. */
export function reasonOf(signal: AbortSignal): unknown {
  return signal.reason ?? new DOMException("The call was aborted.", "AbortError");
}

/** The error that an answer tells, if it tells one. */
export function refusal(answer: Answer, language: Language): WecomLoginError | null {
  const { errcode, errmsg, requestId } = answer.body;
  if (typeof errcode === "number" && errcode !== 0) {
    return new WecomLoginError("refused", typeof errmsg === "string" ? errmsg : String(errcode), {
      errcode,
      status: answer.status,
      requestId: typeof requestId === "string" ? requestId : answer.headers.get("x-request-id"),
    });
  }
  if (answer.status >= 200 && answer.status < 300) return null;
  const facts = { status: answer.status, requestId: answer.headers.get("x-request-id") };
  return new WecomLoginError("http", say("strange", language), facts);
}
