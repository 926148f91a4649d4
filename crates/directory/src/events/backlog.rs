//! With too many tasks waiting, or after an event that cannot be understood, the whole company is synchronised.

use std::sync::Arc;
use std::time::Duration;

use wecom::Budget;
use wecom_login_model::{CorpId, Timestamp};
use wecom_login_store::{Act, Outcome};

use super::worker::{LONGEST_PAUSE, Pause, Pulse};
use super::{ACTOR, Events};
use crate::{Error, LONGEST_SYNC, SyncError, SyncOptions};

/// With more than this, the sync costs less than the tasks do.
const MOST_WAITING: i64 = 5_000;
/// Another process is at a sync; looked at again after this long.
const UNDER_WAY: Duration = Duration::from_secs(30);

/// Events are noted by the clocks of other replicas; they differ by less than this. What was noted so shortly before a sync
/// stays, and rests as long: of a burst the next sync would find the last moments' events again. The sessions of leavers
/// end before, when their events are accepted.
const CLOCKS: Duration = Duration::from_secs(5);

/// What a sync came to.
enum Synced {
    /// Whatever was noted before this moment is in the copy.
    Since(Timestamp),
    /// Somebody else is at it.
    ByOthers,
    /// It has come to its end, begun at this moment, and has not seen everything.
    InPart(Timestamp, String),
    /// It has not come to its end.
    Failed(String),
    /// The server stops.
    Left,
}

/// The company's tasks rest as long as this is there, however the sync ends.
struct Syncing(Events, CorpId);

impl Syncing {
    fn begin(events: Events, corp_id: CorpId) -> Self {
        events.change_pulse(&corp_id, |pulse| pulse.is_syncing = true);
        Self(events, corp_id)
    }
}

impl Drop for Syncing {
    fn drop(&mut self) {
        self.0.change_pulse(&self.1, |pulse| pulse.is_syncing = false);
        self.0.shared.noted.notify_one();
    }
}

impl Events {
    /// Begins the sync in the background, so that the company's worker need not wait for it. True when it did; until it ends
    /// the company's tasks rest. When it does not help, or there is no place for it, they are worked on one by one.
    pub(super) async fn sync_instead(&self, corp_id: &CorpId) -> Result<bool, Error> {
        let (store, now) = (&self.directory.store, self.directory.clock.now());
        if self.pulse(corp_id).no_sync.is_some_and(|pause| pause.holds(now)) {
            return Ok(false);
        }
        let reason = if store.are_more_events_waiting(corp_id, MOST_WAITING, now).await? {
            "very many contact events wait"
        } else if store.is_company_sync_due(corp_id, now).await? {
            "an event could not be understood"
        } else {
            return Ok(false);
        };
        let Ok(place) = Arc::clone(&self.shared.syncs).try_acquire_owned() else { return Ok(false) };
        tracing::info!(%corp_id, reason, "the whole company is read");
        let syncing = Syncing::begin(self.clone(), corp_id.clone());
        tokio::spawn(Act::of(ACTOR).scope(async move {
            let (_place, Syncing(events, corp_id)) = (place, &syncing);
            let synced = events.sync_company(corp_id).await;
            events.after_sync(corp_id, synced).await;
        }));
        Ok(true)
    }

    /// All apps of the company, one after the other. One that fails keeps no other from being read.
    async fn sync_company(&self, corp_id: &CorpId) -> Synced {
        let options =
            SyncOptions { started_by: "events".to_owned(), force: false, every: self.apps.sync_every() };
        let mut since = self.directory.clock.now();
        let (mut problem, mut is_read) = (None, true);
        for source in self.apps.of(corp_id, &Budget::of_a_company()) {
            let mut stopping = self.shared.stopping.subscribe();
            let stop = async {
                // An error would mean that nobody is left who could stop anything.
                let _ = stopping.wait_for(|stopping| *stopping).await;
            };
            let synced = self.directory.sync_within(&source, &options, &|_| (), stop, LONGEST_SYNC);
            match synced.await {
                Some(Ok(report)) => {
                    // A run that was taken up again began before.
                    since = since.min(report.run.started_at);
                    if !matches!(report.run.outcome, Some(Outcome::Complete | Outcome::Held)) {
                        problem.get_or_insert(report.run.problem);
                    }
                }
                Some(Err(SyncError::Running(_))) => return Synced::ByOthers,
                Some(Err(SyncError::Failed(error))) => {
                    is_read = false;
                    problem.get_or_insert(error.to_string());
                }
                None => return Synced::Left,
            }
        }
        match problem {
            None => Synced::Since(since),
            Some(problem) if is_read => Synced::InPart(since, problem),
            Some(problem) => Synced::Failed(problem),
        }
    }

    async fn after_sync(&self, corp_id: &CorpId, synced: Synced) {
        let (store, now) = (&self.directory.store, self.directory.clock.now());
        let rest = match synced {
            Synced::Since(since) => match store.drop_events_before(corp_id, since - CLOCKS).await {
                Ok(dropped) => {
                    tracing::info!(%corp_id, dropped, "the company was read in place of its events");
                    Pulse { rest: Some(Pause::of(now, CLOCKS)), ..Pulse::default() }
                }
                Err(error) => {
                    tracing::warn!(%corp_id, %error, "the company was read, but its events are still there");
                    Pulse { no_sync: Some(Pause::of(now, LONGEST_PAUSE)), ..Pulse::default() }
                }
            },
            Synced::Left => Pulse::default(),
            Synced::ByOthers => Pulse { rest: Some(Pause::of(now, UNDER_WAY)), ..Pulse::default() },
            Synced::InPart(since, problem) => {
                if let Err(error) = store.company_was_read(corp_id, since - CLOCKS).await {
                    tracing::warn!(%corp_id, %error, "the company was read, but its events are still there");
                }
                one_by_one(corp_id, &problem, now)
            }
            Synced::Failed(problem) => {
                if let Err(error) = store.postpone_company_sync(corp_id, &problem, now + LONGEST_PAUSE).await
                {
                    tracing::warn!(%corp_id, %error, "a sync that failed is not postponed");
                }
                one_by_one(corp_id, &problem, now)
            }
        };
        self.change_pulse(corp_id, |pulse| *pulse = Pulse { is_syncing: true, ..rest });
    }
}

fn one_by_one(corp_id: &CorpId, problem: &str, now: Timestamp) -> Pulse {
    tracing::warn!(
        %corp_id,
        problem,
        "the company could not be read as a whole; its events are worked on one by one"
    );
    Pulse { no_sync: Some(Pause::of(now, LONGEST_PAUSE)), ..Pulse::default() }
}
