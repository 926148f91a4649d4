//! Syncs of the organisation, on a schedule and on request of administrators. Companies are synced side by side; the apps of one
//! company follow one another.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wecom_login_directory::{LONGEST_SYNC, Observer, Report, SyncError, SyncOptions, SyncSource, by_company};
use wecom_login_model::{AgentId, CorpId, Timestamp};
use wecom_login_sign_in::SignInError;
use wecom_login_store::{Lease, Outcome, Run, RunId};

use crate::state::AppState;

/// The delay of the first sync after a start, so that repeated restarts do not start repeated syncs.
const FIRST: Duration = Duration::from_mins(5);
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The delay after a failed attempt, shorter than the regular interval.
const AGAIN: Duration = Duration::from_mins(5);
/// A time that is further ahead of this process's clock comes from a wrong clock. Clocks that are kept in step differ by less.
const AHEAD: Duration = Duration::from_mins(1);

/// Checks periodically which companies are due and syncs them. Every replica checks; the lease lets one of them run a sync.
pub(crate) async fn schedule(app: AppState, every: Duration) {
    let mut stopped = std::pin::pin!(app.operations.stopping.clone().cancelled_owned());
    let mut next = Instant::now() + FIRST.min(every);
    let mut schedule = Schedule::new(app, every);
    loop {
        tokio::select! {
            biased;
            () = &mut stopped => break,
            () = schedule.has_synced() => {}
            () = tokio::time::sleep_until(next) => {
                schedule.look().await;
                next = Instant::now() + LOOK_EVERY;
            }
        }
    }
    // Their syncs have been told to stop, too.
    while schedule.tasks.join_next().await.is_some() {}
}

struct Schedule {
    app: AppState,
    every: Duration,
    times: FutureTimes,
    /// One for each company that is being synced.
    tasks: JoinSet<CorpId>,
    syncing: HashSet<CorpId>,
}

impl Schedule {
    fn new(app: AppState, every: Duration) -> Self {
        Self { app, every, times: FutureTimes::default(), tasks: JoinSet::new(), syncing: HashSet::new() }
    }

    /// Starts the syncs that are due, but for companies that this process is syncing. Without a place they wait for another look.
    async fn look(&mut self) {
        for (corp_id, sources) in by_company(self.app.apps.loaded().instances.sources()) {
            if self.syncing.contains(&corp_id) {
                continue;
            }
            let mut due = Vec::new();
            for source in sources {
                match self.is_due(&source).await {
                    Ok(true) => due.push(source),
                    Ok(false) => {}
                    Err(error) => tracing::warn!(%error, "cannot read whether a sync is due"),
                }
            }
            if due.is_empty() {
                continue;
            }
            let Ok(place) = Arc::clone(&self.app.operations.syncs).try_acquire_owned() else {
                tracing::info!(%corp_id, "a due sync waits for a place: the syncs of many other companies are running");
                continue;
            };
            let (app, every) = (self.app.clone(), self.every);
            self.syncing.insert(corp_id.clone());
            self.tasks.spawn(async move {
                run(&app, &due, every).await;
                drop(place);
                corp_id
            });
        }
    }

    /// Waits until the sync of a company has ended.
    async fn has_synced(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(corp_id)) => {
                self.syncing.remove(&corp_id);
            }
            Some(Err(error)) => {
                if let Ok(panic) = error.try_into_panic() {
                    // A panic of this worker, so that the server notices it.
                    std::panic::resume_unwind(panic);
                }
            }
            None => std::future::pending().await,
        }
    }

    async fn is_due(&mut self, source: &SyncSource) -> Result<bool, wecom_login_store::Error> {
        let Some(run) = self.app.operations.store.last_run(&source.corp_id, &source.agent_id).await? else {
            return Ok(true);
        };
        let now = self.app.config.clock.now();
        Ok(now >= self.times.due_at(&run, self.every, now))
    }
}

/// When this process first saw the last run of an app whose time is in the future.
#[derive(Debug, Default)]
struct FutureTimes(HashMap<(CorpId, AgentId), (RunId, Timestamp, Timestamp)>);

impl FutureTimes {
    /// When the app's next sync is due. A run whose time is in the future was noted by a clock that is ahead: it counts from the
    /// moment at which this process has seen it, and is logged once.
    fn due_at(&mut self, run: &Run, every: Duration, now: Timestamp) -> Timestamp {
        let (at, pause) = match run.outcome {
            None | Some(Outcome::Failed) => (run.attempted_at, AGAIN.min(every)),
            Some(_) => (run.started_at, every),
        };
        let app = (run.corp_id.clone(), run.agent_id.clone());
        if at <= now + AHEAD {
            self.0.remove(&app);
            return at + pause;
        }
        match self.0.get(&app) {
            Some((id, future, seen)) if (*id, *future) == (run.id, at) => *seen + pause,
            _ => {
                tracing::warn!(
                    instance = run.instance,
                    run = run.id.number(),
                    seconds = at.as_secs() - now.as_secs(),
                    "the time of the last sync is in the future and is not used; check the clocks of all replicas"
                );
                self.0.insert(app, (run.id, at, now));
                now + pause
            }
        }
    }
}

async fn run(app: &AppState, sources: &[SyncSource], every: Duration) {
    let options = SyncOptions { started_by: "schedule".to_owned(), force: false, every: Some(every) };
    for source in sources {
        match sync(app, source, &options, &|_| ()).await {
            None => return,
            // The sync logs its own outcome.
            Some(Ok(_) | Err(SyncError::Failed(_))) => {}
            Some(Err(SyncError::Running(other))) => {
                tracing::debug!(
                    instance = source.instance,
                    holder = other.label,
                    "a sync is already running"
                );
            }
        }
    }
}

/// Runs a sync; `None` if the server stops first, which abandons the sync.
async fn sync(
    app: &AppState,
    source: &SyncSource,
    options: &SyncOptions,
    observer: Observer<'_>,
) -> Option<Result<Report, SyncError>> {
    let stop = app.operations.stopping.clone().cancelled_owned();
    app.organisation.directory.sync_within(source, options, observer, stop, LONGEST_SYNC).await
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
            SyncError::Failed(other @ (Error::Vanished(_) | Error::TooLong(_))) => {
                Self::Failed(SignInError::Unforeseen(other.to_string()))
            }
        }
    }
}

/// Starts the syncs of a company's apps in the background. They run one after another, because a company has at most one
/// sync at a time. Returns once the first one has started, or waits for a place behind other companies.
pub(crate) async fn begin(
    app: &AppState,
    sources: Vec<SyncSource>,
    started_by: String,
    force: bool,
) -> Result<(), SyncNotStarted> {
    let (tell, began) = oneshot::channel();
    let options = SyncOptions { started_by, force, every: app.config.settings.organisation.sync_every.0 };
    let at_work = app.clone();
    let task = app
        .operations
        .background
        .spawn(async move { one_after_another(&at_work, sources, &options, tell).await });
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
    sources: Vec<SyncSource>,
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
    let place = if let Ok(place) = app.operations.syncs.try_acquire() {
        Some(place)
    } else {
        tracing::info!("a sync waits for a place: the syncs of many other companies are running");
        if let Some(tell) = untold() {
            let _ = tell.send(());
        }
        tokio::select! {
            biased;
            () = app.operations.stopping.cancelled() => None,
            place = app.operations.syncs.acquire() => place.ok(),
        }
    };
    for source in place.iter().flat_map(|_| &sources) {
        let Some(result) = sync(app, source, options, &observer).await else { break };
        match result {
            Err(error) if untold().is_some() => return Err(error.into()),
            // After a failed sync, which logs its own failure, the next one still runs.
            Ok(_) | Err(SyncError::Failed(_)) => {}
            Err(SyncError::Running(other)) => {
                tracing::warn!(
                    instance = source.instance,
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

#[cfg(test)]
mod tests {
    use wecom_login_store::{Coverage, Phase, ReadNumber};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const MINUTE: Duration = Duration::from_mins(1);
    const EVERY: Duration = Duration::from_hours(1);

    fn run(id: i64, at: Timestamp, outcome: Option<Outcome>) -> Run {
        Run {
            id: RunId(id),
            corp_id: CorpId::parse("ww1").unwrap(),
            agent_id: AgentId::parse("7").unwrap(),
            instance: "Example".to_owned(),
            started_by: "schedule".to_owned(),
            forced: false,
            number: ReadNumber(id),
            // What was read first is kept when a run is resumed.
            started_at: if outcome == Some(Outcome::Complete) { at } else { at - EVERY },
            attempted_at: at,
            finished_at: None,
            phase: Phase::Walk,
            cursor: None,
            sight: Coverage::Whole,
            note: String::new(),
            outcome,
            problem: String::new(),
            departments: 0,
            seen: 0,
            joined: 0,
            changed: 0,
            came_back: 0,
            left: 0,
            held: 0,
        }
    }

    #[test]
    fn a_sync_is_due_after_the_interval_and_five_minutes_after_a_failed_attempt() {
        let mut times = FutureTimes::default();
        let complete = run(1, NOW - MINUTE, Some(Outcome::Complete));
        assert_eq!(times.due_at(&complete, EVERY, NOW), NOW - MINUTE + EVERY);
        for outcome in [None, Some(Outcome::Failed)] {
            assert_eq!(times.due_at(&run(1, NOW, outcome), EVERY, NOW), NOW + AGAIN, "O15: {outcome:?}");
            assert_eq!(times.due_at(&run(1, NOW, outcome), MINUTE, NOW), NOW + MINUTE);
        }
    }

    /// O12
    #[test]
    fn a_time_in_the_future_counts_from_the_moment_at_which_it_was_first_seen() {
        let mut times = FutureTimes::default();
        let ahead = run(1, NOW + EVERY * 24, Some(Outcome::Complete));
        assert_eq!(times.due_at(&ahead, EVERY, NOW), NOW + EVERY);
        assert_eq!(times.due_at(&ahead, EVERY, NOW + MINUTE), NOW + EVERY);
        let next = run(2, NOW + EVERY * 25, Some(Outcome::Complete));
        assert_eq!(times.due_at(&next, EVERY, NOW + EVERY), NOW + EVERY * 2, "another run");
        let failed = run(2, NOW + EVERY * 25, None);
        assert_eq!(times.due_at(&failed, EVERY, NOW + EVERY), NOW + EVERY + AGAIN);
        let in_step = run(3, NOW + AHEAD, Some(Outcome::Complete));
        assert_eq!(times.due_at(&in_step, EVERY, NOW), NOW + AHEAD + EVERY, "clocks differ a little");
    }
}
