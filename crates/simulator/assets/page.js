// Everything on these pages works without this script, except waiting for the phone and the messages to a page
// that embeds the sign-in (redirect_type=callback).

const search = document.getElementById("search");
if (search) {
  let latest = 0;
  search.addEventListener("input", async () => {
    const turn = ++latest;
    const query = new URLSearchParams(new FormData(search.form));
    const answer = await fetch(`/wwlogin/people?${query}`).catch(() => null);
    if (answer?.ok && turn === latest) {
      document.getElementById("people").innerHTML = await answer.text();
    }
  });
}

const scan = document.querySelector(".scan[data-key]");
if (scan) {
  const hint = document.getElementById("hint");
  const wait = async () => {
    const answer = await fetch(`/wwlogin/status?key=${scan.dataset.key}`).catch(() => null);
    const status = answer?.ok ? await answer.json() : { state: answer ? "expired" : "waiting" };
    if (status.state === "scanned") hint.textContent = hint.dataset.scanned;
    if (status.state === "done") return leave(status.location);
    if (status.state !== "expired") setTimeout(wait, 1500);
  };
  const leave = (location) => {
    // A frame may move the top window only right after a click; the link is for browsers that hold to that.
    const link = document.createElement("a");
    Object.assign(link, { href: location, target: scan.dataset.target, textContent: hint.dataset.continue });
    hint.replaceChildren(link);
    link.click();
  };
  setTimeout(wait, 1500);
}

// The messages of WeCom's login panel: JSON text, to the page whose address the redirect URI has.
const result = document.querySelector("[data-code]");
if (result && parent !== window) {
  const args = { type: "call", name: "onLoginSuccess", payload: { code: result.dataset.code } };
  const call = { type: "ww-iframe-handle:call", uid: crypto.randomUUID(), args };
  parent.postMessage(JSON.stringify(call), result.dataset.origin);
}
