use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Clock, Fingerprint, SystemClock, Timestamp};

use super::{LeaseId, StoreFuture, StoredToken, TokenKey, TokenStore};

/// A [`TokenStore`] in the memory of this process; the default of a [`Client`](crate::Client).
///
/// ```
/// use std::sync::Arc;
/// use wecom::{Client, CorpId, InProcessTokens, Secret};
/// let shared = Arc::new(InProcessTokens::new());
/// let client = || {
///     Client::builder(CorpId::parse("ww1").unwrap(), Secret::new("s")).token_store(shared.clone()).build()
/// };
/// let (one, other) = (client()?, client()?); // one token for both
/// # Ok::<(), wecom::Error>(())
/// ```
pub struct InProcessTokens {
    clock: Arc<dyn Clock>,
    entries: Mutex<HashMap<TokenKey, Entry>>,
}

#[derive(Default)]
struct Entry {
    token: Option<StoredToken>,
    lease: Option<(LeaseId, Timestamp)>,
}

impl InProcessTokens {
    /// An empty store that uses the system's clock for leases.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store that uses `clock` for leases.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, entries: Mutex::default() }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<TokenKey, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for InProcessTokens {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for InProcessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessTokens").field("tokens", &self.entries().len()).finish_non_exhaustive()
    }
}

fn ready<T: Send + 'static>(value: T) -> StoreFuture<'static, T> {
    Box::pin(std::future::ready(Ok(value)))
}

impl TokenStore for InProcessTokens {
    fn load(&self, key: TokenKey) -> StoreFuture<'_, Option<StoredToken>> {
        ready(self.entries().get(&key).and_then(|entry| entry.token.clone()))
    }

    fn save(&self, key: TokenKey, token: StoredToken) -> StoreFuture<'_, ()> {
        self.entries().entry(key).or_default().token = Some(token);
        ready(())
    }

    fn drop_if(&self, key: TokenKey, fingerprint: Fingerprint) -> StoreFuture<'_, bool> {
        let mut entries = self.entries();
        let dropped = entries
            .get_mut(&key)
            .and_then(|entry| entry.token.take_if(|token| token.fingerprint() == fingerprint));
        ready(dropped.is_some())
    }

    fn lease(&self, key: TokenKey, holder: LeaseId, ttl: Duration) -> StoreFuture<'_, bool> {
        let now = self.clock.now();
        let mut entries = self.entries();
        let entry = entries.entry(key).or_default();
        let taken = entry.lease.as_ref().is_some_and(|(other, until)| *other != holder && *until > now);
        if !taken {
            entry.lease = Some((holder, now + ttl));
        }
        ready(!taken)
    }

    fn release(&self, key: TokenKey, holder: LeaseId) -> StoreFuture<'_, ()> {
        if let Some(entry) = self.entries().get_mut(&key) {
            entry.lease.take_if(|(other, _)| *other == holder);
        }
        ready(())
    }
}
