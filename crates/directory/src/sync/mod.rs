//! The copy is made what an app sees: its departments with their members, and the people whom its scope or a tag in it
//! names. See docs/organisation.md.
//!
//! A sync goes through phases, each of which is kept when its process dies ([`Phase`]): everybody's identifiers, where
//! there is the secret of contact sync; what the app sees; the members, department by department; the people by name;
//! the members of the copy whom nothing has shown, asked for one by one; and the change of the copy, in one transaction.
//! Memory holds a few departments at a time.
//!
//! * [`scope`]: what the app sees; [`walk`]: who is there; [`asking`]: one by one;
//! * [`guard`]: when removals wait for an administrator;
//! * [`lease`]: one runner in the cluster;
//! * [`companies`]: side by side;
//! * [`departments`]: the same for a part of the tree, on demand.

mod asking;
mod companies;
mod departments;
mod guard;
mod lease;
mod scope;
mod source;
mod walk;

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use wecom_login_model::{DepartmentId, Timestamp};
use wecom_login_store::{
    Applied, ApplyParams, Asked, Coverage, Lease, LeaseGuard, LookupKind, NewRun, Outcome, Phase, ReadNumber,
    Run, RunScope,
};

use crate::{Directory, Error};
pub use companies::{COMPANIES_AT_ONCE, LONGEST_SYNC, by_company};
pub(crate) use lease::Beats;
use lease::HeldLease;
pub use source::{OtherApp, SyncSource};

/// The departments that a killed run has walked are kept for this long.
const RESUMED_WITHIN: Duration = Duration::from_mins(15);
/// Reads that begin within this time share a number.
const NUMBER_LASTS: Duration = Duration::from_millis(250);
/// A schedule that is a little late still watches.
const LATE: Duration = Duration::from_mins(10);
/// So many rows that could not be read are named in a run.
const MOST_LOST: usize = 10;
/// Runs that are kept, for each app.
const RUNS_KEPT: i64 = 50;

/// How a sync is made.
#[derive(Debug, Clone)]
pub struct SyncOptions {
    /// Who asked for it: `schedule`, `command`, or an administrator.
    pub started_by: String,
    /// Removals are made, however many they are.
    pub force: bool,
    /// How often the schedule comes, if there is one.
    pub every: Option<Duration>,
}

/// How far a sync is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is at.
    pub phase: Phase,
    /// Departments walked.
    pub walked: u64,
    /// Departments that the app sees.
    pub departments: u64,
    /// Rows of members read; a member of several departments counts in each.
    pub seen: u64,
    /// People asked for by name.
    pub asked: u64,
}

/// Is told how far a sync is.
pub type Observer<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// A sync that came to its end.
#[derive(Debug, Clone)]
pub struct Report {
    /// The run as it is kept.
    pub run: Run,
    /// What was written.
    pub applied: Applied,
    /// Time spent in the database.
    pub database: Duration,
}

/// Why a sync did not come to its end.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SyncError {
    /// Another one is under way for the company.
    #[error("{} is at it since {}", .0.label, moment(.0.since))]
    Running(Lease),
    /// WeCom or the database failed. What was read so far is kept, and the next sync goes on from there.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<wecom::Error> for SyncError {
    fn from(error: wecom::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<wecom_login_store::Error> for SyncError {
    fn from(error: wecom_login_store::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// `2026-11-22T10:20:30Z`.
pub(crate) fn moment(at: Timestamp) -> String {
    let seconds = at.as_secs();
    let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // The civil calendar from a count of days, which begins in March of year 0 (proleptic Gregorian, eras of 400 years).
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// One sync at work.
struct Work<'a> {
    directory: &'a Directory,
    source: &'a SyncSource,
    under: LeaseGuard<'a>,
    observer: Observer<'a>,
    /// A department that cannot be seen ends the work.
    strict: bool,
    /// Taken before this invocation asked WeCom anything.
    since: ReadNumber,
    /// The number of the reads that are under way, and when it was taken.
    reads: tokio::sync::Mutex<Option<(Asked, Instant)>>,
    /// Rows that could not be read, by what WeCom wrote as their identifier.
    lost: Mutex<Vec<String>>,
    progress: Mutex<(Progress, Duration)>,
}

impl Directory {
    /// Makes the copy what the app sees. One sync is under way in each company, in the whole cluster; of a process that
    /// died the next one goes on where it was.
    pub async fn sync(
        &self,
        source: &SyncSource,
        options: &SyncOptions,
        observer: Observer<'_>,
    ) -> Result<Report, SyncError> {
        let holding = self.hold(source, options).await?;
        let result = self.sync_under(source, options, observer, &holding).await;
        holding.release(self).await;
        result
    }

    /// The same until `stop` ends. Then the work is left where it is, as when its process dies, except that nobody has to
    /// wait for the lease; that gives nothing.
    pub async fn sync_until(
        &self,
        source: &SyncSource,
        options: &SyncOptions,
        observer: Observer<'_>,
        stop: impl Future<Output = ()>,
    ) -> Option<Result<Report, SyncError>> {
        let holding = match self.hold(source, options).await {
            Ok(holding) => holding,
            Err(error) => return Some(Err(error)),
        };
        let result = tokio::select! {
            result = self.sync_under(source, options, observer, &holding) => Some(result),
            () = stop => None,
        };
        holding.release(self).await;
        if result.is_none() {
            tracing::info!(instance = source.instance, "a sync was left; the next one goes on from there");
        }
        result
    }

    async fn hold(&self, source: &SyncSource, options: &SyncOptions) -> Result<HeldLease, SyncError> {
        HeldLease::take(self, &source.corp_id, &options.started_by).await?.map_err(SyncError::Running)
    }

    async fn sync_under(
        &self,
        source: &SyncSource,
        options: &SyncOptions,
        observer: Observer<'_>,
        holding: &HeldLease,
    ) -> Result<Report, SyncError> {
        let (now, under) = (self.clock.now(), holding.under());
        self.store.add_apps(&source.corp_id, &source.apps()).await?;
        self.store.miss_other_apps(&source.corp_id, &source.apps(), now).await?;
        // What a run that died while it cleaned up has left.
        self.unless_it_fails(self.clear_staging(source)).await;
        let new = NewRun {
            corp_id: &source.corp_id,
            agent_id: &source.agent_id,
            instance: &source.instance,
            extent: RunScope::Company,
            started_by: &options.started_by,
            forced: options.force,
            phase: if source.contact.is_some() { Phase::Listing } else { Phase::VisibleScope },
        };
        let run = self.store.begin_run(&new, under, now - RESUMED_WITHIN, now).await?;
        let since = self.store.next_number().await?;
        let work = Work::new(self, source, under, observer, &run, since);
        let result = work.through(run.clone(), options).await;
        if let Err(error) = &result {
            if let SyncError::Failed(Error::WeCom(error)) = error {
                let (problem, now) = (error.to_string(), self.clock.now());
                let (corp_id, agent_id) = (&source.corp_id, &source.agent_id);
                self.unless_it_fails(self.store.app_is_failing(corp_id, agent_id, &problem, now)).await;
            }
            tracing::warn!(instance = source.instance, run = run.id.0, %error, "the organisation was not synchronised");
            let (problem, now) = (error.to_string(), self.clock.now());
            self.unless_it_fails(self.store.note_problem(run.id, &problem, now)).await;
            self.unless_it_fails(self.store.audit_broken_run(&run, &problem, now)).await;
        } else {
            self.unless_it_fails(self.clear_staging(source)).await;
        }
        result
    }

    async fn clear_staging(&self, source: &SyncSource) -> Result<(), wecom_login_store::Error> {
        self.store.clear_staging(&source.corp_id, &source.agent_id, RUNS_KEPT).await
    }

    /// What is done after a run has come to its end, or broken off: should it fail, the run came to the same, and the
    /// next one does it.
    async fn unless_it_fails(&self, work: impl Future<Output = Result<(), wecom_login_store::Error>>) {
        if let Err(error) = work.await {
            tracing::warn!(%error, "what a sync leaves behind could not be put in order");
        }
    }
}

impl<'a> Work<'a> {
    fn new(
        directory: &'a Directory,
        source: &'a SyncSource,
        under: LeaseGuard<'a>,
        observer: Observer<'a>,
        run: &Run,
        since: ReadNumber,
    ) -> Self {
        let progress =
            Progress { phase: run.phase, walked: 0, departments: run.departments, seen: run.seen, asked: 0 };
        Self {
            directory,
            source,
            under,
            observer,
            strict: false,
            since,
            reads: tokio::sync::Mutex::default(),
            lost: Mutex::default(),
            progress: Mutex::new((progress, Duration::ZERO)),
        }
    }

    /// From the phase in which the run is to its end.
    async fn through(&self, mut run: Run, options: &SyncOptions) -> Result<Report, SyncError> {
        self.tell(|_| ());
        if run.phase == Phase::Listing {
            self.list(&run).await?;
            run = self.read_again(&run).await?;
        }
        if run.phase == Phase::VisibleScope {
            self.find_scope(&run).await?;
            run = self.read_again(&run).await?;
        }
        if run.phase == Phase::Walk {
            self.walk(&run).await?;
            run = self.read_again(&run).await?;
        }
        if run.phase == Phase::Names {
            self.timed(self.store().ask_for_listed(run.id, run.sight == Coverage::ByListing, self.under))
                .await?;
            self.ask_all(&run, LookupKind::Named, None).await?;
            self.timed(self.store().enter_phase(run.id, Phase::Leavers, self.under)).await?;
            run = self.read_again(&run).await?;
        }
        let unseen = self.store().unseen_departments(run.id).await?;
        let mut hold = None;
        if run.phase == Phase::Leavers {
            hold = self.find_leavers(&run, &unseen, options.force).await?;
        }
        let blind = self.blind(&run, &unseen).await?;
        let now = self.directory.clock.now();
        let when = ApplyParams {
            now,
            extent: RunScope::Company,
            hold,
            blind,
            since: self.since,
            gone: Vec::new(),
            watched_until: options.every.map(|every| now + 2 * every + LATE),
        };
        self.tell(|progress| progress.phase = Phase::Apply);
        let (applied, outcome) = self.timed(self.store().apply_run(&run, &when, self.under)).await?;
        let run = self.read_again(&run).await?;
        tracing::info!(
            instance = self.source.instance,
            run = run.id.0,
            outcome = outcome.as_str(),
            departments = run.departments,
            seen = run.seen,
            joined = applied.joined,
            changed = applied.changed,
            came_back = applied.came_back,
            left = applied.left,
            held = applied.held,
            problem = run.problem,
            "the organisation was synchronised"
        );
        if outcome == Outcome::Held {
            tracing::warn!(
                instance = self.source.instance,
                held = applied.held,
                reason = run.problem,
                "removals wait for an administrator"
            );
        }
        let database = self.progress.lock().unwrap_or_else(PoisonError::into_inner).1;
        Ok(Report { run, applied, database })
    }

    /// Why somebody may have been there unseen, if so: by what is staged, whichever try of the run has met it.
    async fn blind(&self, run: &Run, unseen: &[DepartmentId]) -> Result<Option<String>, Error> {
        let mut why = Vec::new();
        if run.sight == Coverage::Blind {
            why.push(run.note.clone());
        }
        if let Some(first) = unseen.first() {
            why.push(format!(
                "the members of {} departments could not be read, such as {first}",
                unseen.len()
            ));
        }
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner).join(", ");
        if !lost.is_empty() {
            why.push(format!("rows that could not be read: {lost}"));
        }
        if let (people, Some(first)) = self.store().refused_people(run.id).await? {
            why.push(format!("{people} of the people asked for by name could not be read, such as {first}"));
        }
        Ok((!why.is_empty()).then(|| why.join("; ")))
    }

    /// When WeCom is asked. Calls of a moment share a number, which was taken before the first of them.
    async fn ask(&self) -> Result<Asked, Error> {
        let mut reads = self.reads.lock().await;
        if let Some((asked, at)) = *reads
            && at.elapsed() < NUMBER_LASTS
        {
            return Ok(asked);
        }
        let asked = self.directory.ask().await?;
        *reads = Some((asked, Instant::now()));
        Ok(asked)
    }

    /// Notes the rows of an answer that could not be read, so that the run can name them.
    fn note_lost<T>(&self, listing: &wecom::Listing<T>) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        for row in listing.lost() {
            if lost.len() < MOST_LOST && !lost.contains(row) {
                lost.push(row.clone());
            }
        }
    }

    fn store(&self) -> &'a wecom_login_store::Store {
        &self.directory.store
    }

    async fn read_again(&self, run: &Run) -> Result<Run, Error> {
        let run = self.store().run(run.id).await?.ok_or(Error::Vanished("the run is not there any more"))?;
        self.tell(|progress| {
            progress.phase = run.phase;
            progress.departments = run.departments;
        });
        Ok(run)
    }

    fn tell(&self, change: impl FnOnce(&mut Progress)) {
        let progress = {
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut progress.0);
            progress.0
        };
        (self.observer)(progress);
    }

    /// Counts the time that the database takes.
    async fn timed<T>(
        &self,
        work: impl Future<Output = Result<T, wecom_login_store::Error>>,
    ) -> Result<T, wecom_login_store::Error> {
        let began = std::time::Instant::now();
        let result = work.await;
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).1 += began.elapsed();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_utc() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_000, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00Z"),
            (1_800_000_000_123, "2027-01-15T08:00:00Z"),
        ] {
            assert_eq!(moment(Timestamp::from_millis(millis)), text);
        }
    }
}
