// A server in a function: answers what the test says, and keeps what it was asked.

/** `answers` maps "METHOD /path" to a function of the request, or to what it gives; `{status, body, headers}`. */
export function serve(answers) {
  const asked = [];
  const fetch = async (url, init) => {
    const { pathname } = new URL(url);
    const request = { url, path: pathname, ...init, json: init.body === undefined ? undefined : JSON.parse(init.body) };
    asked.push(request);
    init.signal?.throwIfAborted();
    const answer = answers[`${init.method} ${pathname}`];
    if (answer === undefined) throw new TypeError(`nothing is at ${init.method} ${pathname}`);
    const given = await (typeof answer === "function" ? answer(request) : answer);
    if (given instanceof Response) return given;
    const { status = 200, body = {}, headers = {} } = given;
    return new Response(JSON.stringify(body), { status, headers });
  };
  return { fetch, asked };
}

/** An element function's answer. */
export function envelope(data, more = {}) {
  return { body: { errcode: 0, errmsg: null, requestId: "r1", sysTime: 1, duration: 1, data, ...more } };
}

/** A refusal: of a function with HTTP 200, of a plain path with its status. */
export function refused(errcode, errmsg, status = 200) {
  return { status, body: { errcode, errmsg, requestId: "r2", data: {} } };
}
