//! The cookies of this server: host-only, HttpOnly, SameSite=Lax, and with the prefix `__Host-` over TLS (RFC 6265bis, 4.1.3).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};
use wecom_login_model::{Language, Secret};
use wecom_login_session::SessionToken;
use wecom_login_sign_in::{BrowserId, FlowCookie};

const SESSION: &str = "wecom_login_session";
const BROWSER: &str = "wecom_login_browser";
const LANGUAGE: &str = "wecom_login_lang";

/// Followed by the flow's id: one cookie for each flow.
const FLOW: &str = "wecom_login_flow_";

/// The longest lifetime of a cookie in browsers (RFC 6265bis, 5.5).
const LONGEST: Duration = Duration::from_hours(400 * 24);
/// Longer than a state lives, so that a sign-in that restarts still knows its way.
const FLOW_LIFETIME: Duration = Duration::from_mins(15);
/// The limit on the size of a browser's flow cookies, names included, in bytes.
const LARGEST_FLOWS: usize = 6 * 1024;

/// Reads and writes the cookies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    https: bool,
}

impl Cookies {
    pub(crate) fn new(https: bool) -> Self {
        Self { https }
    }

    pub(crate) fn session(self, headers: &HeaderMap) -> Option<SessionToken> {
        self.read(headers, SESSION).and_then(|value| SessionToken::parse(&value))
    }

    /// The value of the browser's name, whoever issued it.
    pub(crate) fn browser(self, headers: &HeaderMap) -> Option<String> {
        self.read(headers, BROWSER)
    }

    /// The flow cookies, by id.
    pub(crate) fn flows(self, headers: &HeaderMap) -> Vec<(String, Secret)> {
        let prefix = self.name(FLOW);
        let flow = |cookie: Cookie<'_>| {
            let id = cookie.name().strip_prefix(&prefix)?;
            Some((id.to_owned(), Secret::new(cookie.value())))
        };
        all(headers).filter_map(flow).collect()
    }

    pub(crate) fn language(self, headers: &HeaderMap) -> Option<Language> {
        self.read(headers, LANGUAGE).and_then(|value| Language::from_tag(&value))
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

    pub(crate) fn set_language(self, language: Language) -> HeaderValue {
        self.write(LANGUAGE, language.tag(), Some(LONGEST))
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

    fn read(self, headers: &HeaderMap, name: &str) -> Option<String> {
        let name = self.name(name);
        all(headers).find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
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

fn all(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(Cookie::split_parse).filter_map(Result::ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser() -> BrowserId {
        BrowserId::of_client(&"b".repeat(40)).unwrap()
    }

    #[test]
    fn over_tls_cookies_are_bound_to_the_host() {
        let (browser, value) = (browser(), "b".repeat(40));
        let https = Cookies::new(true).set_browser(&browser);
        assert_eq!(
            https.to_str().unwrap(),
            format!(
                "__Host-wecom_login_browser={value}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=34560000"
            )
        );
        let http = Cookies::new(false).set_browser(&browser);
        assert!(
            http.to_str()
                .unwrap()
                .starts_with(&format!("wecom_login_browser={value}; HttpOnly; SameSite=Lax; Path=/"))
        );
    }

    #[test]
    fn odd_cookie_headers_hide_nothing() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "=;;; broken; a=b=c; \"".parse().unwrap());
        headers.append(header::COOKIE, HeaderValue::from_bytes(b"x=\xff").unwrap());
        assert_eq!(Cookies::new(false).browser(&headers), None);
        headers.append(header::COOKIE, "theme=dark; wecom_login_browser=name".parse().unwrap());
        assert_eq!(Cookies::new(false).browser(&headers).as_deref(), Some("name"));
        assert_eq!(Cookies::new(true).browser(&headers), None, "over TLS the plain name could be planted");
    }

    #[test]
    fn the_oldest_flows_make_room_for_a_new_one() {
        let cookies = Cookies::new(true);
        let flow = |age: u32, bytes: usize| (format!("{age:019}"), Secret::new("v".repeat(bytes)));
        let new = FlowCookie { id: format!("{:019}", 9), value: Secret::new("v".repeat(2000)) };
        let expired = |flows: &[(String, Secret)]| -> Vec<String> {
            let expired = cookies.expire_flows(flows, &new);
            expired
                .iter()
                .map(|cookie| cookie.to_str().unwrap().split('=').next().unwrap().to_owned())
                .collect()
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
