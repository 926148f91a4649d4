//! The storage suite: what every backend must keep. A story is written once and runs on each of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod accounts;
mod api_keys;
mod audit;
mod auth_model;
mod auth_model_random;
mod backends;
mod backup;
mod events;
mod health;
mod key_value;
mod meanwhile;
mod members;
mod opening;
mod organisation;
mod postgres_fails;
mod races;
mod redis_fails;
mod rehire;
mod revocation;
mod schema;
mod sessions;
mod sqlite_fails;
mod token_pairs;
mod wire;

use std::time::Duration;

use wecom_login_model::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// No wait is longer; what is waited for takes a fraction of it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Looks until it is so.
async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !look().await {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, looking).await.is_ok();
    assert!(in_time, "not within {PATIENCE:?}: {what}");
}
