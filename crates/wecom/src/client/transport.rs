//! The HTTP layer: one connection pool, verified TLS, no redirects, no cookies, a time limit and a size limit for every
//! answer. Its errors contain no URL, because WeCom's URLs contain secrets.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::client::api::Api;
use crate::client::error::{Kind, redacted};
use crate::client::observer::Observer;
use crate::client::quota::{CallLimits, Quota, QuotaStore};
use crate::client::refusals::Refusals;
use crate::{Error, Secret};

/// The HTTP connections to WeCom. Clones share connections, call quotas and recent refusals: create one per process and
/// proxy, and pass it to every [`Client`](crate::Client).
///
/// ```
/// let transport = wecom::Transport::builder().proxy("http://user:pw@proxy.example.com:3128".into()).build()?;
/// assert!(!format!("{transport:?}").contains("pw"));
/// # Ok::<(), wecom::Error>(())
/// ```
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    call_time_out: Duration,
    refusals: Refusals,
    quota: Quota,
    observer: Option<Arc<dyn Observer>>,
}

/// Settings of a [`Transport`].
#[derive(Debug)]
pub struct TransportBuilder {
    call_time_out: Duration,
    connect_time_out: Duration,
    proxy: Option<Secret>,
    roots: Vec<Vec<u8>>,
    observer: Option<Arc<dyn Observer>>,
    limits: CallLimits,
    quota_store: Option<Arc<dyn QuotaStore>>,
    quota: Option<Quota>,
}

/// One request, ready to go.
pub(crate) struct Request<'a> {
    pub(crate) api: &'static Api,
    pub(crate) base: &'a str,
    pub(crate) query: &'a [(&'static str, &'a str)],
    /// JSON; a request with a body is a POST.
    pub(crate) body: Option<String>,
    pub(crate) deadline: Option<Instant>,
    /// The parts of query and body that no error may contain.
    pub(crate) secrets: &'a [&'a str],
}

impl Transport {
    /// Settings. The defaults: 3 s to connect, 10 s per call, no proxy, the system's certificates.
    pub fn builder() -> TransportBuilder {
        TransportBuilder {
            call_time_out: Duration::from_secs(10),
            connect_time_out: Duration::from_secs(3),
            proxy: None,
            roots: Vec::new(),
            observer: None,
            limits: CallLimits::default(),
            quota_store: None,
            quota: None,
        }
    }

    /// The observer, if there is one.
    pub fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.0.observer.as_ref()
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    pub(crate) fn quota(&self) -> &Quota {
        &self.0.quota
    }

    /// The body of an answer with HTTP status 200.
    pub(crate) async fn exchange(&self, request: Request<'_>) -> Result<Vec<u8>, Error> {
        let api = request.api;
        let mut bound = Instant::now() + self.0.call_time_out;
        if let Some(deadline) = request.deadline {
            bound = bound.min(deadline);
        }
        match tokio::time::timeout_at(bound, self.send(request)).await {
            Ok(result) => result.map_err(|kind| Error::of_call(api.path, kind)),
            Err(_) => Err(Error::of_call(api.path, Kind::TimedOut)),
        }
    }

    async fn send(&self, request: Request<'_>) -> Result<Vec<u8>, Kind> {
        let mut url = Url::parse(&format!("{}/cgi-bin/{}", request.base, request.api.path))
            .map_err(|_| Kind::Misconfigured("the api base is no URL".to_owned()))?;
        url.query_pairs_mut().extend_pairs(request.query);
        let builder = match request.body {
            None => self.0.http.get(url),
            Some(body) => self.0.http.post(url).header("content-type", "application/json").body(body),
        };
        let classify = |error| classify(error, request.secrets);
        let mut response = builder.send().await.map_err(classify)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(Kind::Status(response.status().as_u16()));
        }
        let limit = request.api.largest_answer;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(classify)? {
            if body.len() + chunk.len() > limit {
                return Err(Kind::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Keeps the innermost cause only: the others contain the URL.
fn classify(error: reqwest::Error, secrets: &[&str]) -> Kind {
    let error = error.without_url();
    if error.is_timeout() {
        return Kind::TimedOut;
    }
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = redacted(&cause.to_string(), secrets);
    if error.is_connect() { Kind::Unreachable(text) } else { Kind::Interrupted(text) }
}

impl TransportBuilder {
    /// The time limit of one call, whatever the budget; 10 seconds by default.
    pub fn call_time_out(mut self, long: Duration) -> Self {
        self.call_time_out = long;
        self
    }

    /// The time limit of a new connection; 3 seconds by default.
    pub fn connect_time_out(mut self, long: Duration) -> Self {
        self.connect_time_out = long;
        self
    }

    /// Sends every call through an HTTP proxy, which gives a fixed address for WeCom's trusted addresses (企业可信IP). The
    /// URL may have user name and password. Proxy variables of the environment are ignored.
    pub fn proxy(mut self, url: Secret) -> Self {
        self.proxy = Some(url);
        self
    }

    /// Trusts the certificates of a PEM text in addition to the system's; for private deployments.
    pub fn trust_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Reports every call to `observer`.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The calls that WeCom allows; for deployments with other limits.
    pub fn call_limits(mut self, limits: CallLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Counts calls together with the other processes that use this store; by default each process counts alone.
    pub fn quota_store(mut self, store: Arc<dyn QuotaStore>) -> Self {
        self.quota_store = Some(store);
        self
    }

    /// Counts calls together with `other`, whose limits and store apply: WeCom counts a company's calls whatever proxy
    /// they come through.
    pub fn quota_of(mut self, other: &Transport) -> Self {
        self.quota = Some(other.0.quota.clone());
        self
    }

    /// Builds the transport. Fails if the proxy URL or a certificate cannot be read.
    pub fn build(self) -> Result<Transport, Error> {
        // Fails if the process already has a provider; that one is used then.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut roots = Vec::new();
        for pem in &self.roots {
            let bundle = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|_| Error::misconfigured("the certificate to trust is no PEM text"))?;
            roots.extend(bundle);
        }
        let builder = || -> Result<reqwest::ClientBuilder, Error> {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("wecom-rust/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(self.connect_time_out)
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .tcp_nodelay(true)
                .pool_idle_timeout(Duration::from_mins(1));
            Ok(match &self.proxy {
                Some(url) => builder.proxy(proxy(url)?),
                None => builder.no_proxy(),
            })
        };
        let http = if let Ok(http) = builder()?.tls_certs_merge(roots.clone()).build() {
            http
        } else {
            // A minimal container has no system certificates. http on loopback and https with a configured certificate
            // must work there; any other https call fails.
            tracing::warn!("the system has no certificates to trust; https works with configured ones only");
            builder()?
                .tls_certs_only(roots)
                .build()
                .map_err(|_| Error::misconfigured("TLS could not be set up"))?
        };
        Ok(Transport(Arc::new(Inner {
            http,
            call_time_out: self.call_time_out,
            refusals: Refusals::default(),
            quota: self.quota.unwrap_or_else(|| Quota::new(self.limits, self.quota_store)),
            observer: self.observer,
        })))
    }
}

/// Removes user name and password from the URL, because the crates below log the URL.
fn proxy(url: &Secret) -> Result<reqwest::Proxy, Error> {
    let wrong = || {
        Error::misconfigured("the proxy must be a URL such as http://user:password@proxy.example.com:3128")
    };
    let mut url = Url::parse(url.expose()).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong());
    }
    let decode = |text: &str| {
        // Only %XX is an escape here; the form decoder has three more.
        let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
        url::form_urlencoded::parse(text.as_bytes())
            .next()
            .map_or(String::new(), |(text, _)| text.into_owned())
    };
    let user = decode(url.username());
    let password = decode(url.password().unwrap_or_default());
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| wrong())?;
    let proxy = reqwest::Proxy::all(url).map_err(|_| wrong())?;
    Ok(if user.is_empty() && password.is_empty() { proxy } else { proxy.basic_auth(&user, &password) })
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("call_time_out", &self.0.call_time_out).finish_non_exhaustive()
    }
}
