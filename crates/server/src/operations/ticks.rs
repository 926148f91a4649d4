//! The rhythm of a worker: at once, and then after each interval, until the server stops.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
pub(crate) struct Ticks {
    interval: Interval,
    stopping: CancellationToken,
}

impl Ticks {
    pub(crate) fn every(interval: Duration, stopping: &CancellationToken) -> Self {
        let mut interval = tokio::time::interval(interval);
        // Work that took longer than the interval is not made up for.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { interval, stopping: stopping.clone() }
    }

    /// Waits for the next tick; false when the server stops.
    pub(crate) async fn next(&mut self) -> bool {
        self.stopping.run_until_cancelled(self.interval.tick()).await.is_some()
    }
}
