//! The cookies of this server: host-only, HttpOnly, SameSite=Lax, and with the prefix `__Host-` over TLS (RFC 6265bis, 4.1.3).

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};
use wecom_login_model::Language;
use wecom_login_session::SessionToken;
use wecom_login_sign_in::BrowserId;

const SESSION: &str = "wecom_login_session";
const BROWSER: &str = "wecom_login_browser";
const LANGUAGE: &str = "wecom_login_lang";

/// The longest lifetime of a cookie in browsers (RFC 6265bis, 5.5).
const LONGEST: cookie::time::Duration = cookie::time::Duration::days(400);

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

    pub(crate) fn browser(self, headers: &HeaderMap) -> Option<BrowserId> {
        self.read(headers, BROWSER).and_then(|value| BrowserId::parse(&value))
    }

    pub(crate) fn language(self, headers: &HeaderMap) -> Option<Language> {
        self.read(headers, LANGUAGE).and_then(|value| Language::from_tag(&value))
    }

    pub(crate) fn set_session(self, token: &SessionToken, lifetime: std::time::Duration) -> HeaderValue {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        self.write(SESSION, token.secret().expose(), cookie::time::Duration::seconds(seconds).min(LONGEST))
    }

    pub(crate) fn end_session(self) -> HeaderValue {
        self.write(SESSION, "", cookie::time::Duration::ZERO)
    }

    pub(crate) fn set_browser(self, browser: &BrowserId) -> HeaderValue {
        self.write(BROWSER, browser.secret().expose(), LONGEST)
    }

    pub(crate) fn set_language(self, language: Language) -> HeaderValue {
        self.write(LANGUAGE, language.tag(), LONGEST)
    }

    fn name(self, name: &str) -> String {
        if self.https { format!("__Host-{name}") } else { name.to_owned() }
    }

    fn read(self, headers: &HeaderMap, name: &str) -> Option<String> {
        let name = self.name(name);
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Cookie::split_parse)
            .filter_map(Result::ok)
            .find(|cookie| cookie.name() == name)
            .map(|cookie| cookie.value().to_owned())
    }

    #[expect(clippy::expect_used, reason = "names and values are letters, digits, - and _ only")]
    fn write(self, name: &str, value: &str, max_age: cookie::time::Duration) -> HeaderValue {
        let cookie = Cookie::build((self.name(name), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.https)
            .max_age(max_age)
            .build();
        let mut header = HeaderValue::from_str(&cookie.to_string()).expect("a cookie is a header value");
        header.set_sensitive(true);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wecom_login_model::SeededEntropy;

    #[test]
    fn over_tls_cookies_are_bound_to_the_host() {
        let browser = BrowserId::generate(&SeededEntropy::new(1));
        let value = browser.secret().expose();
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
        let browser = BrowserId::generate(&SeededEntropy::new(1));
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "=;;; broken; a=b=c; \"".parse().unwrap());
        headers.append(header::COOKIE, HeaderValue::from_bytes(b"x=\xff").unwrap());
        assert_eq!(Cookies::new(false).browser(&headers), None);
        let ours = format!("theme=dark; wecom_login_browser={}", browser.secret().expose());
        headers.append(header::COOKIE, ours.parse().unwrap());
        assert_eq!(Cookies::new(false).browser(&headers), Some(browser));
        assert_eq!(Cookies::new(true).browser(&headers), None, "over TLS the plain name could be planted");
    }
}
