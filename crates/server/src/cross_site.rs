//! Unsafe methods are for our own pages: Sec-Fetch-Site, or Origin where a browser sends none of the former.

use axum::http::{HeaderMap, Method};
use url::Url;

/// True when the request may change something. A request with neither header comes from no browser and carries
/// no cookie that somebody else could ride on.
pub(crate) fn is_allowed(method: &Method, headers: &HeaderMap, public_url: &Url) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let header = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = header("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match header("origin") {
        None => true,
        Some(origin) => Url::parse(origin).is_ok_and(|url| url.origin() == public_url.origin()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(method: &Method, headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        is_allowed(method, &map, &Url::parse("https://login.example.com").unwrap())
    }

    #[test]
    fn other_sites_may_look_but_not_touch() {
        assert!(allowed(&Method::GET, &[("sec-fetch-site", "cross-site")]));
        assert!(allowed(&Method::POST, &[]));
        assert!(allowed(&Method::POST, &[("sec-fetch-site", "same-origin")]));
        assert!(allowed(&Method::POST, &[("origin", "https://login.example.com")]));
        for site in ["cross-site", "same-site", "", "SAME-ORIGIN"] {
            let origin = ("origin", "https://login.example.com");
            assert!(!allowed(&Method::POST, &[("sec-fetch-site", site), origin]), "{site}");
        }
        for origin in
            ["null", "https://evil.example", "http://login.example.com", "https://login.example.com:8443"]
        {
            assert!(!allowed(&Method::POST, &[("origin", origin)]), "{origin}");
            assert!(!allowed(&Method::DELETE, &[("origin", origin)]), "{origin}");
        }
    }
}
