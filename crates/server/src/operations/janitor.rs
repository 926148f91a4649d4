//! Deletes what is older than the settings keep it. Of all replicas one does it, a minute at a time, and in bounded
//! batches, so that no other write waits long.

use std::time::Duration;

use wecom_login_store::Error;

use crate::state::AppState;

const INTERVAL: Duration = Duration::from_mins(1);
/// Rows of one statement.
const BATCH: i64 = 1000;
/// Batches of one table in one round: whatever grows slower than this a minute is kept small.
const BATCHES: usize = 50;
/// Whoever makes this key does this minute's round.
const TURN: &str = "janitor/turn";

pub(crate) async fn work(app: &AppState) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut stopped = std::pin::pin!(app.operations.stopping.clone().cancelled_owned());
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = round(app).await {
            tracing::warn!(%error, "old rows could not be deleted");
        }
    }
}

/// What can grow old.
#[derive(Debug, Clone, Copy)]
enum Kind {
    KeyValues,
    AccessTokens,
    Sessions,
    Audit,
    SyncRuns,
    Outbox,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::KeyValues, Self::AccessTokens, Self::Sessions, Self::Audit, Self::SyncRuns, Self::Outbox];

    const fn table(self) -> &'static str {
        match self {
            Self::KeyValues => "key_values",
            Self::AccessTokens => "access_tokens",
            Self::Sessions => "sessions",
            Self::Audit => "audit_events",
            Self::SyncRuns => "sync_runs",
            Self::Outbox => "outbox",
        }
    }

    /// Deletes one batch; tells how many rows.
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
        }
    }
}

/// One minute's round, if nobody else has begun it. It ends early between two batches when the server stops.
pub(crate) async fn round(app: &AppState) -> Result<(), Error> {
    let now = app.config.clock.now();
    // A little less than the interval, so that the next round finds it gone.
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
    if let Err(error) = app.organisation.events.purge().await {
        tracing::warn!(%error, "events that were heard long ago could not be forgotten");
    }
    Ok(())
}
