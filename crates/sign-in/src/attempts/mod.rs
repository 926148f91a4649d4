//! Limits on guesses that can succeed: authorization codes that WeCom refuses, user codes of the device flow, links into the
//! console. Values of 256 bits cannot be guessed and are not counted.
//!
//! An attempt reserves a place before the guess is checked, and gives it back unless the guess was wrong. So failures that
//! have happened and attempts under way never exceed the limit together, however many guesses arrive at once. Failures are
//! counters that all replicas share; attempts under way are counted in the process. A success writes nothing.
//!
//! The limit belongs to the client's address, because a guess has no other owner. Colleagues behind the same address go on:
//! a browser that has signed in here before takes from the allowance of its account once the address has used up its own.

mod allowance;
mod allowances;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wecom_login_model::{AccountId, Clock};
use wecom_login_store::{Act, Error, Store};

use self::allowance::{Allowance, Place};
use self::allowances::Allowances;

/// The window of the counters.
const WINDOW: Duration = Duration::from_mins(1);
/// The failures of an address, and of an account, in a window.
const FAILURES: i64 = 60;
/// The failures of an address in a window, those included that its known accounts have made on their own allowances.
const FAILURES_OF_AN_ADDRESS: i64 = 600;

/// The client that attempts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempter {
    /// The key under which failures of its address are counted, such as `203.0.113.7` or `2001:db8::/64`.
    pub address: String,
    /// The account that has signed in with this browser before, as the browser's cookie proves.
    pub account: Option<AccountId>,
    /// True if nothing is counted: the demo on loopback.
    pub is_exempt: bool,
}

impl Attempter {
    /// A client at an address that is not known by an account.
    pub fn at(address: impl Into<String>) -> Self {
        Self { address: address.into(), account: None, is_exempt: false }
    }
}

/// Why an attempt is refused before its guess is checked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refused {
    /// The address has used up its allowance, or too many attempts wait for theirs.
    #[error("too many failures from this address")]
    LimitReached {
        /// The time until another attempt may be admitted.
        retry_after: Duration,
    },
    /// The counters cannot be read.
    #[error(transparent)]
    Store(#[from] Error),
}

/// The attempts of one kind of guess; cheap to clone.
#[derive(Debug, Clone)]
pub struct Attempts {
    kind: &'static str,
    store: Store,
    clock: Arc<dyn Clock>,
    allowances: Allowances,
}

impl Attempts {
    /// The attempts of one kind. `kind` is a word that is part of the counters' keys: each kind has allowances of its own.
    pub fn new(kind: &'static str, store: &Store, clock: Arc<dyn Clock>) -> Self {
        Self { kind, store: store.clone(), allowances: Allowances::new(clock.clone()), clock }
    }

    /// Admits an attempt. If only attempts under way take up the rest of the allowance, it waits until one of them succeeds.
    pub async fn admit(&self, attempter: &Attempter) -> Result<Attempt, Refused> {
        if attempter.is_exempt {
            return Ok(Attempt(None));
        }
        let address = self.allowances.of(format!("attempts/{}/address/{}", self.kind, attempter.address));
        self.learn(&address).await?;
        if let Some(place) = address.take() {
            return Ok(self.attempt(place, None));
        }
        if let Some(account) = attempter.account
            && let Some(attempt) = self.admit_known(&address, account).await?
        {
            return Ok(attempt);
        }
        let place = self.allowances.wait(&address)?.turn().await?;
        Ok(self.attempt(place, None))
    }

    /// Admits an attempt on the allowance of an account, if the account has a member.
    async fn admit_known(
        &self,
        address: &Arc<Allowance>,
        account: AccountId,
    ) -> Result<Option<Attempt>, Refused> {
        let of_account = self.allowances.of(format!("attempts/{}/account/{account}", self.kind));
        self.learn(&of_account).await?;
        let (Some(place), Some(beside)) = (of_account.take(), address.take_beside()) else { return Ok(None) };
        let admitted = self.store.is_bound(account).await?;
        Ok(admitted.then(|| self.attempt(beside, Some(place))))
    }

    /// Reads the shared counter, unless it was read within the last second.
    async fn learn(&self, allowance: &Arc<Allowance>) -> Result<(), Error> {
        if allowance.is_known() {
            return Ok(());
        }
        let asked = Instant::now();
        // Of many attempts at once one reads. They share its error too: else each would wait for a time-out in turn.
        let mut failed = allowance.reading.lock().await;
        if allowance.is_known() {
            return Ok(());
        }
        if let Some((at, error)) = &*failed
            && *at >= asked
        {
            return Err(error.clone());
        }
        let seen = allowance.changes();
        match self.store.key_value().counter(allowance.key(), self.clock.now()).await {
            Ok(counter) => {
                *failed = None;
                allowance.read(counter, seen);
                Ok(())
            }
            Err(error) => {
                *failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    fn attempt(&self, address: Place, account: Option<Place>) -> Attempt {
        Attempt(Some(Held { attempts: self.clone(), address, account }))
    }

    /// Writes one failure. Until it is written its place stays taken.
    async fn count(&self, place: Place) {
        let now = self.clock.now();
        let counted = self.store.key_value().increment(place.key(), now, now + WINDOW).await;
        if let Err(error) = &counted {
            tracing::warn!(%error, kind = self.kind, "a failure is counted in this process only");
        }
        place.fail(counted.ok());
    }
}

/// An attempt that is under way. Dropping it gives its place back.
#[derive(Debug)]
#[must_use = "dropping it gives its place back"]
pub struct Attempt(Option<Held>);

#[derive(Debug)]
struct Held {
    attempts: Attempts,
    address: Place,
    account: Option<Place>,
}

impl Attempt {
    /// The guess was wrong.
    pub async fn failed(self) {
        let Self(Some(Held { attempts, address, account })) = self else { return };
        Act::current().has_guessed();
        attempts.count(address).await;
        if let Some(account) = account {
            attempts.count(account).await;
        }
    }

    /// The guess was right, or its check came to no result.
    pub fn succeeded(self) {
        drop(self);
    }
}
