//! Audit events that are not part of another transaction, and counted events.

use std::time::Duration;

use wecom_login_store::{AuditEntry, Error};

use crate::operations::ticks::Ticks;
use crate::state::{AppState, Operations};

/// How often finished minutes of counted events are looked for.
const INTERVAL: Duration = Duration::from_secs(1);

/// Writes an event. If the database write fails, the event is logged instead.
pub(crate) async fn write(operations: &Operations, entry: AuditEntry) {
    if let Err(error) = operations.store.audit(entry.clone()).await {
        lost(operations, &entry, &error);
    }
}

/// Writes the rows of counted events whose minute is over, until the server stops.
pub(crate) async fn write_counted(app: &AppState) {
    let mut ticks = Ticks::every(INTERVAL, &app.operations.stopping);
    while ticks.next().await {
        let finished = app.operations.counted_events.take_finished(app.config.clock.now());
        write_all(&app.operations, finished).await;
    }
}

/// Writes the rows of all counted events.
pub(crate) async fn flush_counted(operations: &Operations) {
    write_all(operations, operations.counted_events.take_all()).await;
}

async fn write_all(operations: &Operations, entries: Vec<AuditEntry>) {
    if entries.is_empty() {
        return;
    }
    if let Err(error) = operations.store.audit_all(&entries).await {
        for entry in &entries {
            lost(operations, entry, &error);
        }
    }
}

fn lost(operations: &Operations, entry: &AuditEntry, error: &Error) {
    operations.metrics.lost_audit_row();
    let line = serde_json::to_string(entry).unwrap_or_default();
    tracing::error!(%error, audit = line, "an audit event is not in the database");
}
