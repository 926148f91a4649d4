//! The process's copy of the token.
//!
//! Reading is one atomic load. A fetch runs as its own task, so that a cancelled caller does not cancel it for the
//! others. All waiting callers get its failure, which is not kept; refusals that must be remembered are in
//! [`crate::client::refusals`].

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::oneshot;

use super::source::Outgoing;
use super::{AccessToken, TokenSource};
use crate::client::api::GETTOKEN;
use crate::client::error::Kind;
use crate::{Error, Timestamp};

/// The pause after a failed early refresh. The old token is still valid.
const PAUSE_BETWEEN_REFRESHES: Duration = Duration::from_secs(30);

type Flight = Shared<BoxFuture<'static, Result<Arc<AccessToken>, Error>>>;

#[derive(Clone)]
pub(crate) struct TokenCache(Arc<Inner>);

struct Inner {
    source: TokenSource,
    current: ArcSwapOption<AccessToken>,
    /// The last token that WeCom rejected; the store may still have it.
    rejected: ArcSwapOption<AccessToken>,
    flight: Mutex<Option<Flight>>,
    next_refresh: AtomicI64,
}

impl TokenCache {
    pub(crate) fn new(source: TokenSource) -> Self {
        Self(Arc::new(Inner {
            source,
            current: ArcSwapOption::empty(),
            rejected: ArcSwapOption::empty(),
            flight: Mutex::default(),
            next_refresh: AtomicI64::new(i64::MIN),
        }))
    }

    pub(crate) fn source(&self) -> &TokenSource {
        &self.0.source
    }

    /// When the current token was issued.
    pub(crate) fn issued_at(&self) -> Option<Timestamp> {
        self.0.usable(self.0.source.now()).map(|token| token.issued_at)
    }

    /// The current token, without waiting. Starts a refresh if the token expires soon.
    pub(crate) fn at_hand(&self) -> Option<Arc<AccessToken>> {
        let now = self.0.source.now();
        let token = self.0.usable(now)?;
        if now >= token.refresh_at {
            self.0.refresh_ahead(&token, now);
        }
        Some(token)
    }

    /// The current token, or a fetched one. Concurrent callers share the fetch.
    pub(crate) async fn get(&self) -> Result<Arc<AccessToken>, Error> {
        if let Some(token) = self.at_hand() {
            return Ok(token);
        }
        let flight = {
            let mut slot = self.0.slot();
            if let Some(token) = self.0.usable(self.0.source.now()) {
                return Ok(token);
            }
            if let Some(flight) = slot.as_ref().filter(|flight| flight.peek().is_none()) {
                flight.clone()
            } else {
                let rejected = self.0.rejected.load_full();
                let outgoing = rejected.map(|token| Outgoing { token, rejected: true });
                self.0.launch(&mut slot, outgoing)
            }
        };
        flight.await
    }

    /// Discards `failed` if it is still the current token: a thousand calls that fail with the same token replace it
    /// once.
    pub(crate) fn reject(&self, failed: &Arc<AccessToken>) {
        let expected = Some(Arc::clone(failed));
        let previous = self.0.current.compare_and_swap(&expected, None);
        if previous.as_ref().is_some_and(|previous| Arc::ptr_eq(previous, failed)) {
            self.0.rejected.store(expected);
        }
    }
}

impl Inner {
    fn slot(&self) -> MutexGuard<'_, Option<Flight>> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usable(&self, now: Timestamp) -> Option<Arc<AccessToken>> {
        self.current.load_full().filter(|token| now < token.expires_at)
    }

    fn refresh_ahead(self: &Arc<Self>, token: &Arc<AccessToken>, now: Timestamp) {
        if self.next_refresh.load(Ordering::Relaxed) > now.as_millis() {
            return;
        }
        let mut slot = self.slot();
        let renewed = !self.current.load().as_ref().is_some_and(|current| Arc::ptr_eq(current, token));
        let under_way = slot.as_ref().is_some_and(|flight| flight.peek().is_none());
        // Checked again under the lock: only one of the concurrent callers starts the fetch.
        if renewed || under_way || self.next_refresh.load(Ordering::Relaxed) > now.as_millis() {
            return;
        }
        self.next_refresh.store((now + PAUSE_BETWEEN_REFRESHES).as_millis(), Ordering::Relaxed);
        drop(self.launch(&mut slot, Some(Outgoing { token: Arc::clone(token), rejected: false })));
    }

    /// Starts the fetch. The caller has locked the slot, so the task cannot clear it before it is filled.
    fn launch(self: &Arc<Self>, slot: &mut Option<Flight>, outgoing: Option<Outgoing>) -> Flight {
        let (sender, receiver) = oneshot::channel();
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            let ahead = outgoing.as_ref().is_some_and(|outgoing| !outgoing.rejected);
            let result = inner.source.obtain(outgoing.as_ref()).await.map(Arc::new);
            match &result {
                Ok(token) => inner.current.store(Some(Arc::clone(token))),
                Err(error) if ahead => {
                    tracing::warn!(%error, "the access token could not be renewed ahead of its end");
                }
                Err(_) => {}
            }
            *inner.slot() = None;
            // Fails if no caller waits any more.
            let _ = sender.send(result);
        });
        let abandoned = || Err(Error::of_call(GETTOKEN.path, Kind::Abandoned));
        let flight = receiver.map(move |result| result.unwrap_or_else(|_| abandoned())).boxed().shared();
        *slot = Some(flight.clone());
        flight
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("key", &self.0.source.key).finish_non_exhaustive()
    }
}
