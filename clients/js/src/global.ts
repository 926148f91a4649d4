// The same for pages without modules: everything is in `wecomLogin`, and `api` beside it.

import * as wecomLogin from "./served.js";

Object.assign(globalThis, { wecomLogin });
