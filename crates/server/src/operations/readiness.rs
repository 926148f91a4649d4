//! The last report of GET /readyz, shared by all requests within a second.

use serde_json::{Value, json};
use tokio::sync::Mutex;
use wecom_login_model::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Ok,
    /// A fault that does not keep this replica from signing members in.
    Degraded(&'static str),
    Failed(&'static str),
}

/// The last report and its time.
#[derive(Debug, Default)]
pub(crate) struct Readiness(pub(crate) Mutex<Option<(Timestamp, Report)>>);

#[derive(Debug, Clone)]
pub(crate) struct Report(pub(crate) Vec<(&'static str, Health)>);

impl Report {
    /// True if this replica can sign members in.
    pub(crate) fn is_ready(&self) -> bool {
        self.0.iter().all(|(_, health)| !matches!(health, Health::Failed(_)))
    }

    /// The names of the components that failed.
    pub(crate) fn failed(&self) -> String {
        let failed = self.0.iter().filter(|(_, health)| matches!(health, Health::Failed(_)));
        failed.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn shown(&self) -> Value {
        let status = match self.is_ready() {
            false => "unready",
            true if self.0.iter().any(|(_, health)| *health != Health::Ok) => "degraded",
            true => "ready",
        };
        let component = |(name, health): &(&str, Health)| match health {
            Health::Ok => json!({"name": name, "status": "ok"}),
            Health::Degraded(detail) => json!({"name": name, "status": "degraded", "detail": detail}),
            Health::Failed(detail) => json!({"name": name, "status": "failed", "detail": detail}),
        };
        json!({"status": status, "components": self.0.iter().map(component).collect::<Vec<_>>()})
    }
}
