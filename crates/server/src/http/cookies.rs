//! The cookies of this server: host-only, HttpOnly, SameSite=Lax, and with the prefix `__Host-` over TLS (RFC 6265bis, 4.1.3).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use cookie::{Cookie, SameSite};
use wecom_login_model::{Language, Secret};
use wecom_login_session::SessionToken;
use wecom_login_sign_in::{BrowserId, FlowCookie};

use crate::http::header_bytes;

const SESSION: &str = "wecom_login_session";
const BROWSER: &str = "wecom_login_browser";
const KNOWN: &str = "wecom_login_known";
const LANGUAGE: &str = "wecom_login_lang";
/// The notice of a binding, for the next home page.
const BOUND: &str = "wecom_login_bound";

/// Followed by the flow's id: one cookie for each flow.
const FLOW: &str = "wecom_login_flow_";

/// The longest lifetime of a cookie in browsers (RFC 6265bis, 5.5).
const LONGEST: Duration = Duration::from_hours(400 * 24);
/// Longer than a state lives, so that a sign-in that restarts still knows its way.
const FLOW_LIFETIME: Duration = Duration::from_mins(15);
/// The limit on the size of a browser's flow cookies, names included, in bytes.
const LARGEST_FLOWS: usize = 6 * 1024;

/// The largest number of session cookies that are looked up for one request.
const MOST_SESSIONS: usize = 16;

/// Reads and writes the cookies.
///
/// A request may have several cookies of one name: another page of our host can add one for a longer path, and browsers send
/// that one first (RFC 6265, 5.4). Values that cannot be ours are passed over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    https: bool,
}

impl Cookies {
    pub(crate) fn new(https: bool) -> Self {
        Self { https }
    }

    /// The tokens of all session cookies, each once. The session is the first one that is active.
    pub(crate) fn sessions(self, headers: &HeaderMap) -> Vec<SessionToken> {
        let mut tokens = Vec::new();
        for token in self.values(headers, SESSION).filter_map(SessionToken::parse) {
            if tokens.len() < MOST_SESSIONS && !tokens.contains(&token) {
                tokens.push(token);
            }
        }
        tokens
    }

    /// The values of all cookies with a browser name; some may be invented.
    pub(crate) fn browsers(self, headers: &HeaderMap) -> impl Iterator<Item = &str> {
        self.values(headers, BROWSER)
    }

    /// The flow cookies, by id.
    pub(crate) fn flows(self, headers: &HeaderMap) -> Vec<(String, Secret)> {
        let flow = |(id, value): (&str, &str)| (id.to_owned(), Secret::new(value));
        self.all_with_prefix(headers, FLOW).map(flow).collect()
    }

    /// The values of all cookies of a known account; some may be invented.
    pub(crate) fn known(self, headers: &HeaderMap) -> impl Iterator<Item = &str> {
        self.values(headers, KNOWN)
    }

    pub(crate) fn language(self, headers: &HeaderMap) -> Option<Language> {
        self.values(headers, LANGUAGE).find_map(Language::from_tag)
    }

    /// The cookies whose name begins with `prefix`: the rest of the name, and the value. Names of cookies are passed without
    /// `__Host-`, here as elsewhere.
    pub(crate) fn all_with_prefix<'a>(
        self,
        headers: &'a HeaderMap,
        prefix: &str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let prefix = self.name(prefix);
        header_bytes::cookies(headers)
            .filter_map(move |(name, value)| Some((name.strip_prefix(&prefix)?, value)))
    }

    /// The session's cookie; without a lifetime it ends with the browser.
    pub(crate) fn set_session(self, token: &SessionToken, lifetime: Option<Duration>) -> HeaderValue {
        self.write(SESSION, token.secret().expose(), lifetime.map(|lifetime| lifetime.min(LONGEST)))
    }

    pub(crate) fn end_session(self) -> HeaderValue {
        self.write(SESSION, "", Some(Duration::ZERO))
    }

    pub(crate) fn set_browser(self, browser: &BrowserId) -> HeaderValue {
        self.write(BROWSER, browser.secret().expose(), Some(LONGEST))
    }

    pub(crate) fn set_known(self, sealed: &str, lifetime: Duration) -> HeaderValue {
        self.write(KNOWN, sealed, Some(lifetime))
    }

    pub(crate) fn set_language(self, language: Language) -> HeaderValue {
        self.write(LANGUAGE, language.tag(), Some(LONGEST))
    }

    /// The values of all cookies with the notice of a binding; some may be invented.
    pub(crate) fn bound(self, headers: &HeaderMap) -> impl Iterator<Item = &str> {
        self.values(headers, BOUND)
    }

    pub(crate) fn set_bound(self, sealed: &str, lifetime: Duration) -> HeaderValue {
        self.write(BOUND, sealed, Some(lifetime))
    }

    pub(crate) fn end_bound(self) -> HeaderValue {
        self.write(BOUND, "", Some(Duration::ZERO))
    }

    pub(crate) fn set_flow(self, flow: &FlowCookie) -> HeaderValue {
        self.write(&format!("{FLOW}{}", flow.id), flow.value.expose(), Some(FLOW_LIFETIME))
    }

    /// Expires the oldest of the browser's `flows` until their size allows another one. A browser sends all of them with each
    /// request, whose head is limited.
    pub(crate) fn expire_flows(self, flows: &[(String, Secret)], new: &FlowCookie) -> Vec<HeaderValue> {
        let name = self.name(FLOW).len();
        let size = |id: &str, value: &Secret| name + id.len() + value.expose().len() + "=; ".len();
        let mut kept: Vec<_> = flows.iter().map(|(id, value)| (id, size(id, value))).collect();
        kept.sort_unstable();
        let mut sum = size(&new.id, &new.value) + kept.iter().map(|(_, size)| size).sum::<usize>();
        let mut expired = Vec::new();
        for (id, size) in kept {
            if sum < LARGEST_FLOWS {
                break;
            }
            sum -= size;
            // A planted name may hold what no header can; the browser expires it in time.
            if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                expired.push(self.write(&format!("{FLOW}{id}"), "", Some(Duration::ZERO)));
            }
        }
        expired
    }

    fn name(self, name: &str) -> String {
        if self.https { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// The values of all cookies with this name.
    fn values<'a>(self, headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.all_with_prefix(headers, name).filter(|(rest, _)| rest.is_empty()).map(|(_, value)| value)
    }

    #[expect(clippy::expect_used, reason = "names and values are letters, digits and - _ + / only")]
    fn write(self, name: &str, value: &str, lifetime: Option<Duration>) -> HeaderValue {
        let mut cookie = Cookie::build((self.name(name), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.https)
            .build();
        if let Some(lifetime) = lifetime {
            let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
            cookie.set_max_age(cookie::time::Duration::seconds(seconds));
        }
        let mut header = HeaderValue::from_str(&cookie.to_string()).expect("a cookie is a header value");
        header.set_sensitive(true);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;

    fn browser() -> BrowserId {
        BrowserId::of_client(&"b".repeat(40)).unwrap()
    }

    #[test]
    fn over_tls_cookies_are_bound_to_the_host() {
        let (browser, value) = (browser(), "b".repeat(40));
        let https = Cookies::new(true).set_browser(&browser);
        assert_eq!(
            https,
            format!(
                "__Host-wecom_login_browser={value}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=34560000"
            )
        );
        let http = Cookies::new(false).set_browser(&browser);
        let expected = format!("wecom_login_browser={value}; HttpOnly; SameSite=Lax; Path=/");
        assert!(http.as_bytes().starts_with(expected.as_bytes()));
    }

    #[test]
    fn f7_odd_cookies_hide_nothing() {
        let (ours, quoted) = (&b"wecom_login_browser=name"[..], &b"wecom_login_browser=\"name\""[..]);
        for [before, after] in [
            [&b""[..], b""],
            [b"theme=dark; ", b";"],
            ["corp_user=张三; ".as_bytes(), b""],
            [b"", "; corp_user=张三".as_bytes()],
            [b"=;;; broken; a=b=c; \"; ", b"; x=\xff"],
            [b"x=\xd5\xc5\xc8\xfd;", b";;;="],
            [b"wecom_login_browser=; wecom_login_browser=planted; ", b"; wecom_login_browser=\xff"],
            [b"wecom_login_browser; =wecom_login_browser; WECOM_LOGIN_BROWSER=x;\t", b""],
        ] {
            for ours in [ours, quoted] {
                let value = [before, ours, after].concat();
                let shown = value.escape_ascii().to_string();
                let mut headers = HeaderMap::new();
                headers.append(header::COOKIE, HeaderValue::from_bytes(&value).unwrap());
                let read = |https, headers| Cookies::new(https).browsers(headers).any(|name| name == "name");
                assert!(read(false, &headers), "{shown}");
                assert!(!read(true, &headers), "over TLS the plain name could be planted");
                // In a header of its own, before and after.
                let mut headers = HeaderMap::new();
                for value in [before, ours, after] {
                    headers.append(header::COOKIE, HeaderValue::from_bytes(value).unwrap());
                }
                assert!(read(false, &headers), "{shown}");
            }
        }
    }

    #[test]
    fn every_session_cookie_that_can_be_ours_is_read_once() {
        let token = |letter: &str| letter.repeat(43);
        let cookie = |value: &str| format!("wecom_login_session={value}; ");
        let many: String = ["x", &token("a"), &token("b"), &token("a"), "\""].map(cookie).concat();
        let headers = [(header::COOKIE, many.parse().unwrap())].into_iter().collect();
        let read = Cookies::new(false).sessions(&headers);
        let expected = [token("a"), token("b")].map(|text| SessionToken::parse(&text).unwrap());
        assert_eq!(read, expected);
        assert_eq!(Cookies::new(true).sessions(&headers), []);

        let more: String = ('A'..='Z').map(|letter| cookie(&token(&letter.to_string()))).collect();
        let headers = [(header::COOKIE, more.parse().unwrap())].into_iter().collect();
        assert_eq!(Cookies::new(false).sessions(&headers).len(), MOST_SESSIONS);
    }

    #[test]
    fn cookies_are_found_by_the_beginning_of_their_name() {
        let headers = [(header::COOKIE, "a_1=x; b=y; a_2=; __Host-a_3=z; A_4=x".parse().unwrap())];
        let headers = headers.into_iter().collect();
        let found = |https| Cookies::new(https).all_with_prefix(&headers, "a_").collect::<Vec<_>>();
        assert_eq!(found(false), [("1", "x"), ("2", "")]);
        assert_eq!(found(true), [("3", "z")]);
    }

    #[test]
    fn the_oldest_flows_make_room_for_a_new_one() {
        let cookies = Cookies::new(true);
        let flow = |age: u32, bytes: usize| (format!("{age:019}"), Secret::new("v".repeat(bytes)));
        let new = FlowCookie { id: format!("{:019}", 9), value: Secret::new("v".repeat(2000)) };
        let expired = |flows: &[(String, Secret)]| -> Vec<String> {
            let expired = cookies.expire_flows(flows, &new);
            let name =
                |cookie: &HeaderValue| cookie.as_bytes().split(|byte| *byte == b'=').next().unwrap().to_vec();
            expired.iter().map(|cookie| String::from_utf8(name(cookie)).unwrap()).collect()
        };
        assert_eq!(expired(&[flow(2, 2000), flow(1, 2000)]), Vec::<String>::new());
        assert_eq!(
            expired(&[flow(3, 2000), flow(1, 2000), flow(2, 2000)]),
            [format!("__Host-wecom_login_flow_{:019}", 1)]
        );
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "__Host-wecom_login_flow_1=a; wecom_login_flow_2=b".parse().unwrap());
        assert_eq!(cookies.flows(&headers), [("1".to_owned(), Secret::new("a"))]);
    }
}
