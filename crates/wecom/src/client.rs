use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use wecom_login_model::{Clock, CorpId, Entropy, Secret, SystemClock, SystemEntropy, Timestamp};

use crate::token::{TokenCache, TokenSource};
use crate::{Budget, Calls, Endpoints, Error, InProcessTokens, TokenKey, TokenStore, Transport};

/// One app of one company: its credentials and its access token. Clones are cheap and share both.
///
/// ```no_run
/// use wecom::{Budget, Client, Endpoints, Transport};
/// use wecom::model::{CorpId, Secret};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder(CorpId::parse("ww1436e0e65a779aee")?, Secret::new("the app's secret"))
///     .endpoints(Endpoints::default().with_api("https://wecom.example.gov")?)
///     .transport(Transport::builder().build()?)
///     .build()?;
/// let departments = client.within(Budget::background()).departments(None).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) endpoints: Endpoints,
    pub(crate) tokens: TokenCache,
}

/// Settings of a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    corp_id: CorpId,
    secret: Secret,
    endpoints: Endpoints,
    transport: Option<Transport>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    store: Option<Arc<dyn TokenStore>>,
}

impl Client {
    /// Settings for the app that `secret` belongs to.
    pub fn builder(corp_id: CorpId, secret: Secret) -> ClientBuilder {
        ClientBuilder {
            corp_id,
            secret,
            endpoints: Endpoints::default(),
            transport: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            store: None,
        }
    }

    /// Calls for one piece of work. A sign-in's time starts to run here.
    pub fn within(&self, budget: Budget) -> Calls {
        Calls::new(self.clone(), budget)
    }

    /// The company.
    pub fn corp_id(&self) -> &CorpId {
        &self.0.tokens.source().corp_id
    }

    /// Where this client finds WeCom, and where its sign-in links lead.
    pub fn endpoints(&self) -> &Endpoints {
        &self.0.endpoints
    }

    /// Under which this client's token is shared.
    pub fn token_key(&self) -> TokenKey {
        self.0.tokens.source().key
    }

    /// When WeCom issued the token that this process holds; `None` before the first one. Nothing is fetched.
    pub fn token_issued_at(&self) -> Option<Timestamp> {
        self.0.tokens.issued_at()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("corp_id", self.corp_id()).finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Where WeCom is; its own hosts by default.
    pub fn endpoints(mut self, endpoints: Endpoints) -> Self {
        self.endpoints = endpoints;
        self
    }

    /// The way there; one of this client's own by default. Share one among the clients of a process.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// What says when a token ends; the system's clock by default. Time-outs are real time all the same.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where chance comes from, for pauses and leases; the system by default.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Where the token is shared; this client's memory by default.
    pub fn token_store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Builds it; nothing is called yet.
    pub fn build(self) -> Result<Client, Error> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => Transport::builder().build()?,
        };
        let store =
            self.store.unwrap_or_else(|| Arc::new(InProcessTokens::with_clock(Arc::clone(&self.clock))));
        let source = TokenSource {
            key: TokenKey::of(self.endpoints.api(), &self.corp_id, &self.secret),
            api_base: self.endpoints.api().to_owned(),
            corp_id: self.corp_id,
            secret: self.secret,
            transport,
            clock: self.clock,
            entropy: self.entropy,
            store,
            store_failed: AtomicBool::new(false),
        };
        Ok(Client(Arc::new(Inner { endpoints: self.endpoints, tokens: TokenCache::new(source) })))
    }
}
