//! With too many tasks waiting, one sync of the whole company takes their place.

use std::sync::Arc;
use std::time::Duration;

use wecom::Budget;
use wecom_login_model::{CorpId, Timestamp};
use wecom_login_store::{Act, Outcome};

use super::worker::{LONGEST_PAUSE, Pulse};
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
    /// It has not seen everything, or failed.
    InPart(String),
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
        let (now, pulse) = (self.directory.clock.now(), self.pulse(corp_id));
        if pulse.no_sync_until.is_some_and(|until| now < until)
            || !self.directory.store.are_more_events_waiting(corp_id, MOST_WAITING, now).await?
        {
            return Ok(false);
        }
        let Ok(place) = Arc::clone(&self.shared.syncs).try_acquire_owned() else { return Ok(false) };
        tracing::info!(%corp_id, "more than {MOST_WAITING} contact events wait: the whole company is read instead");
        let syncing = Syncing::begin(self.clone(), corp_id.clone());
        tokio::spawn(Act::of(ACTOR).scope(async move {
            let (_place, Syncing(events, corp_id)) = (place, &syncing);
            let synced = events.sync_company(corp_id).await;
            events.after_sync(corp_id, synced).await;
        }));
        Ok(true)
    }

    /// All apps of the company, one after the other.
    async fn sync_company(&self, corp_id: &CorpId) -> Synced {
        let options =
            SyncOptions { started_by: "events".to_owned(), force: false, every: self.apps.sync_every() };
        let mut since = self.directory.clock.now();
        for viewer in self.apps.of(corp_id, &Budget::of_a_company()) {
            let mut stopping = self.shared.stopping.subscribe();
            let stop = async {
                // An error would mean that nobody is left who could stop anything.
                let _ = stopping.wait_for(|stopping| *stopping).await;
            };
            let synced = self.directory.sync_within(&viewer, &options, &|_| (), stop, LONGEST_SYNC);
            match synced.await {
                Some(Ok(report)) => match report.run.outcome {
                    // A run that was taken up again began before.
                    Some(Outcome::Complete | Outcome::Held) => since = since.min(report.run.started_at),
                    _ => return Synced::InPart(report.run.problem),
                },
                Some(Err(SyncError::Running(_))) => return Synced::ByOthers,
                Some(Err(SyncError::Failed(error))) => return Synced::InPart(error.to_string()),
                None => return Synced::Left,
            }
        }
        Synced::Since(since)
    }

    async fn after_sync(&self, corp_id: &CorpId, synced: Synced) {
        let now = self.directory.clock.now();
        let rest = match synced {
            Synced::Since(since) => {
                match self.directory.store.drop_events_before(corp_id, since - CLOCKS).await {
                    Ok(dropped) => {
                        tracing::info!(%corp_id, dropped, "the company was read in place of its events");
                        Pulse { rest_until: Some(now + CLOCKS), ..Pulse::default() }
                    }
                    Err(error) => {
                        tracing::warn!(%corp_id, %error, "the company was read, but its events are still there");
                        Pulse { no_sync_until: Some(now + LONGEST_PAUSE), ..Pulse::default() }
                    }
                }
            }
            Synced::Left => Pulse::default(),
            Synced::ByOthers => Pulse { rest_until: Some(now + UNDER_WAY), ..Pulse::default() },
            Synced::InPart(problem) => {
                tracing::warn!(
                    %corp_id,
                    problem,
                    "the company could not be read as a whole; its events are worked on one by one"
                );
                Pulse { no_sync_until: Some(now + LONGEST_PAUSE), ..Pulse::default() }
            }
        };
        self.change_pulse(corp_id, |pulse| *pulse = Pulse { is_syncing: true, ..rest });
    }
}
