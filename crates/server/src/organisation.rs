//! Syncs of the organisation: on a schedule, and for administrators.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use wecom_login_directory::{SyncError, SyncOptions, Viewer};
use wecom_login_model::Timestamp;
use wecom_login_store::{Lease, Outcome};

use crate::site::Site;

/// A server that has just started, perhaps for the third time in a minute, does not begin with a sync.
const FIRST: Duration = Duration::from_mins(5);
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// A sync that failed is tried again sooner than the next one is due.
const AGAIN: Duration = Duration::from_mins(5);

/// Looks from time to time whether a sync is due. Every replica does; the lease lets one of them do it.
pub(crate) async fn schedule(site: Arc<Site>) {
    let Some(every) = site.settings.sync_every else { return };
    let mut stopped = std::pin::pin!(site.stopping.begun());
    let mut pause = FIRST.min(every);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            () = tokio::time::sleep(pause) => pause = LOOK_EVERY,
        }
        for viewer in site.served().instances.viewers() {
            if site.stopping.has_begun() {
                return;
            }
            match is_due(&site, &viewer, every).await {
                Ok(true) => run(&site, &viewer, every).await,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "whether a sync is due is not known"),
            }
        }
    }
}

async fn is_due(site: &Site, viewer: &Viewer, every: Duration) -> Result<bool, wecom_login_store::Error> {
    let last = site.store.last_run(&viewer.corp_id, &viewer.agent_id).await?;
    Ok(match last {
        None => true,
        Some(run) if run.outcome.is_none() || run.outcome == Some(Outcome::Failed) => {
            site.clock.now() >= run.started_at + AGAIN.min(every)
        }
        Some(run) => site.clock.now() >= run.started_at + every,
    })
}

async fn run(site: &Site, viewer: &Viewer, every: Duration) {
    let options = SyncOptions { started_by: "schedule".to_owned(), force: false, every: Some(every) };
    match site.directory.sync(viewer, &options, &|_| ()).await {
        // What came of it is logged where it was done.
        Ok(_) | Err(SyncError::Failed(_)) => {}
        Err(SyncError::Running(other)) => {
            tracing::debug!(instance = viewer.instance, holder = other.label, "a sync is under way already");
        }
    }
}

/// Begins a sync in the background; comes back once it is under way, or with the one that is.
pub(crate) async fn begin(
    site: &Arc<Site>,
    viewer: Viewer,
    started_by: String,
    force: bool,
) -> Result<(), SyncError> {
    let (tell, began) = oneshot::channel();
    let site = site.clone();
    let options = SyncOptions { started_by, force, every: site.settings.sync_every };
    let task = tokio::spawn(async move {
        let tell = std::sync::Mutex::new(Some(tell));
        let observer = |_| {
            if let Some(tell) = tell.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
                let _ = tell.send(());
            }
        };
        site.directory.sync(&viewer, &options, &observer).await.map(drop)
    });
    match began.await {
        Ok(()) => Ok(()),
        // It ended before it told anything.
        Err(_) => task.await.unwrap_or(Ok(())),
    }
}

/// Who is at a sync of the company now.
pub(crate) async fn running(
    site: &Site,
    corp_id: &wecom_login_model::CorpId,
    now: Timestamp,
) -> Result<Option<Lease>, wecom_login_store::Error> {
    let lease = site.store.lease(&format!("sync/{corp_id}")).await?;
    Ok(lease.filter(|lease| lease.until > now))
}
