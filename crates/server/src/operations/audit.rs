//! Audit events that are not part of another transaction.

use std::sync::Arc;

use wecom_login_store::{AuditEntry, Store};

use crate::metrics::Metrics;
use crate::state::Operations;

/// Writes an event. If the database write fails, the event is logged instead.
pub(crate) async fn write(operations: &Operations, entry: AuditEntry) {
    store(operations.store.clone(), operations.metrics.clone(), entry).await;
}

/// Writes an event in the background, for a request that the failing storage has already delayed.
pub(crate) fn write_later(operations: &Operations, entry: AuditEntry) {
    tokio::spawn(store(operations.store.clone(), operations.metrics.clone(), entry));
}

async fn store(store: Store, metrics: Arc<Metrics>, entry: AuditEntry) {
    let line = serde_json::to_string(&entry).unwrap_or_default();
    if let Err(error) = store.audit(entry).await {
        metrics.lost_audit_row();
        tracing::error!(%error, audit = line, "an audit event is not in the database");
    }
}
