// Everything on these pages works without this script, except waiting for the phone and the messages to a page
// that embeds the sign-in.

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

// The frame's side of WeCom's login panel (@wecom/jssdk): JSON text between the two windows, then over the channel
// whose port the embedding page hands in. Only "ready" goes out before it is known who listens; it tells nothing.
const panel = document.querySelector('meta[name="panel"]');
if (panel && parent !== window) {
  const { listener, channel, name, payload } = JSON.parse(panel.content);
  const kind = (name) => `ww-iframe-handle:${name}`;
  const ready = () => parent.postMessage(JSON.stringify({ type: kind("ready"), supportChannel: channel }), "*");
  const call = JSON.stringify({ type: kind("call"), uid: crypto.randomUUID(), args: { type: "call", name, payload } });
  let told = false;
  const tell = (say) => {
    if (!told) say(call);
    told = true;
  };

  addEventListener("message", ({ source, origin, data, ports }) => {
    if (source !== parent || origin !== listener) return;
    if (data?.type === kind("set-port") && channel) {
      const port = data.port ?? ports[0];
      tell((text) => port.postMessage(text));
    } else if (typeof data === "string" && data.includes(kind("init"))) {
      ready();
    }
  });
  ready();
  if (!channel) tell((text) => parent.postMessage(text, listener));
}
