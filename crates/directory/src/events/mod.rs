//! WeCom's contact events: what they mean, and the worker that does what they ask for.
//!
//! An event is a hint that something about somebody has changed: events come late, twice, in any order, with few
//! fields (WeCom 96302), or not at all. So nothing in them is copied. [`Events::accept`] notes, durably and before
//! WeCom gets its answer, what is to be read again, and [`Events::work`] reads it with the app's own token. Two things
//! are done at once, because WeCom's API may be out of reach when the event is not: a member who leaves has no session
//! any more when WeCom gets its answer. Reading them again sets right what an old event got wrong.

mod backlog;
mod departments;
mod meaning;
mod members;
mod worker;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use meaning::{ContactEvent, NotUnderstood};
use tokio::sync::{Notify, Semaphore, watch};
use wecom::Budget;
use wecom::callback::Message;
use wecom_login_model::{AgentId, CorpId, Fingerprint, Timestamp};
use wecom_login_store::{Accepted, Act, Backlog, EventSetAside, EventTask, Leaver, NewEvent};

use crate::{COMPANIES_AT_ONCE, Directory, Error, SyncSource};

/// Repetitions are known for so long. A message that is sent again even later ends a member's sessions once more, and
/// reading the member again lets them in again.
const HEARD_FOR: Duration = Duration::from_hours(30 * 24);
const PURGE_ROWS: i64 = 1_000;
const PURGES: usize = 100;
/// Contact sync has been heard from within this time: its events are taken to come.
pub(crate) const HEALTHY_FOR: Duration = Duration::from_hours(24);
/// Events that wait longer are no news any more.
pub(crate) const LATE_AFTER: Duration = Duration::from_mins(10);
/// The actor in the audit log of what a contact event causes.
const ACTOR: &str = "wecom event";

/// The apps that are configured now.
pub trait Apps: Send + Sync + fmt::Debug + 'static {
    /// Those of a company, each once, with calls of this budget.
    fn of(&self, corp_id: &CorpId, budget: &Budget) -> Vec<SyncSource>;

    /// How often a sync is scheduled, if it is.
    fn sync_every(&self) -> Option<Duration>;
}

/// A decrypted callback.
#[derive(Debug, Clone)]
pub struct Received<'a> {
    /// The company that it is for, as the message itself says under its encryption.
    pub corp_id: &'a CorpId,
    /// The app whose address it came to.
    pub agent_id: &'a AgentId,
    /// It came by contact sync's setting, not by the app's.
    pub is_of_contacts: bool,
    /// The decrypted text.
    pub text: &'a [u8],
}

/// What became of a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// A new event.
    New,
    /// One that was taken before.
    Repeated,
    /// No event that says anything to us.
    NotOurs,
    /// An authentic message that cannot be understood: the company is put down for a sync.
    NotUnderstood(NotUnderstood),
}

/// The events of every company; cheap to clone.
#[derive(Debug, Clone)]
pub struct Events {
    directory: Directory,
    apps: Arc<dyn Apps>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Something was noted.
    noted: Notify,
    pulses: Mutex<HashMap<CorpId, worker::Pulse>>,
    heard: Mutex<HashMap<CorpId, Timestamp>>,
    /// The places of syncs that take the place of tasks.
    syncs: Arc<Semaphore>,
    /// Such syncs are left.
    stopping: watch::Sender<bool>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            noted: Notify::default(),
            pulses: Mutex::default(),
            heard: Mutex::default(),
            syncs: Arc::new(Semaphore::new(COMPANIES_AT_ONCE)),
            stopping: watch::Sender::default(),
        }
    }
}

impl Events {
    /// Events for the copy of `directory`.
    pub fn new(directory: Directory, apps: Arc<dyn Apps>) -> Self {
        Self { directory, apps, shared: Arc::default() }
    }

    /// Takes a callback whose signature was right. When this returns `Ok`, WeCom may be told so; when it does not, WeCom
    /// must not be, and sends it again.
    pub async fn accept(&self, received: &Received<'_>) -> Result<Taken, Error> {
        let Received { corp_id, agent_id, text, .. } = *received;
        if received.is_of_contacts {
            self.heard_from_contacts(corp_id).await?;
        }
        let meaning = match Message::parse(text) {
            Ok(message) => ContactEvent::of(&message, agent_id),
            Err(_) => Err(NotUnderstood::new("message", "it is neither XML nor JSON")),
        };
        let (tasks, leaver) = match &meaning {
            Ok(Some(event)) => event.asks(agent_id),
            Ok(None) => return Ok(Taken::NotOurs),
            // What has changed is not known, so everything is read.
            Err(_) => (vec![EventTask::Company], None),
        };
        // What an app is told of its scope is said to this app only; contact sync speaks to the company.
        let is_of_scope = matches!(&meaning, Ok(Some(event)) if event.is_of_scope());
        let whom = if is_of_scope { agent_id.as_str() } else { "" };
        let text = String::from_utf8_lossy(text);
        self.know_apps(corp_id).await?;
        let new = NewEvent {
            fingerprint: Fingerprint::of_parts([corp_id.as_str(), whom, &text]),
            corp_id,
            tasks,
            leaver,
        };
        // The visitor of this request is WeCom itself, as the signature shows.
        let act = Act::current();
        act.is_by(ACTOR);
        let accepted = self.directory.store.accept_event(&new, self.directory.clock.now());
        let accepted = act.scope(accepted).await?;
        self.shared.noted.notify_one();
        Ok(match (meaning, accepted) {
            (Err(not_understood), _) => Taken::NotUnderstood(not_understood),
            (Ok(_), Accepted::New) => Taken::New,
            (Ok(_), Accepted::Repeated) => Taken::Repeated,
        })
    }

    /// Records which apps of the company are configured: what only another app sees stays as it is.
    pub(crate) async fn know_apps(&self, corp_id: &CorpId) -> Result<(), Error> {
        let apps: Vec<AgentId> =
            self.apps.of(corp_id, &Budget::background()).into_iter().map(|app| app.agent_id).collect();
        self.directory.store.add_apps(corp_id, &apps).await?;
        Ok(self.directory.store.miss_other_apps(corp_id, &apps, self.directory.clock.now()).await?)
    }

    /// An authentic callback of contact sync came, be it the check of the address.
    pub async fn heard_from_contacts(&self, corp_id: &CorpId) -> Result<(), Error> {
        let now = self.directory.clock.now();
        {
            let mut heard = self.shared.heard.lock().unwrap_or_else(PoisonError::into_inner);
            if heard.get(corp_id).is_some_and(|at| now < *at + Duration::from_mins(1)) {
                return Ok(());
            }
            heard.insert(corp_id.clone(), now);
        }
        Ok(self.directory.store.heard_from_contacts(corp_id, now).await?)
    }

    /// What waits and what is set aside, by company.
    pub async fn backlog(&self) -> Result<Vec<Backlog>, Error> {
        Ok(self.directory.store.event_backlog().await?)
    }

    /// The tasks that failed too often, the latest first.
    pub async fn set_aside(&self, limit: i64) -> Result<Vec<EventSetAside>, Error> {
        Ok(self.directory.store.events_set_aside(limit).await?)
    }

    /// Forgets which events were heard long ago, a little at a time.
    pub async fn purge(&self) -> Result<(), Error> {
        let now = self.directory.clock.now();
        for _ in 0..PURGES {
            let purged = self.directory.store.purge_heard_events(now, HEARD_FOR, PURGE_ROWS).await?;
            if purged < PURGE_ROWS.unsigned_abs() {
                break;
            }
        }
        Ok(())
    }
}
