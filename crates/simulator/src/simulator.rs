use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::{Connected, IntoMakeServiceWithConnectInfo};
use axum::routing::any;
use axum::serve::{IncomingStream, Listener};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::behaviour::Behaviour;
use crate::chance::Chance;
use crate::company::{Company, sample};
use crate::events::{
    self, By, Callback, CallbackRefused, Change, ChangeRefused, Event, EventState, Receiver,
};
use crate::faults::{Fault, Faults};
use crate::grants::{CodeRequest, Holder, Person};
use crate::outbound::Outbound;
use crate::pages::Desktop;
use crate::wire::{Certificate, OFFICIAL_HOSTS, Peer, SecureWires, Wires};
use crate::world::{Shared, World};
use crate::{api, control, pages};

type Site = IntoMakeServiceWithConnectInfo<Router, Peer>;

/// What a simulator starts with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on 127.0.0.1 (and `[::1]` where there is one); 0 takes a free one.
    pub port: u16,
    /// Where the same site is also spoken over https, with a certificate made at start: a loopback address, port 0
    /// for a free one. `None` leaves https off.
    pub tls: Option<SocketAddr>,
    /// The companies. The first is meant where a control request names none.
    pub companies: Vec<Company>,
    /// How this WeCom behaves.
    pub behaviour: Behaviour,
    /// Makes codes, tokens and probabilities the same in every run.
    pub seed: Option<u64>,
}

impl Default for Options {
    /// A free port, no https and the two sample companies.
    fn default() -> Self {
        Self {
            port: 0,
            tls: None,
            companies: vec![Company::sample(), Company::second_sample()],
            behaviour: Behaviour::default(),
            seed: None,
        }
    }
}

/// Why the simulator refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The port is taken or may not be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The simulator answers on this machine only.
    #[error("{0} is no loopback address; the simulator answers on 127.0.0.1 or [::1] only")]
    NotLoopback(SocketAddr),
    /// The certificate for https could not be made.
    #[error("no certificate for https: {0}")]
    Certificate(String),
    /// The HTTP client for callbacks could not be set up.
    #[error("no HTTP client for callbacks: {0}")]
    Outbound(String),
    /// No company of that id.
    #[error("there is no company {0:?} in the simulator")]
    NoCompany(String),
}

/// Alias for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A running WeCom on loopback. Dropping it stops it.
pub struct Simulator {
    shared: Arc<Shared>,
    port: u16,
    secure: Option<Secure>,
    api_url: String,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
}

/// The https side of a simulator ([`Options::tls`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secure {
    /// Where it listens.
    pub address: SocketAddr,
    /// SHA-256 of the certificate's public key, base64: what Chromium takes as
    /// `--ignore-certificate-errors-spki-list`.
    pub spki_sha256: String,
    /// The certificate (DER), for clients that can be told to trust it.
    pub certificate: Vec<u8>,
}

impl Secure {
    /// The hosts that WeCom speaks from; the certificate is for them and for this machine.
    pub const HOSTS: [&str; 4] = OFFICIAL_HOSTS;

    /// Base of the API and the pages: `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("url", &self.shared.url).finish_non_exhaustive()
    }
}

/// The time of a [`Simulator`], which [`Simulator::advance`] and `/_sim/clock` move; cheap to clone.
#[derive(Clone)]
pub struct Time(Arc<Shared>);

impl Time {
    /// Milliseconds since the Unix epoch.
    pub fn now_millis(&self) -> i64 {
        self.0.clock.now().0
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Time").field(&self.now_millis()).finish()
    }
}

impl Simulator {
    /// Starts on the tokio runtime that polls this.
    pub async fn start(options: Options) -> Result<Self> {
        let first = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port))).await?;
        let port = first.local_addr().map_or(options.port, |address| address.port());
        // Browsers try [::1] first for `localhost`; a machine without IPv6 does without.
        let second = TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await.ok();
        let (secure_wires, secure) = match options.tls {
            None => (None, None),
            Some(address) => {
                let (wires, secure) = secure(address).await?;
                (Some(wires), Some(secure))
            }
        };

        let chance = |salt| options.seed.map_or_else(Chance::of_process, |seed| Chance::seeded(seed ^ salt));
        let world = World::new(options.companies, options.behaviour, chance(0));
        let faults = Faults::new(chance(0x000f_a017));
        let outbound = Outbound::new().map_err(|error| Error::Outbound(error.to_string()))?;
        let shared = Arc::new(Shared::new(world, faults, outbound, format!("http://localhost:{port}")));

        let app = Router::new()
            .route("/cgi-bin/{*path}", any(api::serve))
            .merge(control::routes())
            .merge(pages::routes())
            .fallback(pages::not_found)
            .with_state(Arc::clone(&shared));
        let (stop, stopped) = watch::channel(false);
        let site = app.into_make_service_with_connect_info::<Peer>();
        let listeners = std::iter::once(first)
            .chain(second)
            .map(|listener| tokio::spawn(serve(Wires(listener), site.clone(), stopped.clone())))
            .chain(secure_wires.map(|wires| tokio::spawn(serve(wires, site.clone(), stopped.clone()))))
            .collect();
        Ok(Self { shared, port, secure, api_url: format!("http://127.0.0.1:{port}"), stop, listeners })
    }

    /// Base of the pages and the API: `http://localhost:PORT`.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Base of the API with a numeric address, which spares a name look-up: `http://127.0.0.1:PORT`.
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The https side, if it was asked for.
    pub fn secure(&self) -> Option<&Secure> {
        self.secure.as_ref()
    }

    /// How often each call below `/cgi-bin/` came since the start or the last reset, refused ones included.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.shared.world().calls.clone()
    }

    /// How often one call came, such as `gettoken`.
    pub fn calls_of(&self, endpoint: &str) -> u64 {
        self.shared.world().calls.get(endpoint).copied().unwrap_or(0)
    }

    /// Counts from zero again.
    pub fn reset_calls(&self) {
        self.shared.world().calls.clear();
    }

    /// A code as the sign-in page would send it. Nothing about the request is checked: a code for somebody who
    /// has just left, or for an app that is gone, is a case too.
    pub fn issue_code(&self, request: CodeRequest) -> String {
        let now = self.shared.clock.now();
        self.shared.world().issue_code(request, now)
    }

    /// A code of the sample company's new app for this member.
    pub fn code_for(&self, userid: &str) -> String {
        self.issue_code(CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, userid))
    }

    /// Moves the simulator's clock forward: codes, tokens and tickets age. Latency faults stay in real time.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
    }

    /// The simulator's own time, for what lives in it too.
    pub fn time(&self) -> Time {
        Time(Arc::clone(&self.shared))
    }

    /// Adds a failure to come; the first in the list that fits a call hits it.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Forgets all failures to come and lets held calls go on.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// How many calls are held now, by [`FaultKind::Hang`](crate::FaultKind::Hang) or
    /// [`FaultKind::HoldAnswer`](crate::FaultKind::HoldAnswer).
    pub fn held_now(&self) -> usize {
        self.shared.faults.held_now()
    }

    /// Waits until at least that many calls are held.
    ///
    /// # Panics
    ///
    /// When that takes longer than a minute.
    pub async fn held(&self, at_least: usize) {
        let held = self.shared.faults.held(|held| *held >= at_least);
        within(held, || format!("{at_least} calls are held; there are {}", self.held_now())).await;
    }

    /// Waits until at most that many calls are held: the others went on, or their callers gave up.
    ///
    /// # Panics
    ///
    /// When that takes longer than a minute.
    pub async fn held_at_most(&self, most: usize) {
        let held = self.shared.faults.held(|held| *held <= most);
        within(held, || format!("at most {most} calls are held; there are {}", self.held_now())).await;
    }

    /// Changes how this WeCom behaves.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.shared.world().behaviour);
    }

    /// Reads or changes a company: its members, departments and apps.
    pub fn edit<T>(&self, corpid: &str, edit: impl FnOnce(&mut Company) -> T) -> Result<T> {
        let mut world = self.shared.world();
        world.company_mut(corpid).map(edit).ok_or_else(|| Error::NoCompany(corpid.to_owned()))
    }

    /// Makes a change of a company's contacts or apps as [`By`] would, and pushes the events that come of it. Unlike
    /// [`edit`](Self::edit) it takes only what WeCom's console would take.
    pub fn change(&self, corpid: &str, change: Change, by: By) -> Result<(), ChangeRefused> {
        events::change(&self.shared, corpid, vec![change], by)
    }

    /// Saves a callback setting as the console does: only if the address stands its check.
    pub async fn save_callback(
        &self,
        corpid: &str,
        receiver: Receiver,
        callback: Callback,
    ) -> Result<(), CallbackRefused> {
        callback.verify(&self.shared, corpid).await?;
        self.shared.world().callbacks.insert((corpid.to_owned(), receiver), callback);
        Ok(())
    }

    /// The events so far, and what became of each.
    pub fn events(&self) -> Vec<Event> {
        self.shared.pusher.events()
    }

    /// Waits until no event is on its way.
    ///
    /// # Panics
    ///
    /// When that takes longer than a minute.
    pub async fn events_settled(&self) {
        let on_their_way = || {
            let events = self.events().into_iter();
            events.filter(|event| event.state == EventState::UnderWay).collect::<Vec<_>>()
        };
        within(self.shared.pusher.settled(), || format!("no event is on its way: {:?}", on_their_way()))
            .await;
    }

    /// Keeps events from now on; [`send_event`](Self::send_event) and [`release_events`](Self::release_events) let
    /// them go.
    pub fn hold_events(&self) {
        self.shared.pusher.hold();
    }

    /// Sends an event of that number, once more if it was sent; false when there is none.
    pub fn send_event(&self, id: u64) -> bool {
        events::send(&self.shared, id)
    }

    /// Sends what is held, in order, and holds no more.
    pub fn release_events(&self) {
        events::release(&self.shared);
    }

    /// All access tokens answer 42001 from now on, as if their two hours were over.
    pub fn expire_tokens(&self) {
        let now = self.shared.clock.now();
        self.shared.world().tokens.expire(now, |_: &Holder| true);
    }

    /// All access tokens answer 40014 from now on.
    pub fn revoke_tokens(&self) {
        self.shared.world().tokens.revoke(|_| true);
    }

    /// The next `gettoken` of each app gives a new token; the old ones stay valid.
    pub fn rotate_tokens(&self) {
        self.shared.world().tokens.rotate(|_| true);
    }

    /// Whose phone (or WeCom client) opens the OAuth page; `None` lets the page ask.
    pub fn hold_device(&self, person: Option<Person>) {
        self.shared.world().device.set(person);
    }

    /// The desktop client beside the browser, which the sign-in page looks for.
    pub fn set_desktop(&self, desktop: Desktop) {
        self.shared.world().desktop = desktop;
    }

    /// Calls, faults, codes, clock and companies back to the start. Access tokens stay valid.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Stops taking connections, lets held calls go and waits for those under way.
    pub async fn shutdown(mut self) {
        self.halt();
        for listener in std::mem::take(&mut self.listeners) {
            let abort = listener.abort_handle();
            if tokio::time::timeout(Duration::from_secs(2), listener).await.is_err() {
                abort.abort();
            }
        }
    }

    fn halt(&self) {
        self.stop.send_replace(true);
        self.shared.pusher.stop();
        self.shared.faults.clear();
    }
}

/// No test waits longer for the simulator.
const PATIENCE: Duration = Duration::from_mins(1);

async fn within(wait: impl Future<Output = ()>, what: impl FnOnce() -> String) {
    let in_time = tokio::time::timeout(PATIENCE, wait).await.is_ok();
    assert!(in_time, "not within {PATIENCE:?}: {}", what());
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })
}

async fn secure(address: SocketAddr) -> Result<(SecureWires, Secure)> {
    if !address.ip().is_loopback() {
        return Err(Error::NotLoopback(address));
    }
    let Certificate { server, der, fingerprint } = Certificate::make()?;
    let listener = listen(address).await?;
    let address = listener.local_addr().map_err(|source| Error::Listen { address, source })?;
    let secure = Secure { address, spki_sha256: fingerprint, certificate: der };
    Ok((SecureWires::new(listener, server), secure))
}

/// Answers until it is stopped. The listener never gives up: failing to accept is retried, so there is no error to
/// see.
async fn serve<L>(listener: L, site: Site, mut stopped: watch::Receiver<bool>)
where
    L: Listener<Addr = SocketAddr>,
    Peer: for<'a> Connected<IncomingStream<'a, L>>,
{
    let stopped = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let _ = axum::serve(listener, site).with_graceful_shutdown(stopped).await;
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.halt();
    }
}
