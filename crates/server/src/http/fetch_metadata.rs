//! Protection against cross-site request forgery: tells requests of our own pages, of configured origins, of other sites and
//! of programs apart by Sec-Fetch-Site and Origin, which pages cannot forge. Programs send neither header, and have no cookies
//! that another site could use.

use axum::http::{HeaderMap, HeaderName, Method, header};
use url::{Origin, Url};

use crate::http::header_bytes::single;

/// The header by which browsers tell the relation of the requesting page to ours.
pub(crate) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The source of a request, by its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FetchSite {
    /// A program: the request has neither header.
    Program,
    /// One of our pages, or the address bar.
    OwnPage,
    /// A page of a configured origin.
    Configured,
    /// Any other page.
    Stranger,
}

impl FetchSite {
    pub(crate) fn of(headers: &HeaderMap, public_url: &Url, configured: &[Origin]) -> Self {
        let (site, origin) = (single(headers, SEC_FETCH_SITE), single(headers, header::ORIGIN));
        // An exact comparison: browsers serialise an origin in one way only, and `null` matches none.
        let is =
            |known: &Origin| origin.is_some_and(|origin| origin == known.ascii_serialization().as_bytes());
        match (site, origin) {
            (None, None) => Self::Program,
            (Some(b"same-origin" | b"none"), _) => Self::OwnPage,
            (Some(b"same-site" | b"cross-site") | None, Some(_)) if configured.iter().any(is) => {
                Self::Configured
            }
            (None, Some(_)) if is(&public_url.origin()) => Self::OwnPage,
            _ => Self::Stranger,
        }
    }

    /// True if the request is allowed; safe methods always are. `shared`: the path is open to configured origins.
    pub(crate) fn may(self, method: &Method, shared: bool) -> bool {
        match self {
            Self::Program | Self::OwnPage => true,
            Self::Configured if shared => true,
            Self::Configured | Self::Stranger => {
                matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch_site(headers: &[(&'static str, &str)]) -> FetchSite {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let url = |text| Url::parse(text).unwrap();
        let configured = [url("https://app.example.org").origin(), url("http://localhost:3000").origin()];
        FetchSite::of(&map, &url("https://login.example.com"), &configured)
    }

    #[test]
    fn browsers_tell_who_asks() {
        let (site, origin) = ("sec-fetch-site", "origin");
        let (own, app) = ("https://login.example.com", "https://app.example.org");
        for (expected, headers) in [
            (FetchSite::Program, vec![]),
            (FetchSite::OwnPage, vec![(site, "same-origin")]),
            (FetchSite::OwnPage, vec![(site, "none")]),
            (FetchSite::OwnPage, vec![(origin, own)]),
            (FetchSite::Configured, vec![(site, "cross-site"), (origin, app)]),
            (FetchSite::Configured, vec![(site, "same-site"), (origin, "http://localhost:3000")]),
            (FetchSite::Configured, vec![(origin, app)]),
        ] {
            assert_eq!(fetch_site(&headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn everything_else_is_a_stranger() {
        let (site, origin) = ("sec-fetch-site", "origin");
        for value in ["cross-site", "same-site", "", "SAME-ORIGIN"] {
            assert_eq!(fetch_site(&[(site, value)]), FetchSite::Stranger, "{value}");
            assert_eq!(
                fetch_site(&[(site, value), (origin, "https://login.example.com")]),
                FetchSite::Stranger,
                "{value}"
            );
        }
        for value in [
            "null",
            "",
            "https://evil.example",
            "http://login.example.com",
            "https://login.example.com:8443",
            "http://app.example.org",
            "https://app.example.org:443",
            "https://app.example.org/",
            "HTTPS://app.example.org",
            "https://app.example.org.evil.example",
            "https://sub.app.example.org",
            "http://localhost:3001",
            "http://127.0.0.1:3000",
            "https://app.example.org https://evil.example",
        ] {
            assert_eq!(fetch_site(&[(origin, value)]), FetchSite::Stranger, "{value}");
            assert_eq!(fetch_site(&[(site, "cross-site"), (origin, value)]), FetchSite::Stranger, "{value}");
        }
    }

    #[test]
    fn f7_a_header_of_any_bytes_is_a_strangers() {
        let (site, origin, own) = ("sec-fetch-site", "origin", "https://login.example.com");
        for headers in [
            vec![(site, "同源")],
            vec![(origin, "https://login.example.com\u{ff}")],
            vec![(site, "same-origin"), (site, "cross-site")],
            vec![(site, "cross-site"), (site, "same-origin"), (origin, own)],
            vec![(origin, own), (origin, "https://evil.example")],
        ] {
            assert_eq!(fetch_site(&headers), FetchSite::Stranger, "{headers:?}");
        }
        assert_eq!(fetch_site(&[(site, "same-origin"), (site, "same-origin")]), FetchSite::OwnPage);
        assert_eq!(fetch_site(&[(site, "same-origin"), (origin, "源")]), FetchSite::OwnPage);
    }

    #[test]
    fn strangers_may_look_but_not_touch() {
        for (fetch_site, shared, may) in [
            (FetchSite::Program, false, true),
            (FetchSite::OwnPage, false, true),
            (FetchSite::Configured, true, true),
            (FetchSite::Configured, false, false),
            (FetchSite::Stranger, true, false),
            (FetchSite::Stranger, false, false),
        ] {
            assert!(fetch_site.may(&Method::GET, shared));
            assert_eq!(fetch_site.may(&Method::POST, shared), may, "{fetch_site:?} {shared}");
            assert_eq!(fetch_site.may(&Method::DELETE, shared), may, "{fetch_site:?} {shared}");
        }
    }
}
