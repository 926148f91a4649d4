//! The context of a request, for all handlers.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, Extension};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Uri, header};
use wecom_login_accounts::ApiKey;
use wecom_login_model::{Entropy, Language, Timestamp};
use wecom_login_session::{AccessToken, SessionToken};
use wecom_login_sign_in::{Attempter, BrowserId, Visitor};

use crate::http::client_address::{ClientAddress, NO_PEER, ProxyFault, client_address};
use crate::http::cors;
use crate::http::fetch_metadata::FetchSite;
use crate::http::header_bytes::{single, text};
use crate::http::known_browser::known_account;
use crate::http::language::language;
use crate::state::Config;

/// 32 hexadecimal digits that identify a request in the log, in the answer and on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0_u8; 16];
        entropy.fill(&mut bytes);
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the request names its browser, to which states are bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrowserNaming {
    /// By the cookie, or not at all.
    Cookie,
    /// By a header that a front end on another site sends, where browsers block our cookie. Such a client gets a token
    /// pair instead of a cookie.
    Header,
    /// The header holds no valid name.
    Unusable,
}

/// What `Authorization: Bearer` holds (RFC 6750, 2.1). Tokens are accepted only there, never in an address.
#[derive(Debug, Clone)]
pub(crate) enum Bearer {
    Access(AccessToken),
    Key(ApiKey),
    /// Neither of ours.
    Unknown,
}

impl Bearer {
    /// The bearer token of a request. Other schemes are not ours: a proxy in front may ask for a password. If there are several
    /// bearer tokens, the first one in a format of ours counts.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut tokens = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
            let value = value.as_bytes().trim_ascii();
            let scheme = value.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(value.len());
            let (scheme, token) = value.split_at(scheme);
            scheme.eq_ignore_ascii_case(b"bearer").then(|| Self::parse(token.trim_ascii()))
        });
        let first = tokens.next()?;
        let is_ours = |token: &Self| !matches!(token, Self::Unknown);
        Some(if is_ours(&first) { first } else { tokens.find(is_ours).unwrap_or(first) })
    }

    fn parse(token: &[u8]) -> Self {
        let Ok(token) = std::str::from_utf8(token) else { return Self::Unknown };
        let access = || AccessToken::parse(token).map(Self::Access);
        access().or_else(|| ApiKey::parse(token).map(Self::Key)).unwrap_or(Self::Unknown)
    }
}

/// The request context as a handler's argument.
pub(crate) type Context = Extension<Arc<RequestContext>>;

/// The parsed headers and address of a request; the border parses each request once.
///
/// A bearer token takes precedence over session cookies, even if it is not valid. A browser name in a header takes precedence
/// over the browser cookie, if it is valid.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    pub(crate) request_id: RequestId,
    pub(crate) received_at: Timestamp,
    pub(crate) began: Instant,
    pub(crate) address: ClientAddress,
    /// The fault of a proxy's set-up that the request shows.
    pub(crate) proxy_fault: Option<ProxyFault>,
    pub(crate) language: Language,
    pub(crate) fetch_site: FetchSite,
    /// The browser's name, its flow cookies, and whose allowance a wrong code is counted against.
    pub(crate) visitor: Arc<Visitor>,
    pub(crate) naming: BrowserNaming,
    /// The session cookies, in the order of the request; none if there is a bearer token.
    pub(crate) tokens: Vec<SessionToken>,
    pub(crate) bearer: Option<Bearer>,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
}

impl RequestContext {
    pub(crate) fn new(parts: &Parts, config: &Config) -> Self {
        let headers = &parts.headers;
        let named = single(headers, cors::BROWSER)
            .map(|name| std::str::from_utf8(name).ok().and_then(BrowserId::of_client));
        let (naming, browser) = match named {
            None => (BrowserNaming::Cookie, browser_by_cookie(headers, config)),
            Some(None) => (BrowserNaming::Unusable, browser_by_cookie(headers, config)),
            Some(Some(browser)) => (BrowserNaming::Header, Some(browser)),
        };
        let (address, proxy_fault) = address(headers, &parts.extensions, config);
        // A client that names itself has no cookies of a flow or of an earlier sign-in.
        let (flows, account) = match naming {
            BrowserNaming::Cookie | BrowserNaming::Unusable => (
                config.cookies.flows(headers),
                known_account(config.cookies, headers, &config.sealer, config.clock.now()),
            ),
            BrowserNaming::Header => (Vec::new(), None),
        };
        let attempter = Attempter {
            address: address.counted_as(),
            account,
            is_exempt: config.settings.spare_loopback && address.is_loopback(),
        };
        let bearer = Bearer::of(headers);
        Self {
            request_id: RequestId::generate(&config.entropy),
            received_at: config.clock.now(),
            began: Instant::now(),
            address,
            proxy_fault,
            language: language(parts.uri.query(), &parts.headers, config.cookies),
            fetch_site: FetchSite::of(headers, &config.settings.public_url, &config.settings.network.origins),
            visitor: Arc::new(Visitor { browser, flows, attempter }),
            naming,
            tokens: if bearer.is_none() { config.cookies.sessions(headers) } else { Vec::new() },
            bearer,
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
        }
    }

    /// The first value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.uri.query()?;
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into())
    }

    /// The address without its host.
    pub(crate) fn path_and_query(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    /// True if the client accepts HTML.
    pub(crate) fn takes_html(&self) -> bool {
        self.accept().contains("text/html")
    }

    /// True if the client accepts only HTML.
    pub(crate) fn takes_html_alone(&self) -> bool {
        let accept = self.accept();
        accept.contains("text/html") && !accept.contains("*/*") && !accept.contains("json")
    }

    fn accept(&self) -> Cow<'_, str> {
        text(&self.headers, header::ACCEPT)
    }

    /// True in the built-in browser of WeCom, where the silent redirect asks for no tap.
    pub(crate) fn is_in_workbench(&self) -> bool {
        self.user_agent().contains("wxwork/")
    }

    /// True in WeCom's client on a computer, which several people may share.
    pub(crate) fn is_in_desktop_client(&self) -> bool {
        let agent = self.user_agent();
        self.is_in_workbench()
            && !["Mobile", "Android", "iPhone", "iPad"].iter().any(|word| agent.contains(word))
    }

    /// True in the built-in browsers of WeCom and of WeChat, whose WeCom plug-in opens links there.
    pub(crate) fn is_inside_wecom(&self) -> bool {
        self.is_in_workbench() || self.user_agent().contains("MicroMessenger/")
    }

    fn user_agent(&self) -> Cow<'_, str> {
        text(&self.headers, header::USER_AGENT)
    }
}

/// The browser's name in its cookie, if it was issued here.
fn browser_by_cookie(headers: &HeaderMap, config: &Config) -> Option<BrowserId> {
    let now = config.clock.now();
    config.cookies.browsers(headers).find_map(|name| config.browser_names.read(name, now))
}

/// The client's address, behind any trusted proxies.
fn address(
    headers: &HeaderMap,
    extensions: &Extensions,
    config: &Config,
) -> (ClientAddress, Option<ProxyFault>) {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map_or(NO_PEER, |peer| peer.0.ip());
    client_address(peer, headers, &config.settings.network.trusted_proxies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn bearer(values: &[&[u8]]) -> &'static str {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        match Bearer::of(&headers) {
            None => "none",
            Some(Bearer::Access(_)) => "access",
            Some(Bearer::Key(_)) => "key",
            Some(Bearer::Unknown) => "unknown",
        }
    }

    #[test]
    fn f22_only_the_scheme_bearer_is_ours() {
        let access = format!("Bearer wecom-login-access_{}", "a".repeat(43));
        let key = format!("bEARER \t wecom-login-key_{} ", "a".repeat(43));
        let (access, key) = (access.as_bytes(), key.as_bytes());
        for (values, expected) in [
            (&[][..], "none"),
            (&[&b"Basic c3RhZ2luZzpzdGFnaW5n"[..]], "none"),
            (&[b"Negotiate YII="], "none"),
            (&["张三".as_bytes()], "none"),
            (&[b"\xff\x80 Bearer x"], "none"),
            (&[b""], "none"),
            (&[b"BearerX y"], "none"),
            (&[&access[7..]], "none"),
            (&[b"Bearer"], "unknown"),
            (&[b"Bearer \xff"], "unknown"),
            (&[b"Bearer eyJhbGciOiJSUzI1NiJ9.e30.x"], "unknown"),
            (&[access], "access"),
            (&[key], "key"),
            (&[b"Basic c3RhZ2luZzpzdGFnaW5n", access], "access"),
            (&[key, b"Basic c3RhZ2luZzpzdGFnaW5n"], "key"),
            (&[b"Bearer eyJh", access], "access"),
            (&[b"Bearer eyJh", b"Basic x"], "unknown"),
        ] {
            assert_eq!(bearer(values), expected, "{values:?}");
        }
    }
}
