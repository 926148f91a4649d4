//! The worker: claims the tasks of a company and does them, a few at a time. Each company has a worker task of its own, so that
//! one whose WeCom hangs or has no calls left keeps no other company waiting.
//!
//! Any number of workers may run, in one process or in many: a task belongs to one worker while the claim lasts, and the tasks of
//! a killed worker go to another one afterwards. A claim ends by the clocks of the replicas. If these differ by more than the
//! claim lasts, two workers may do the same task: that costs calls and changes nothing, because a task reads the present state
//! from WeCom, and only the worker whose claim it is may settle it. A failed task is due again after a pause that grows. Failures
//! that concern the whole company (WeCom is away, or refuses this machine) also let the company rest, and are nobody's fault;
//! a task that fails while others succeed, or that WeCom refuses by itself, is set aside in the end and shown.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::task::{Id, JoinError, JoinSet};
use wecom::{Budget, Concern};
use wecom_login_model::{CorpId, Timestamp};
use wecom_login_store::{Act, ClaimedTask, EventTask};

use super::members::Attempt;
use super::{ACTOR, Events};
use crate::{Error, SyncSource};

/// Tasks of one claim.
const BATCH: i64 = 32;
/// Tasks at once in a company; WeCom refuses too many calls at a time (45033).
const AT_ONCE: usize = 4;
/// Companies at once. One whose WeCom hangs takes a place for some minutes and few resources, and then rests; so the places are
/// many, and others get theirs meanwhile.
const COMPANIES_AT_ONCE: usize = 64;
/// What a killed process had in hand is somebody else's after this long.
const CLAIM: Duration = Duration::from_secs(15);
const RENEWED_EVERY: Duration = Duration::from_secs(5);
/// A task is set aside after so many failures of its own.
const MOST_STRIKES: i64 = 8;
const FIRST_PAUSE: Duration = Duration::from_secs(5);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// Tasks whose time has come are found within this time, whoever noted them.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A pause by the clock of this process. It ends too if the clock is set to before its beginning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    from: Timestamp,
    until: Timestamp,
}

impl Pause {
    pub(super) fn of(now: Timestamp, lasts: Duration) -> Self {
        Self { from: now, until: now + lasts }
    }

    pub(super) fn holds(self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

/// How a company's WeCom answers.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pulse {
    pub(super) rest: Option<Pause>,
    pub(super) failed: u32,
    /// A sync takes the place of its tasks.
    pub(super) is_syncing: bool,
    /// One did not help.
    pub(super) no_sync: Option<Pause>,
}

/// A task by its place, and what came of it.
type Attempted = (usize, Result<Attempt, Error>);

fn pause(failed: i64) -> Duration {
    let factor = 1_u32.checked_shl(u32::try_from(failed).unwrap_or(0)).unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
}

/// True for what would happen to any task of the company.
fn is_of_the_company(error: &Error) -> bool {
    match error {
        Error::Store(_) | Error::TooLong(_) | Error::Vanished(_) => true,
        Error::WeCom(error) => matches!(error.concern(), Concern::App | Concern::Moment),
    }
}

/// The worker tasks of [`Events::run`], one for each company at most. They end when this is dropped.
#[derive(Debug, Default)]
struct Workers {
    tasks: JoinSet<bool>,
    companies: HashSet<CorpId>,
    names: HashMap<Id, CorpId>,
}

impl Workers {
    fn start(&mut self, corp_id: CorpId, work: impl Future<Output = bool> + Send + 'static) {
        let id = self.tasks.spawn(work).id();
        self.names.insert(id, corp_id);
    }

    /// Waits until one that has worked ends; of others only their end is noted.
    async fn have_worked(&mut self) {
        loop {
            match self.tasks.join_next_with_id().await {
                Some(ended) => {
                    if self.note_end(ended) {
                        return;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    async fn have_ended(&mut self) {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.note_end(ended);
        }
    }

    /// Frees the place of a worker; true if it has worked. Its panic is this task's, so that the server notices it.
    fn note_end(&mut self, ended: Result<(Id, bool), JoinError>) -> bool {
        let (id, worked) = match ended {
            Ok(ended) => ended,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => (error.id(), false),
            },
        };
        if let Some(corp_id) = self.names.remove(&id) {
            self.companies.remove(&corp_id);
        }
        worked
    }
}

impl Events {
    /// Works until `stop` ends, and then to the end of the claims in hand; a sync that took the place of tasks is left where it
    /// is. Dropped before that, it leaves its tasks claimed until the claim runs out.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut workers = Workers::default();
        loop {
            if let Err(error) = self.start_workers(&mut workers).await {
                tracing::warn!(%error, "contact events wait for the database");
            }
            // A company that has more due tasks is found at once, and everything else at the next look.
            let look = tokio::time::timeout(LOOK_EVERY, self.shared.noted.notified());
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = workers.have_worked() => {}
                _ = look => {}
            }
        }
        self.shared.stopping.send_replace(true);
        workers.have_ended().await;
        self.leave_syncs().await;
    }

    /// Starts a worker for each company that has due tasks, has none yet and does not rest, as far as there are places.
    async fn start_workers(&self, workers: &mut Workers) -> Result<(), Error> {
        let due = self.directory.store.companies_with_due_events(self.directory.clock.now()).await?;
        for corp_id in due {
            if workers.companies.len() == COMPANIES_AT_ONCE {
                break;
            }
            if !self.rests(&corp_id) && workers.companies.insert(corp_id.clone()) {
                let events = self.clone();
                workers.start(corp_id.clone(), async move { events.work_or_pause(&corp_id).await });
            }
        }
        Ok(())
    }

    /// Works once for the company; after a failure of the database it pauses. True if there was work.
    async fn work_or_pause(&self, corp_id: &CorpId) -> bool {
        match self.work_for(corp_id).await {
            Ok(worked) => worked > 0,
            Err(error) => {
                tracing::warn!(%corp_id, %error, "contact events of a company wait for the database");
                let mut stopping = self.shared.stopping.subscribe();
                let _ = tokio::time::timeout(LOOK_EVERY, stopping.wait_for(|stopping| *stopping)).await;
                false
            }
        }
    }

    /// Works once for each company with due tasks and returns when all have ended: the number of tasks that were worked on, well
    /// or badly. [`Events::run`] waits for no company before it starts the next one.
    pub async fn work(&self) -> Result<usize, Error> {
        let companies = self.directory.store.companies_with_due_events(self.directory.clock.now()).await?;
        let rounds = stream::iter(companies).map(|corp_id| async move { self.work_for(&corp_id).await });
        let mut rounds = rounds.buffer_unordered(COMPANIES_AT_ONCE);
        let mut worked = Ok(0);
        while let Some(round) = rounds.next().await {
            // The first error counts; it keeps no other company waiting.
            worked = worked.and_then(|before| Ok(before + round?));
        }
        worked
    }

    /// Claims some of the company's due tasks and does them, unless the company rests or a sync takes their place.
    async fn work_for(&self, corp_id: &CorpId) -> Result<usize, Error> {
        // The queue waits by itself: a call that fails fails at once, as does one that would have to wait for WeCom's budget.
        let budget = Budget::background().patience(Duration::ZERO);
        let apps = self.apps.of(corp_id, &budget);
        if apps.is_empty() || self.rests(corp_id) || self.sync_instead(corp_id).await? {
            return Ok(0);
        }
        Act::of(ACTOR).scope(self.work_company(&apps, corp_id)).await
    }

    fn rests(&self, corp_id: &CorpId) -> bool {
        let (pulse, now) = (self.pulse(corp_id), self.directory.clock.now());
        pulse.is_syncing || pulse.rest.is_some_and(|rest| rest.holds(now))
    }

    async fn leave_syncs(&self) {
        let syncing = || {
            let pulses = self.shared.pulses.lock().unwrap_or_else(PoisonError::into_inner);
            pulses.values().any(|pulse| pulse.is_syncing)
        };
        while syncing() {
            self.shared.noted.notified().await;
        }
    }

    pub(super) fn pulse(&self, corp_id: &CorpId) -> Pulse {
        let pulses = self.shared.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        pulses.get(corp_id).copied().unwrap_or_default()
    }

    pub(super) fn change_pulse(&self, corp_id: &CorpId, change: impl FnOnce(&mut Pulse)) {
        let mut pulses = self.shared.pulses.lock().unwrap_or_else(PoisonError::into_inner);
        change(pulses.entry(corp_id.clone()).or_default());
    }

    async fn work_company(&self, apps: &[SyncSource], corp_id: &CorpId) -> Result<usize, Error> {
        let (store, now) = (&self.directory.store, self.directory.clock.now());
        let mut claimed = store.claim_event_tasks(corp_id, now, now + CLAIM, BATCH).await?;
        let tasks = claimed.iter().map(|claimed| claimed.task.clone()).collect();
        let mut work = std::pin::pin!(self.attempt_all(apps, corp_id, tasks));
        let results = loop {
            tokio::select! {
                results = &mut work => break results,
                () = tokio::time::sleep(RENEWED_EVERY) => {
                    let until = self.directory.clock.now() + CLAIM;
                    if let Err(error) = store.renew_event_claims(&mut claimed, until).await {
                        tracing::warn!(%corp_id, %error, "contact events may be worked on twice");
                    }
                }
            }
        };
        self.settle(corp_id, &claimed, results).await?;
        Ok(claimed.len())
    }

    /// What came of each, with its place among the tasks.
    async fn attempt_all(
        &self,
        apps: &[SyncSource],
        corp_id: &CorpId,
        tasks: Vec<EventTask>,
    ) -> Vec<Attempted> {
        // WeCom finds no member under a former userid, so new userids come first, one by one.
        let mut results = Vec::with_capacity(tasks.len());
        let (members, others): (Vec<_>, Vec<_>) =
            tasks.into_iter().enumerate().partition(|(_, task)| matches!(task, EventTask::Member(_)));
        let attempt = |(place, task): (usize, EventTask)| async move {
            (place, self.attempt(apps, corp_id, &task).await)
        };
        for other in others {
            results.push(attempt(other).await);
        }
        let members = stream::iter(members).map(attempt).buffer_unordered(AT_ONCE);
        results.extend(members.collect::<Vec<_>>().await);
        results
    }

    async fn settle(
        &self,
        corp_id: &CorpId,
        claimed: &[ClaimedTask],
        results: Vec<Attempted>,
    ) -> Result<(), Error> {
        let store = &self.directory.store;
        let answers = results.iter().any(|(_, result)| match result {
            Ok(_) => true,
            Err(error) => !is_of_the_company(error),
        });
        let (mut problem, mut free_in, mut written) = (None, None, Ok(()));
        for (place, result) in results {
            let Some(claimed) = claimed.get(place) else { continue };
            let task = match result {
                Ok(Attempt::Done) => store.finish_event_task(claimed).await.map_err(Error::from),
                Ok(Attempt::NotYet(why)) => self.failed(corp_id, claimed, why, true).await,
                Ok(Attempt::InPart(error)) => {
                    let own_fault = error.concern() == Concern::Request;
                    self.failed(corp_id, claimed, &error.to_string(), own_fault).await
                }
                Err(Error::WeCom(error)) if error.free_in().is_some() => {
                    free_in = free_in.max(error.free_in());
                    store.release_event_task(claimed).await.map_err(Error::from)
                }
                Err(error) => {
                    let text = error.to_string();
                    // A failure that concerns the app or the moment is no task's fault.
                    let own_fault = answers && !is_of_the_company(&error);
                    let failed = self.failed(corp_id, claimed, &text, own_fault).await;
                    problem = Some(text);
                    failed
                }
            };
            // One that cannot be written leaves no other claimed.
            written = written.and(task);
        }
        if answers {
            self.change_pulse(corp_id, |pulse| (pulse.failed, pulse.rest) = (0, None));
        } else if let Some(problem) = problem {
            let rest = pause(i64::from(self.pulse(corp_id).failed));
            self.change_pulse(corp_id, |pulse| {
                pulse.failed = pulse.failed.saturating_add(1);
                pulse.rest = Some(Pause::of(self.directory.clock.now(), rest));
            });
            tracing::warn!(
                %corp_id,
                error = problem,
                seconds = rest.as_secs(),
                "contact events cannot be worked on; they wait"
            );
        }
        if let Some(free_in) = free_in {
            let rest = Pause::of(self.directory.clock.now(), free_in);
            self.change_pulse(corp_id, |pulse| {
                pulse.rest = pulse.rest.into_iter().chain([rest]).max_by_key(|rest| rest.until);
            });
            let seconds = free_in.as_secs();
            tracing::info!(%corp_id, seconds, "contact events wait until WeCom's budget has room");
        }
        written
    }

    async fn attempt(
        &self,
        apps: &[SyncSource],
        corp_id: &CorpId,
        task: &EventTask,
    ) -> Result<Attempt, Error> {
        match task {
            EventTask::Member(user_id) => self.read_again(apps, corp_id, user_id).await,
            EventTask::Department(id) => self.read_department(apps, corp_id, *id).await,
            EventTask::Rename { from, to } => self.rename(apps, corp_id, from, to).await,
            // Claims leave it out: `sync_instead` does it.
            EventTask::Company => Ok(Attempt::NotYet("a sync of the company does it")),
        }
    }

    async fn failed(
        &self,
        corp_id: &CorpId,
        claimed: &ClaimedTask,
        problem: &str,
        own_fault: bool,
    ) -> Result<(), Error> {
        let now = self.directory.clock.now();
        let set_aside = (own_fault && claimed.strikes + 1 >= MOST_STRIKES).then_some(now);
        if set_aside.is_some() {
            tracing::error!(
                %corp_id,
                task = ?claimed.task,
                error = problem,
                "a contact event has failed too often and is set aside until another one asks for the same"
            );
        }
        let due_at = now + pause(claimed.tries);
        self.directory.store.fail_event_task(claimed, problem, own_fault, due_at, set_aside).await?;
        Ok(())
    }
}
