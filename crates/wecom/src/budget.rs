//! How long a piece of work may wait for WeCom. A person at a sign-in page gets an answer within seconds, good or
//! bad; a background job would rather be late than incomplete.

use std::time::Duration;

/// The time and patience of a piece of work; see [`Client::within`](crate::Client::within).
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
    /// For a person who waits: 5 seconds in all. A busy WeCom (-1) is asked twice; a rate limit (45009, 45033)
    /// fails at once.
    pub fn sign_in() -> Self {
        Self::sign_in_within(Duration::from_secs(5))
    }

    /// As [`sign_in`](Self::sign_in), with another time in all.
    pub fn sign_in_within(total: Duration) -> Self {
        let pause = Duration::from_millis(100);
        Self { total: Some(total), first_pause: pause, longest_pause: pause, patience: None }
    }

    /// For a background job: -1, 45009 and 45033 are waited out with growing pauses (0.5 s, doubling up to 60 s,
    /// each shortened by chance by up to a half), up to 5 minutes per call. WeCom blocks a minute's excess for 60
    /// seconds (WeCom 90312), so a minute limit is survived and an hour limit is reported.
    pub fn background() -> Self {
        Self {
            total: None,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_mins(1),
            patience: Some(Duration::from_mins(5)),
        }
    }

    /// For work on a whole company: as [`background`](Self::background), but it sits out an hour limit too, up to 75
    /// minutes per call.
    pub fn of_a_company() -> Self {
        Self { patience: Some(Duration::from_mins(75)), ..Self::background() }
    }

    /// With another first pause before WeCom is asked again.
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// With another bound for a single pause.
    pub fn longest_pause(mut self, pause: Duration) -> Self {
        self.longest_pause = pause;
        self
    }

    /// With another bound for the pauses of one call together, those included that keep within WeCom's limits. Without
    /// effect on a sign-in, which has its time in all instead.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = self.patience.map(|_| patience);
        self
    }
}
