//! Deletes rows that are older than their retention in the settings. Each minute one of the replicas does it, in bounded
//! batches, so that other writes do not wait long.

use std::time::Duration;

use wecom_login_store::Error;

use crate::operations::ticks::Ticks;
use crate::state::AppState;

const INTERVAL: Duration = Duration::from_mins(1);
/// Rows that one statement deletes.
const BATCH: i64 = 1000;
/// Batches per table in one round: a table that grows more slowly than this per minute stays small.
const BATCHES: usize = 50;
/// The replica that inserts this key does the round of this minute.
const TURN: &str = "janitor/turn";

pub(crate) async fn work(app: &AppState) {
    let mut ticks = Ticks::every(INTERVAL, &app.operations.stopping);
    while ticks.next().await {
        if let Err(error) = round(app).await {
            tracing::warn!(%error, "old rows could not be deleted");
        }
    }
}

/// The tables whose rows expire.
#[derive(Debug, Clone, Copy)]
enum Kind {
    KeyValues,
    AccessTokens,
    Sessions,
    Audit,
    SyncRuns,
    Outbox,
    VisibilityMarks,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::KeyValues,
        Self::AccessTokens,
        Self::Sessions,
        Self::Audit,
        Self::SyncRuns,
        Self::Outbox,
        Self::VisibilityMarks,
    ];

    const fn table(self) -> &'static str {
        match self {
            Self::KeyValues => "key_values",
            Self::AccessTokens => "access_tokens",
            Self::Sessions => "sessions",
            Self::Audit => "audit_events",
            Self::SyncRuns => "sync_runs",
            Self::Outbox => "outbox",
            Self::VisibilityMarks => "member_visibility",
        }
    }

    /// Deletes one batch; returns the number of rows.
    async fn batch(self, app: &AppState) -> Result<u64, Error> {
        let (store, keep, now) =
            (&app.operations.store, &app.config.settings.retention, app.config.clock.now());
        match self {
            Self::KeyValues => store.key_value().purge(now - keep.key_values, BATCH).await,
            Self::AccessTokens => store.purge_access_tokens(now, BATCH).await,
            Self::Sessions => store.purge_sessions(now, keep.sessions, BATCH).await,
            Self::Audit => store.purge_audit(now, keep.audit, BATCH).await,
            Self::SyncRuns => store.purge_runs(now, keep.sync_runs, BATCH).await,
            Self::Outbox => store.purge_outbox(now, keep.outbox, BATCH).await,
            Self::VisibilityMarks => store.purge_visibility_marks(now, BATCH).await,
        }
    }
}

/// The round of this minute, unless another replica has started it. It ends early, between two batches, when the server stops.
pub(crate) async fn round(app: &AppState) -> Result<(), Error> {
    let now = app.config.clock.now();
    // A little less than the interval, so that the key has expired before the next round.
    let until = now + INTERVAL.mul_f64(0.9);
    if !app.operations.store.key_value().insert(TURN, "", now, until).await? {
        return Ok(());
    }
    for kind in Kind::ALL {
        for _ in 0..BATCHES {
            if app.operations.stopping.is_cancelled() {
                return Ok(());
            }
            let deleted = kind.batch(app).await?;
            app.operations.metrics.deleted(kind.table(), deleted);
            if deleted < BATCH.unsigned_abs() {
                break;
            }
        }
    }
    for _ in 0..BATCHES {
        if app.operations.store.purge_outcomes(now, BATCH).await? < BATCH.unsigned_abs() {
            break;
        }
    }
    if let Err(error) = app.organisation.events.purge().await {
        tracing::warn!(%error, "old contact events could not be deleted");
    }
    Ok(())
}
