//! How processes share the count of calls. Any key-value store with expiry can implement the trait.

use std::fmt;
use std::time::Duration;

use crate::Timestamp;
use crate::client::token::StoreFuture;

/// A store through which the processes of one installation share their count of calls, so that together they stay within
/// WeCom's limits ([`CallLimits`](crate::CallLimits)).
///
/// A process takes its calls in blocks, so it asks the store a few times in a second at most. If the store fails, or takes
/// longer than a second, the process counts alone for a few seconds.
pub trait QuotaStore: Send + Sync + fmt::Debug + 'static {
    /// The time that all processes agree on, to a few seconds.
    fn now(&self) -> Timestamp;

    /// The value under `key` with its version.
    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<(String, i64)>>;

    /// Writes `value` for at most `ttl` if `key` still has this `version`, or without one if it has no value. False if
    /// another process was faster.
    fn replace<'a>(
        &'a self,
        key: &'a str,
        version: Option<i64>,
        value: &'a str,
        ttl: Duration,
    ) -> StoreFuture<'a, bool>;
}
