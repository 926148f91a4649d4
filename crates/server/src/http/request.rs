//! The context of a request, for all handlers.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, Extension};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Uri, header};
use wecom_login_model::{Entropy, Language, Timestamp};
use wecom_login_session::{AccessToken, SessionToken};
use wecom_login_sign_in::{BrowserId, Visitor};

use crate::http::client_address::client_address;
use crate::http::cors;
use crate::http::fetch_metadata::FetchSite;
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

/// The request context as a handler's argument.
pub(crate) type Context = Extension<Arc<RequestContext>>;

/// The parsed headers and address of a request; the border parses each request once.
///
/// If the request has a token in the header Authorization, or a browser name in a header, its cookies are ignored.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext {
    pub(crate) request_id: RequestId,
    pub(crate) received_at: Timestamp,
    pub(crate) began: Instant,
    pub(crate) address: IpAddr,
    pub(crate) language: Language,
    pub(crate) fetch_site: FetchSite,
    /// The browser's name and its flow cookies.
    pub(crate) visitor: Arc<Visitor>,
    pub(crate) naming: BrowserNaming,
    /// The session's cookie.
    pub(crate) token: Option<SessionToken>,
    /// The access token in `Authorization: Bearer`, if there is one.
    pub(crate) access: Option<AccessToken>,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
}

impl RequestContext {
    pub(crate) fn new(parts: &Parts, config: &Config) -> Self {
        let headers = &parts.headers;
        let named =
            headers.get(cors::BROWSER).map(|name| BrowserId::of_client(name.to_str().unwrap_or_default()));
        let (naming, browser) = match named {
            None => (BrowserNaming::Cookie, browser_by_cookie(headers, config)),
            Some(None) => (BrowserNaming::Unusable, None),
            Some(Some(browser)) => (BrowserNaming::Header, Some(browser)),
        };
        // A client that names itself has no cookies of ours.
        let flows = match naming {
            BrowserNaming::Cookie => config.cookies.flows(headers),
            BrowserNaming::Header | BrowserNaming::Unusable => Vec::new(),
        };
        let by_cookie = naming == BrowserNaming::Cookie && !headers.contains_key(header::AUTHORIZATION);
        Self {
            request_id: RequestId::generate(&config.entropy),
            received_at: config.clock.now(),
            began: Instant::now(),
            address: address(&parts.headers, &parts.extensions, config),
            language: language(parts.uri.query(), &parts.headers, config.cookies),
            fetch_site: FetchSite::of(headers, &config.settings.public_url, &config.settings.network.origins),
            visitor: Arc::new(Visitor { browser, flows }),
            naming,
            token: if by_cookie { config.cookies.session(headers) } else { None },
            access: bearer(headers).and_then(AccessToken::parse),
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

    fn accept(&self) -> &str {
        self.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default()
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

    fn user_agent(&self) -> &str {
        self.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// The browser's name in its cookie, if it was issued here.
fn browser_by_cookie(headers: &HeaderMap, config: &Config) -> Option<BrowserId> {
    config.browser_names.read(&config.cookies.browser(headers)?, config.clock.now())
}

/// The client's address, behind any trusted proxies.
fn address(headers: &HeaderMap, extensions: &Extensions, config: &Config) -> IpAddr {
    let peer = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    client_address(peer, headers, &config.settings.network.trusted_proxies)
}

/// The value of `Authorization: Bearer` (RFC 6750, 2.1). Tokens are accepted only there, never in an address.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
