//! Operations: health, metrics, the audit log, background work and shutdown.

pub(crate) mod assets;
pub(crate) mod audit;
pub(crate) mod audit_file;
pub(crate) mod background;
pub(crate) mod counted_events;
pub(crate) mod event_apps;
pub(crate) mod health;
pub(crate) mod janitor;
pub(crate) mod metrics;
pub(crate) mod readiness;
pub(crate) mod ready;
pub(crate) mod reload;
pub(crate) mod shared_quota;
pub(crate) mod shared_tokens;
pub(crate) mod sync_schedule;
mod ticks;
pub(crate) mod workers;
