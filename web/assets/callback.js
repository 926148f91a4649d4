// The redirect address of an instance with "callback": "page", as long as the app has no page of its own there. It does what
// such a page does: it hands code and state to the client, and goes on.

/** The sign-in was not finished within ten minutes (710004), or broke off after its code was used up (710203). */
const BEGIN_AGAIN = new Set([710004, 710203]);

const page = document.getElementById("callback");
const { element, next, again } = page.dataset;

async function finish() {
  const query = new URLSearchParams(location.search);
  try {
    // Here, so that a client that cannot be loaded is told like any other trouble.
    const { api } = await import("/client.js");
    await api.loginWithCode(element, { authCode: query.get("code"), state: query.get("state") });
  } catch (error) {
    if (!BEGIN_AGAIN.has(error.errcode)) return tell(error);
    return location.replace(again);
  }
  // The address holds the code: it does not stay in the history.
  location.replace(next);
}

function tell({ errmsg, errcode, requestId }) {
  const trouble = document.getElementById("trouble");
  for (const [name, value] of Object.entries({ reason: errmsg, number: errcode, request: requestId })) {
    const place = trouble.querySelector(`[data-fill=${name}]`);
    place.textContent = value ?? "";
    place.closest("[data-row]").hidden = value == null;
  }
  page.hidden = true;
  trouble.hidden = false;
}

void finish();
