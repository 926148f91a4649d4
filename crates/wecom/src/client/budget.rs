//! Time limits. A person at a sign-in page needs a result within seconds, even a failure; a background job prefers a
//! late result to an incomplete one.

use std::time::Duration;

/// The time limits of a piece of work; see [`Client::within`](crate::Client::within).
///
/// ```
/// use std::time::Duration;
/// use wecom::Budget;
/// let sync = Budget::background().patience(Duration::from_secs(60));
/// let page = Budget::sign_in_within(Duration::from_secs(3));
/// # let _ = (sync, page);
/// ```
#[derive(Debug, Clone)]
pub struct Budget {
    pub(crate) total: Option<Duration>,
    pub(crate) first_pause: Duration,
    pub(crate) longest_pause: Duration,
    pub(crate) patience: Option<Duration>,
}

impl Budget {
    /// For a person who waits: 5 seconds in total. If WeCom is busy (-1), the call is tried twice; a rate limit (45009,
    /// 45033) fails at once.
    pub fn sign_in() -> Self {
        Self::sign_in_within(Duration::from_secs(5))
    }

    /// Like [`sign_in`](Self::sign_in), with another total time.
    pub fn sign_in_within(total: Duration) -> Self {
        let pause = Duration::from_millis(100);
        Self { total: Some(total), first_pause: pause, longest_pause: pause, patience: None }
    }

    /// For a background job: after -1, 45009 and 45033 the call is tried again with growing pauses, up to 5 minutes per
    /// call. The pauses start at 0.5 s, double up to 60 s, and are randomly shortened by up to a half. WeCom blocks calls
    /// for 60 seconds after a minute limit (WeCom 90312), so a job waits for the end of a minute limit and fails at an
    /// hour limit.
    pub fn background() -> Self {
        Self {
            total: None,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_mins(1),
            patience: Some(Duration::from_mins(5)),
        }
    }

    /// For work on a whole company: like [`background`](Self::background), but it also waits for the end of an hour
    /// limit, up to 75 minutes per call.
    pub fn of_a_company() -> Self {
        Self { patience: Some(Duration::from_mins(75)), ..Self::background() }
    }

    /// With another pause before the second try.
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// With another maximum for a single pause.
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// With another maximum for all pauses of one call, including those that keep within WeCom's limits. No effect on a
    /// sign-in, which has a total time instead.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = self.patience.map(|_| patience);
        self
    }
}
