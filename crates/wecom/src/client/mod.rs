//! The client: one app's credentials and token, and the calls that use them. Everything behind the feature `client`.

mod answer;
mod api;
mod budget;
mod calls;
mod endpoints;
mod error;
mod links;
mod observer;
mod quota;
mod refusals;
mod token;
mod transport;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use budget::Budget;
pub use calls::{
    Agent, AuthCode, Calls, Department, DepartmentNode, Identity, InvalidAuthCode, Listing, Membership,
    MembershipPage, SimpleUser, Tag, User, UserDetail,
};
pub use endpoints::{Endpoints, is_loopback};
pub use error::Error;
pub use links::{Scope, SignInLink};
pub use observer::Observer;
pub use quota::{CallLimits, QuotaStore};
pub use token::{InProcessTokens, LeaseId, StoreFuture, StoredToken, TokenKey, TokenStore, TokenStoreError};
pub use transport::{Transport, TransportBuilder};

use crate::{Clock, CorpId, Entropy, Secret, SystemClock, SystemEntropy, Timestamp};
use token::{TokenCache, TokenSource};

/// One app of one company: its credentials and its access token. Clones are cheap and share both.
///
/// ```no_run
/// use wecom::{Budget, Client, CorpId, Endpoints, Secret, Transport};
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

    /// Calls for one piece of work. The time limit of a sign-in starts here.
    pub fn within(&self, budget: Budget) -> Calls {
        Calls::new(self.clone(), budget)
    }

    /// The company.
    pub fn corp_id(&self) -> &CorpId {
        &self.0.tokens.source().corp_id
    }

    /// The addresses of WeCom that this client uses.
    pub fn endpoints(&self) -> &Endpoints {
        &self.0.endpoints
    }

    /// The key under which this client's token is shared.
    pub fn token_key(&self) -> TokenKey {
        self.0.tokens.source().key
    }

    /// When WeCom issued the token that this process holds; `None` before the first one. Makes no call.
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
    /// The addresses of WeCom; its official hosts by default.
    pub fn endpoints(mut self, endpoints: Endpoints) -> Self {
        self.endpoints = endpoints;
        self
    }

    /// The HTTP connections; by default the client makes its own. Share one transport among the clients of a process.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// The clock that decides when a token expires; the system's clock by default. Time-outs always use real time.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The source of randomness for pauses and leases; the system by default.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// The store that shares the token; this client's memory by default.
    pub fn token_store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Builds the client. Makes no call.
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
