//! The quota of calls of a company: background work uses at most four fifths of what WeCom allows and then waits, so that
//! sign-ins find room.
//!
//! Without a [`QuotaStore`] a process counts its own calls. With one, all processes have one count for each company and
//! API: a value with the windows, changed by compare and swap. A process takes a block of calls in advance, which it must
//! use within [`VALID`], so a busy process asks the store a few times in a second. Sign-ins never ask it: their calls are
//! counted here and reported with the next block, or a little later.

mod store;
mod windows;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use store::QuotaStore;
use tokio::time::Instant;
pub use windows::CallLimits;
use windows::{Windows, millis};

use crate::client::token::{TokenStoreError, ask};
use crate::{CorpId, Fingerprint};

/// The base of the API and the company behind it.
type Company<'a> = (&'a str, &'a CorpId);

/// Calls that were taken in advance are forfeited after this long.
const VALID: Duration = Duration::from_secs(2);
/// For so much longer a call counts than the window lasts: it may be made [`VALID`] after it was counted, by a clock that
/// is three seconds off.
const SLACK: Duration = Duration::from_secs(5);
/// The first block, the smallest one and the largest one. A process that uses up its block takes twice as much next time.
const BLOCKS: [u32; 3] = [8, 1, 256];
/// One process takes no more than this part of the room at once, so that the others find some.
const SHARE: u32 = 4;
/// Calls of sign-ins are reported when there are so many of them, or after this long.
const REPORTED_CALLS: u32 = 50;
const REPORTED_AFTER: Duration = Duration::from_secs(5);
/// After a failure of the store a process counts alone for this long.
const ALONE: Duration = Duration::from_secs(5);
/// More conflicts than that are not a race.
const TRIES: usize = 16;
/// The longest window with what counts beyond it.
const KEPT: Duration = Duration::from_mins(65);

/// Counts calls by company and API. Clones share the count.
#[derive(Clone)]
pub(crate) struct Quota(Arc<Inner>);

struct Inner {
    limits: CallLimits,
    begun: Instant,
    accounts: Mutex<Accounts>,
    store: Option<Arc<dyn QuotaStore>>,
    /// Until then this process counts alone.
    alone_until: Mutex<Option<Instant>>,
}

/// By base, company and API.
type Accounts = HashMap<(String, CorpId, &'static str), Arc<Account>>;

/// The calls of one company to one API.
struct Account {
    key: String,
    state: Mutex<State>,
    /// One task of the process asks the store at a time.
    asking: tokio::sync::Mutex<()>,
}

struct State {
    /// Calls of this process.
    own: Windows,
    /// Calls that were taken from the store and are not made yet.
    left: u32,
    valid_until: Instant,
    next_block: u32,
    /// Calls that the store does not know.
    unreported: u32,
    is_reporting: bool,
}

impl Quota {
    pub(crate) fn new(limits: CallLimits, store: Option<Arc<dyn QuotaStore>>) -> Self {
        let begun = Instant::now();
        Self(Arc::new(Inner {
            limits,
            begun,
            accounts: Mutex::default(),
            store,
            alone_until: Mutex::default(),
        }))
    }

    /// Counts a call of background work. Fails with the time until the next try if there is no quota now.
    pub(crate) async fn reserve(&self, company: Company<'_>, call: &'static str) -> Result<(), Duration> {
        let account = self.account(company, call);
        let Some(store) = &self.0.store else { return self.reserve_alone(&account) };
        if account.use_one(self.now()) {
            return Ok(());
        }
        let _asking = account.asking.lock().await;
        // Somebody else may have taken a block while this task waited.
        if account.use_one(self.now()) {
            return Ok(());
        }
        if self.is_alone() {
            return self.reserve_alone(&account);
        }
        match account.take(&**store, self.0.limits).await {
            Ok(Ok(())) if account.use_one(self.now()) => Ok(()),
            // It took longer than the block is valid.
            Ok(Ok(())) => Err(VALID),
            Ok(Err(free_in)) => Err(free_in),
            Err(error) => {
                self.count_alone(&error);
                self.reserve_alone(&account)
            }
        }
    }

    /// Counts a call that does not wait for quota.
    pub(crate) fn note(&self, company: Company<'_>, call: &'static str) {
        let account = self.account(company, call);
        let now = self.now();
        let must_begin = {
            let mut state = account.state();
            state.own.count(1, now);
            if self.0.store.is_none() {
                return;
            }
            state.unreported = state.unreported.saturating_add(1);
            let is_due = state.unreported == REPORTED_CALLS;
            let is_first = !std::mem::replace(&mut state.is_reporting, true);
            (is_first || is_due).then_some(if is_due { Duration::ZERO } else { REPORTED_AFTER })
        };
        if let Some(pause) = must_begin {
            let quota = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                quota.report(&account).await;
            });
        }
    }

    /// Tells the store about calls that were made without asking it.
    async fn report(&self, account: &Account) {
        let _asking = account.asking.lock().await;
        let unreported = {
            let mut state = account.state();
            state.is_reporting = false;
            state.unreported
        };
        if unreported == 0 || self.is_alone() {
            return;
        }
        let Some(store) = &self.0.store else { return };
        if let Err(error) = account.change(&**store, self.0.limits, 0).await {
            self.count_alone(&error);
        }
    }

    fn reserve_alone(&self, account: &Account) -> Result<(), Duration> {
        let now = self.now();
        let mut state = account.state();
        match state.own.room(self.0.limits, Duration::ZERO, now) {
            Ok(_) => {
                state.own.count(1, now);
                if self.0.store.is_some() {
                    state.unreported = state.unreported.saturating_add(1);
                }
                Ok(())
            }
            Err(free_at) => Err(until(free_at, now)),
        }
    }

    fn account(&self, (base, corp_id): Company<'_>, call: &'static str) -> Arc<Account> {
        let mut accounts = self.0.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let account = accounts.entry((base.to_owned(), corp_id.clone(), call));
        Arc::clone(account.or_insert_with(|| {
            let parts = [base, &corp_id.as_str().to_ascii_lowercase(), call];
            Arc::new(Account {
                key: format!("calls/{}", Fingerprint::of_parts(parts).to_hex()),
                state: Mutex::new(State {
                    own: Windows::default(),
                    left: 0,
                    valid_until: Instant::now(),
                    next_block: BLOCKS[0],
                    unreported: 0,
                    is_reporting: false,
                }),
                asking: tokio::sync::Mutex::default(),
            })
        }))
    }

    /// Milliseconds since this count began.
    fn now(&self) -> i64 {
        millis(self.0.begun.elapsed())
    }

    fn is_alone(&self) -> bool {
        let until = self.0.alone_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Logs a failure of the store once per outage.
    fn count_alone(&self, error: &TokenStoreError) {
        let now = Instant::now();
        let former = {
            let mut until = self.0.alone_until.lock().unwrap_or_else(PoisonError::into_inner);
            until.replace(now + ALONE)
        };
        if former.is_none_or(|former| former + ALONE < now) {
            tracing::warn!(%error, "calls to WeCom are not counted together with other processes for now");
        }
    }
}

impl Account {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one of the calls that were taken; false if there is none.
    fn use_one(&self, now: i64) -> bool {
        let mut state = self.state();
        if state.left == 0 || state.valid_until <= Instant::now() {
            return false;
        }
        state.left -= 1;
        state.own.count(1, now);
        true
    }

    /// Takes a block from the store. Fails with the time until there is room if there is none.
    async fn take(
        &self,
        store: &dyn QuotaStore,
        limits: CallLimits,
    ) -> Result<Result<(), Duration>, TokenStoreError> {
        let [_, smallest, largest] = BLOCKS;
        let valid_until = Instant::now() + VALID;
        let block = {
            let mut state = self.state();
            let was_used_up = state.left == 0;
            state.left = 0;
            state.next_block = if was_used_up { state.next_block } else { state.next_block / 4 };
            state.next_block = state.next_block.clamp(smallest, largest);
            state.next_block
        };
        let taken = self.change(store, limits, block).await?;
        if let Ok(taken) = taken {
            let mut state = self.state();
            state.left = taken;
            state.valid_until = valid_until;
            state.next_block = state.next_block.saturating_mul(2);
        }
        Ok(taken.map(drop))
    }

    /// Counts in the store what it does not know, and up to `wanted` calls more; tells how many.
    async fn change(
        &self,
        store: &dyn QuotaStore,
        limits: CallLimits,
        wanted: u32,
    ) -> Result<Result<u32, Duration>, TokenStoreError> {
        let unreported = std::mem::take(&mut self.state().unreported);
        let changed = self.swap(store, limits, wanted, unreported).await;
        if changed.is_err() {
            let mut state = self.state();
            state.unreported = state.unreported.saturating_add(unreported);
        }
        changed
    }

    async fn swap(
        &self,
        store: &dyn QuotaStore,
        limits: CallLimits,
        wanted: u32,
        unreported: u32,
    ) -> Result<Result<u32, Duration>, TokenStoreError> {
        for _ in 0..TRIES {
            let (mut windows, version) = match ask(store.load(&self.key)).await? {
                Some((text, version)) => {
                    (serde_json::from_str::<Windows>(&text).unwrap_or_default(), Some(version))
                }
                None => (Windows::default(), None),
            };
            let now = store.now().as_millis();
            // Also drops what does not count any more.
            let room = windows.room(limits, SLACK, now);
            let taken = room.map(|room| wanted.min((room / SHARE).max(1)));
            let counted = unreported.saturating_add(taken.unwrap_or(0));
            if counted > 0 {
                windows.count(counted, now);
                let text = serde_json::to_string(&windows).map_err(TokenStoreError::new)?;
                if !ask(store.replace(&self.key, version, &text, KEPT)).await? {
                    continue;
                }
            }
            return Ok(taken.map_err(|free_at| until(free_at, now)));
        }
        Err(TokenStoreError::new("too many concurrent writes"))
    }
}

fn until(free_at: i64, now: i64) -> Duration {
    Duration::from_millis(u64::try_from(free_at - now).unwrap_or(0).max(1))
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota")
            .field("limits", &self.0.limits)
            .field("shared", &self.0.store.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
