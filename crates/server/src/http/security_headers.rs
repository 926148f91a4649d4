//! The security headers of every answer.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const POLICY: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
/// Browser features that no page needs. The sign-in page grants WeCom's frame one more; see `sign_in/panel.rs`.
pub(crate) const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

/// Adds the headers that the handler has not set.
pub(crate) fn complete(headers: &mut HeaderMap, https: bool) {
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(CONTENT_SECURITY_POLICY, POLICY);
    default(REFERRER_POLICY, "no-referrer");
    default(X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(CACHE_CONTROL, "no-store");
    default(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    default(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if https {
        default(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

/// True if caches may keep the completed answer.
pub(crate) fn may_be_cached(headers: &HeaderMap) -> bool {
    headers.get(CACHE_CONTROL) != Some(&NO_STORE)
}

/// Makes an answer that sets a cookie uncacheable: a shared cache would give the cookie to other visitors.
pub(crate) fn keep_cookies_private(headers: &mut HeaderMap) {
    if headers.contains_key(SET_COOKIE) {
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f23_an_answer_with_a_cookie_is_never_cacheable() {
        for cached in ["public, max-age=31536000, immutable", "public, no-cache", "private", "no-store"] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(cached));
            complete(&mut headers, true);
            assert_eq!(may_be_cached(&headers), cached != "no-store");
            keep_cookies_private(&mut headers);
            assert_eq!(headers[CACHE_CONTROL], cached);
            headers.insert(SET_COOKIE, HeaderValue::from_static("a=b"));
            keep_cookies_private(&mut headers);
            assert_eq!(headers[CACHE_CONTROL], "no-store");
        }
    }
}
