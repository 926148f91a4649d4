//! The allowance of one address or account, as this process knows it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout_at};
use wecom_login_model::{Clock, Timestamp};
use wecom_login_store::{Counter, Error};

use super::{FAILURES, FAILURES_OF_AN_ADDRESS, Refused, WINDOW};

/// The age at which a counter that was read is read again.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// A waiting attempt is refused when no turn has come up for this time: the attempts under way are stuck.
pub(super) const STALLED: Duration = Duration::from_secs(3);
/// A waiting attempt is refused after this time in any case, before proxies give the request up.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The number of attempts that wait for one allowance.
pub(super) const WAITING: usize = 2_048;

/// The outcome of waiting.
type Turn = Result<Place, Refused>;

#[derive(Debug)]
pub(super) struct Allowance {
    key: String,
    clock: Arc<dyn Clock>,
    /// The one read of the shared counter that is under way, and when the last one failed, if it did.
    pub(super) reading: tokio::sync::Mutex<Option<(Instant, Error)>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    failures: Failures,
    under_way: i64,
    /// Attempts of this address that are under way on allowances of accounts.
    beside: i64,
    /// In the order of their arrival.
    waiting: BTreeMap<u64, oneshot::Sender<Turn>>,
    arrivals: u64,
    /// When a waiting attempt last had its turn.
    moved: Instant,
}

/// The failures within the window.
#[derive(Debug)]
struct Failures {
    /// Of the shared counter.
    count: i64,
    until: Timestamp,
    /// Of this process, where the store did not take them.
    unwritten: i64,
    unwritten_until: Timestamp,
    read_at: Option<Timestamp>,
    /// Grows with each failure of this process.
    changes: u64,
}

impl Failures {
    fn at(&self, now: Timestamp) -> i64 {
        let within = |count: i64, until: Timestamp| if now < until { count } else { 0 };
        within(self.count, self.until) + within(self.unwritten, self.unwritten_until)
    }

    fn until(&self) -> Timestamp {
        self.until.max(self.unwritten_until)
    }

    fn is_known(&self, now: Timestamp) -> bool {
        // A clock that was set back makes every read old.
        self.read_at.is_some_and(|read_at| read_at <= now && now.since(read_at) < FRESH_FOR)
    }

    fn read(&mut self, counter: Counter, seen: u64, now: Timestamp) {
        // A failure of this process that was written meanwhile may be missing in what was read.
        let raced = self.changes != seen && now < self.until;
        self.count = if raced { self.count.max(counter.count) } else { counter.count };
        self.until = counter.until;
        self.read_at = Some(now);
    }

    fn fail(&mut self, sum: Option<i64>, now: Timestamp) {
        self.changes += 1;
        match sum {
            // Sums may arrive out of order.
            Some(sum) if now < self.until => self.count = self.count.max(sum),
            Some(sum) => {
                self.count = sum;
                // Another replica may have begun the window earlier; the next read shows when it ends.
                self.until = now + WINDOW;
            }
            None => {
                self.unwritten = if now < self.unwritten_until { self.unwritten + 1 } else { 1 };
                self.unwritten_until = now + WINDOW;
            }
        }
    }
}

impl Allowance {
    pub(super) fn new(key: String, clock: Arc<dyn Clock>) -> Self {
        let never = Timestamp::from_millis(0);
        let failures = Failures {
            count: 0,
            until: never,
            unwritten: 0,
            unwritten_until: never,
            read_at: None,
            changes: 0,
        };
        let state = State {
            failures,
            under_way: 0,
            beside: 0,
            waiting: BTreeMap::new(),
            arrivals: 0,
            moved: Instant::now(),
        };
        Self { key, clock, reading: tokio::sync::Mutex::default(), state: Mutex::new(state) }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// True if the shared counter was read within the last second.
    pub(super) fn is_known(&self) -> bool {
        let now = self.clock.now();
        self.state().failures.is_known(now)
    }

    /// True if more is known than the shared counter tells.
    pub(super) fn has_unwritten(&self) -> bool {
        let now = self.clock.now();
        now < self.state().failures.unwritten_until
    }

    /// The number of failures that this process has added.
    pub(super) fn changes(&self) -> u64 {
        self.state().failures.changes
    }

    /// Takes over the shared counter, which was read since `seen` failures of this process.
    pub(super) fn read(self: &Arc<Self>, counter: Counter, seen: u64) {
        let now = self.clock.now();
        let turns = {
            let mut state = self.state();
            state.failures.read(counter, seen, now);
            self.turns(&mut state, now)
        };
        hand_out(turns);
    }

    /// Takes a place at once, unless the allowance is used up or others wait.
    pub(super) fn take(self: &Arc<Self>) -> Option<Place> {
        let now = self.clock.now();
        let mut state = self.state();
        let free = state.waiting.is_empty() && state.failures.at(now) + state.under_way < FAILURES;
        free.then(|| {
            state.under_way += 1;
            Place::new(self, false)
        })
    }

    /// Takes a place at this address for an attempt on the allowance of an account.
    pub(super) fn take_beside(self: &Arc<Self>) -> Option<Place> {
        let now = self.clock.now();
        let mut state = self.state();
        let taken = state.failures.at(now) + state.under_way + state.beside;
        (taken < FAILURES_OF_AN_ADDRESS).then(|| {
            state.beside += 1;
            Place::new(self, true)
        })
    }

    /// Begins to wait. Failures end with their window only, which is longer than anybody waits, so nobody waits for them.
    pub(super) fn wait(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Result<Waiter, Refused> {
        let now = self.clock.now();
        let (waiter, turns) = {
            let mut state = self.state();
            if state.failures.at(now) >= FAILURES {
                return Err(used_up(&state.failures, now));
            }
            if state.waiting.len() >= WAITING {
                return Err(crowded());
            }
            let (sender, receiver) = oneshot::channel();
            let id = state.arrivals;
            state.arrivals += 1;
            state.waiting.insert(id, sender);
            let waiter =
                Waiter { allowance: self.clone(), id, began: Instant::now(), receiver, _permit: permit };
            // A place may have become free since the attempt found none.
            (waiter, self.turns(&mut state, now))
        };
        hand_out(turns);
        Ok(waiter)
    }

    /// Whose turn it is, and all who wait if failures have used the allowance up. The caller sends the turns when it has
    /// released the lock: a turn that nobody takes gives its place back.
    fn turns(self: &Arc<Self>, state: &mut State, now: Timestamp) -> Vec<(oneshot::Sender<Turn>, Turn)> {
        let mut turns = Vec::new();
        let failures = state.failures.at(now);
        if failures >= FAILURES {
            let waiting = std::mem::take(&mut state.waiting);
            turns.extend(waiting.into_values().map(|sender| (sender, Err(used_up(&state.failures, now)))));
        }
        while failures + state.under_way < FAILURES
            && let Some((_, sender)) = state.waiting.pop_first()
        {
            state.under_way += 1;
            state.moved = Instant::now();
            turns.push((sender, Ok(Place::new(self, false))));
        }
        turns
    }

    /// Ends an attempt; `failure` changes the failures first.
    fn end(self: &Arc<Self>, beside: bool, failure: impl FnOnce(&mut Failures, Timestamp)) {
        let now = self.clock.now();
        let turns = {
            let mut state = self.state();
            failure(&mut state.failures, now);
            if beside {
                state.beside -= 1;
            } else {
                state.under_way -= 1;
            }
            self.turns(&mut state, now)
        };
        hand_out(turns);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hand_out(turns: Vec<(oneshot::Sender<Turn>, Turn)>) {
    for (sender, turn) in turns {
        // The receiver may have gone away; the place is then dropped.
        let _ = sender.send(turn);
    }
}

fn used_up(failures: &Failures, now: Timestamp) -> Refused {
    Refused::LimitReached { retry_after: failures.until().since(now).max(Duration::from_secs(1)) }
}

/// The refusal of an attempt that would not get its turn soon.
pub(super) fn crowded() -> Refused {
    Refused::LimitReached { retry_after: STALLED }
}

/// One attempt's part of an allowance. Dropping it gives the part back.
#[derive(Debug)]
pub(super) struct Place {
    /// `None` once the place is given back.
    allowance: Option<Arc<Allowance>>,
    beside: bool,
}

impl Place {
    fn new(allowance: &Arc<Allowance>, beside: bool) -> Self {
        Self { allowance: Some(allowance.clone()), beside }
    }

    pub(super) fn key(&self) -> &str {
        self.allowance.as_deref().map_or("", Allowance::key)
    }

    /// Turns the place into a failure. `sum` is the shared counter's, if the failure was written.
    pub(super) fn fail(mut self, sum: Option<i64>) {
        if let Some(allowance) = self.allowance.take() {
            allowance.end(self.beside, |failures, now| failures.fail(sum, now));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(allowance) = self.allowance.take() {
            allowance.end(self.beside, |_, _| {});
        }
    }
}

/// An attempt that waits for its turn.
#[derive(Debug)]
pub(super) struct Waiter {
    allowance: Arc<Allowance>,
    id: u64,
    began: Instant,
    receiver: oneshot::Receiver<Turn>,
    /// Its part of the waiting attempts of the process.
    _permit: OwnedSemaphorePermit,
}

impl Waiter {
    /// Waits for the turn as long as turns come up, and never longer than [`LONGEST_WAIT`].
    pub(super) async fn turn(mut self) -> Turn {
        loop {
            let deadline = self.deadline();
            match timeout_at(deadline, &mut self.receiver).await {
                Ok(Ok(turn)) => return turn,
                // Turns came up meanwhile, for attempts before this one.
                Err(_) if self.deadline() > deadline => {}
                Ok(Err(_)) | Err(_) => return Err(crowded()),
            }
        }
    }

    fn deadline(&self) -> Instant {
        let moved = self.allowance.state().moved;
        (self.began.max(moved) + STALLED).min(self.began + LONGEST_WAIT)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.allowance.state().waiting.remove(&self.id);
    }
}
