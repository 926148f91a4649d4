use std::time::{Duration, UNIX_EPOCH};

use tokio::sync::watch;

/// The simulator's own time: the system's plus what it was moved by.
#[derive(Debug)]
pub(crate) struct Clock {
    ahead_millis: watch::Sender<i64>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { ahead_millis: watch::Sender::new(0) }
    }
}

impl Clock {
    /// Milliseconds since the Unix epoch.
    pub(crate) fn now(&self) -> Moment {
        #[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the clock")]
        let now = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment(millis(now).saturating_add(*self.ahead_millis.borrow()))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.ahead_millis.send_modify(|ahead| *ahead = ahead.saturating_add(millis(by)));
    }

    /// Back to the system's time.
    pub(crate) fn reset(&self) {
        self.ahead_millis.send_replace(0);
    }

    /// Waits until so much time has gone by, or the clock was moved past it.
    pub(crate) async fn sleep(&self, long: Duration) {
        let mut moved = self.ahead_millis.subscribe();
        let until = self.now() + long;
        while let Some(left) = until.since(self.now()) {
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = moved.changed() => {}
            }
        }
    }
}

/// Milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) i64);

impl Moment {
    pub(crate) const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long after `earlier` it is; none when it is not after.
    pub(crate) fn since(self, earlier: Self) -> Option<Duration> {
        let millis = u64::try_from(self.0.saturating_sub(earlier.0)).ok()?;
        (millis > 0).then(|| Duration::from_millis(millis))
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
