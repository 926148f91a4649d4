//! What front ends of configured origins may ask for, and the headers by which their browsers let them (CORS; Fetch
//! standard, 3.3). Other origins get none of these headers.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::cross_site::Asker;

/// The header by which a client names its browser, in place of our cookie.
pub(crate) const BROWSER: HeaderName = HeaderName::from_static("x-wecom-login-browser");
/// The header that tells a client where an instance's WeCom is.
pub(crate) const HOSTS: HeaderName = HeaderName::from_static("x-wecom-login-hosts");

/// How long a browser may remember a preflight's answer, in seconds.
const REMEMBERED: &str = "600";

/// Something that is there for front ends of configured origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shared {
    method: &'static str,
    /// Cookies may come along, as they do from another host of our own site.
    with_cookies: bool,
}

/// What is shared at a path, if anything.
pub(crate) fn at(path: &str) -> Option<Shared> {
    let shared = |method, with_cookies| Some(Shared { method, with_cookies });
    match path {
        "/me" => shared("GET", true),
        "/logout" => shared("POST", true),
        // The token is in the body.
        "/session/refresh" => shared("POST", false),
        "/client.js" | "/client.global.js" => shared("GET", false),
        _ => {
            let function = path.strip_prefix("/api/")?.rsplit_once('/')?.1;
            matches!(function, "getLoginConfig" | "getLoginCode")
                .then_some(Shared { method: "POST", with_cookies: true })
        }
    }
}

/// True when a browser asks whether it may ask.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

impl Shared {
    /// The answer to a preflight.
    pub(crate) fn preflight(self, asker: Asker) -> Response {
        if asker != Asker::Configured {
            return StatusCode::FORBIDDEN.into_response();
        }
        let headers = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, self.method),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, x-wecom-login-browser"),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
        ];
        (StatusCode::NO_CONTENT, headers).into_response()
    }

    /// Adds what the browser of a configured origin needs to see, and what caches do.
    pub(crate) fn complete(self, asker: Asker, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let (Asker::Configured, Some(origin)) = (asker, origin) else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.with_cookies {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        let exposed = HeaderValue::from_static("x-request-id, x-wecom-login-hosts");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_in_is_shared_and_nothing_else() {
        for path in [
            "/me",
            "/logout",
            "/api/acme/portal/auths/loginTypes/X/getLoginConfig",
            "/api/a/b/c/getLoginCode",
        ] {
            assert!(at(path).is_some_and(|shared| shared.with_cookies), "{path}");
        }
        for path in ["/session/refresh", "/client.js", "/client.global.js"] {
            assert!(at(path).is_some_and(|shared| !shared.with_cookies), "{path}");
        }
        for path in [
            "/",
            "/login",
            "/me/",
            "/api/getLoginConfig/x",
            "/x/getLoginConfig",
            "/api/acme/portal/auths/loginTypes/X/getUserInfo",
            "/api/acme/portal/auths/loginTypes/X/syncDepartmentInfo",
            "/console/api/accounts",
            "/oauth2/token",
        ] {
            assert_eq!(at(path), None, "{path}");
        }
    }
}
