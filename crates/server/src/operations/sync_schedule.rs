//! Syncs of the organisation, on a schedule and on request of administrators.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use wecom_login_directory::{Observer, Report, SyncError, SyncOptions, Viewer};
use wecom_login_model::Timestamp;
use wecom_login_sign_in::SignInError;
use wecom_login_store::{Lease, Outcome};

use crate::state::AppState;

/// The delay of the first sync after a start, so that repeated restarts do not start repeated syncs.
const FIRST: Duration = Duration::from_mins(5);
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The delay after a failed sync, shorter than the regular interval.
const AGAIN: Duration = Duration::from_mins(5);

/// Checks periodically whether a sync is due. Every replica checks; the lease lets one of them run the sync.
pub(crate) async fn schedule(app: AppState, every: Duration) {
    let mut stopped = std::pin::pin!(app.operations.stopping.clone().cancelled_owned());
    let mut pause = FIRST.min(every);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            () = tokio::time::sleep(pause) => pause = LOOK_EVERY,
        }
        for viewer in app.apps.loaded().instances.viewers() {
            if app.operations.stopping.is_cancelled() {
                return;
            }
            match is_due(&app, &viewer, every).await {
                Ok(true) => run(&app, &viewer, every).await,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "cannot read whether a sync is due"),
            }
        }
    }
}

async fn is_due(app: &AppState, viewer: &Viewer, every: Duration) -> Result<bool, wecom_login_store::Error> {
    let last = app.operations.store.last_run(&viewer.corp_id, &viewer.agent_id).await?;
    Ok(match last {
        None => true,
        Some(run) if run.outcome.is_none() || run.outcome == Some(Outcome::Failed) => {
            app.config.clock.now() >= run.started_at + AGAIN.min(every)
        }
        Some(run) => app.config.clock.now() >= run.started_at + every,
    })
}

async fn run(app: &AppState, viewer: &Viewer, every: Duration) {
    let options = SyncOptions { started_by: "schedule".to_owned(), force: false, every: Some(every) };
    match sync(app, viewer, &options, &|_| ()).await {
        // The sync logs its own outcome.
        None | Some(Ok(_) | Err(SyncError::Failed(_))) => {}
        Some(Err(SyncError::Running(other))) => {
            tracing::debug!(instance = viewer.instance, holder = other.label, "a sync is already running");
        }
    }
}

/// Runs a sync; `None` if the server stops first, which abandons the sync.
async fn sync(
    app: &AppState,
    viewer: &Viewer,
    options: &SyncOptions,
    observer: Observer<'_>,
) -> Option<Result<Report, SyncError>> {
    app.organisation
        .directory
        .sync_until(viewer, options, observer, app.operations.stopping.clone().cancelled_owned())
        .await
}

/// Why no sync was started.
#[derive(Debug)]
pub(crate) enum SyncNotStarted {
    /// Another sync is running.
    Running(Lease),
    Failed(SignInError),
}

impl From<SyncError> for SyncNotStarted {
    fn from(error: SyncError) -> Self {
        use wecom_login_directory::Error;
        match error {
            SyncError::Running(other) => Self::Running(other),
            SyncError::Failed(Error::WeCom(error)) => Self::Failed(SignInError::WeCom(error)),
            SyncError::Failed(Error::Store(error)) => Self::Failed(SignInError::Store(error)),
            SyncError::Failed(Error::Vanished(what)) => {
                Self::Failed(SignInError::Unforeseen(what.to_owned()))
            }
        }
    }
}

/// Starts the syncs of a company's apps in the background. They run one after another, because a company has at most one
/// sync at a time. Returns once the first one has started.
pub(crate) async fn begin(
    app: &AppState,
    viewers: Vec<Viewer>,
    started_by: String,
    force: bool,
) -> Result<(), SyncNotStarted> {
    let (tell, began) = oneshot::channel();
    let options = SyncOptions { started_by, force, every: app.config.settings.organisation.sync_every.0 };
    let at_work = app.clone();
    let task = app
        .operations
        .background
        .spawn(async move { one_after_another(&at_work, viewers, &options, tell).await });
    match began.await {
        Ok(()) => Ok(()),
        // The task ended before a sync had started.
        Err(_) => task.await.unwrap_or_else(|error| {
            Err(SyncNotStarted::Failed(SignInError::Unforeseen(format!("the sync task failed: {error}"))))
        }),
    }
}

async fn one_after_another(
    app: &AppState,
    viewers: Vec<Viewer>,
    options: &SyncOptions,
    tell: oneshot::Sender<()>,
) -> Result<(), SyncNotStarted> {
    let tell = Mutex::new(Some(tell));
    let untold = || tell.lock().unwrap_or_else(PoisonError::into_inner).take();
    let observer = |_| {
        if let Some(tell) = untold() {
            let _ = tell.send(());
        }
    };
    for viewer in &viewers {
        let Some(result) = sync(app, viewer, options, &observer).await else { break };
        match result {
            Err(error) if untold().is_some() => return Err(error.into()),
            // After a failed sync, which logs its own failure, the next one still runs.
            Ok(_) | Err(SyncError::Failed(_)) => {}
            Err(SyncError::Running(other)) => {
                tracing::warn!(
                    instance = viewer.instance,
                    holder = other.label,
                    "a sync was skipped because another one is running"
                );
            }
        }
    }
    match untold() {
        None => Ok(()),
        Some(_) => Err(SyncNotStarted::Failed(SignInError::Unforeseen("the server is stopping".to_owned()))),
    }
}

/// The lease of the company's running sync, if any.
pub(crate) async fn running(
    app: &AppState,
    corp_id: &wecom_login_model::CorpId,
    now: Timestamp,
) -> Result<Option<Lease>, wecom_login_store::Error> {
    let lease = app.operations.store.lease(&format!("sync/{corp_id}")).await?;
    Ok(lease.filter(|lease| lease.until > now))
}
