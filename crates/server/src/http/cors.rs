//! CORS (Fetch standard, 3.3): the requests that front ends of configured origins may send, and the headers that allow them.
//! Other origins get none of these headers.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::http::fetch_metadata::FetchSite;

/// The header in which a client names its browser, instead of the cookie.
pub(crate) const BROWSER: HeaderName = HeaderName::from_static("x-wecom-login-browser");
/// The header that gives a client the addresses of an instance's WeCom.
pub(crate) const HOSTS: HeaderName = HeaderName::from_static("x-wecom-login-hosts");

/// How long a browser may cache a preflight's answer, in seconds.
const REMEMBERED: &str = "600";

/// The part of a route that is open to front ends of configured origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cors {
    /// Nothing.
    Closed,
    /// Everything, with cookies, as from another host of the same site.
    WithCookies,
    /// Everything, without cookies: the body authenticates the caller, or the route needs no authentication.
    WithoutCookies,
    /// Only the two element functions that a sign-in needs, with cookies.
    SignInFunctions,
}

/// A path that is open to front ends of configured origins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shared {
    with_cookies: bool,
}

impl Cors {
    /// How a path of the route is open, if it is.
    pub(crate) fn at(self, path: &str) -> Option<Shared> {
        match self {
            Self::Closed => None,
            Self::WithCookies => Some(Shared { with_cookies: true }),
            Self::WithoutCookies => Some(Shared { with_cookies: false }),
            Self::SignInFunctions => {
                let function = path.rsplit_once('/')?.1;
                matches!(function, "getLoginConfig" | "getLoginCode").then_some(Shared { with_cookies: true })
            }
        }
    }
}

/// True for a CORS preflight.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

impl Shared {
    /// The answer to a preflight.
    pub(crate) fn preflight(fetch_site: FetchSite, methods: &[Method]) -> Response {
        if fetch_site != FetchSite::Configured {
            return StatusCode::FORBIDDEN.into_response();
        }
        let methods = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let headers = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, methods.as_str()),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, x-wecom-login-browser"),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
        ];
        (StatusCode::NO_CONTENT, headers).into_response()
    }

    /// Adds the CORS headers for a configured origin, and the Vary header for caches.
    pub(crate) fn complete(
        self,
        fetch_site: FetchSite,
        origin: Option<&HeaderValue>,
        headers: &mut HeaderMap,
    ) {
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let (FetchSite::Configured, Some(origin)) = (fetch_site, origin) else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.with_cookies {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        let exposed = HeaderValue::from_static("x-request-id, x-wecom-login-hosts");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}
