// The redirect address of an instance with "callback": "page", as long as the app has no page of its own there. It does what
// such a page does: it hands code and state to the client, and goes on.

import { api } from "/client.js";

/** The sign-in was not finished within ten minutes. */
const STATE_EXPIRED = 710004;

const page = document.getElementById("callback");
const { element, next, again } = page.dataset;

async function finish() {
  const query = new URLSearchParams(location.search);
  try {
    await api.loginWithCode(element, { authCode: query.get("code"), state: query.get("state") });
  } catch (error) {
    if (error.errcode !== STATE_EXPIRED) return tell(error);
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
    if (value == null) place.closest("[data-row]").hidden = true;
  }
  page.hidden = true;
  trouble.hidden = false;
}

void finish();
