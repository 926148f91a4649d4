//! The local copy of the organisation: members and departments.
//!
//! A row is as good as WeCom's answer while it is fresh; after that the member is read again. What WeCom withholds
//! never erases what it told before. A [sync](Directory::sync) makes the copy what an app sees.

mod answers;
mod auth_model;
pub mod events;
mod profile;
mod sync;

use std::sync::Arc;
use std::time::Duration;

pub use auth_model::AuthModel;
use futures_util::future::join_all;
pub use sync::{
    COMPANIES_AT_ONCE, LONGEST_SYNC, Observer, OtherApp, Progress, Report, SyncError, SyncOptions,
    SyncSource, by_company,
};
use wecom::{Calls, Concern};
use wecom_login_model::{
    AgentId, Clock, CorpId, Department, DepartmentId, Member, MemberStatus, Profile, Secret, Timestamp,
    UserId,
};
use wecom_login_store::{
    AppAnswer, Asked, Consent, DepartmentAnswer, DepartmentAnswers, EventTask, KnownMember, MemberAnswers,
    Standing, Store,
};

/// Where neither events nor a scheduled sync watch over a member, nobody would tell that they have left: no row is trusted
/// longer than this then.
pub const UNWATCHED_FRESH_FOR: Duration = Duration::from_mins(10);

/// The department of the whole company (WeCom 90208).
const ROOT: DepartmentId = DepartmentId(1);
/// Clocks of replicas differ by less than this.
pub(crate) const CLOCKS: Duration = Duration::from_secs(5);

/// WeCom or the database failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// WeCom refused, or did not answer.
    #[error(transparent)]
    WeCom(#[from] wecom::Error),
    /// The database refused, or did not answer.
    #[error(transparent)]
    Store(#[from] wecom_login_store::Error),
    /// A sync in the background did not end in this time.
    #[error("the sync did not end within {0:?}")]
    TooLong(Duration),
    /// A row that was just written is not there any more.
    #[error("{0}")]
    Vanished(&'static str),
}

/// The local copy; cheap to clone.
#[derive(Debug, Clone)]
pub struct Directory {
    store: Store,
    clock: Arc<dyn Clock>,
    beats: Arc<sync::Beats>,
}

impl Directory {
    /// The copy in `store`.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, beats: Arc::default() }
    }

    /// The member's row as it is, however old, with all that any app knows: for administrators, never for an app.
    pub async fn member(&self, corp_id: &CorpId, user_id: &UserId) -> Result<Option<Member>, Error> {
        Ok(self.store.member(corp_id, user_id).await?)
    }

    /// The member's row, however old, as the app may give it out.
    pub async fn member_for_app(
        &self,
        app: (&CorpId, &AgentId),
        user_id: &UserId,
    ) -> Result<Option<Member>, Error> {
        Ok(self.known_member(app, user_id).await?.map(|known| known.member))
    }

    /// The member's row if it is fresh and tells of somebody who may sign in. Anybody else is read again before being
    /// turned away: the administrator may have let them back in a minute ago.
    ///
    /// Fresh is what was read through this app, or confirmed by a complete sync of it, within `fresh_for`; within
    /// [`UNWATCHED_FRESH_FOR`] where neither a scheduled sync nor contact sync's events are healthy.
    pub async fn fresh_member(
        &self,
        (corp_id, agent_id): (&CorpId, &AgentId),
        user_id: &UserId,
        fresh_for: Duration,
    ) -> Result<Option<Member>, Error> {
        let known = self.known_member((corp_id, agent_id), user_id).await?;
        Ok(known.filter(|known| self.is_fresh(known, fresh_for)).map(|known| known.member))
    }

    /// The member's row, however old, with what decides whether it is fresh for that app.
    pub async fn known_member(
        &self,
        (corp_id, agent_id): (&CorpId, &AgentId),
        user_id: &UserId,
    ) -> Result<Option<KnownMember>, Error> {
        let late = self.clock.now() - events::LATE_AFTER;
        Ok(self.store.known_member(corp_id, agent_id, user_id, late).await?)
    }

    /// True for a row that is as good as WeCom's answer; see [`Directory::fresh_member`].
    pub fn is_fresh(&self, known: &KnownMember, fresh_for: Duration) -> bool {
        let (now, confirmation) = (self.clock.now(), &known.confirmation);
        if known.member.left_at.is_some() || known.member.profile.status.is_some_and(MemberStatus::is_barred)
        {
            return false;
        }
        // A clock was ahead when this was written: it says nothing about now.
        let past = |at: Option<Timestamp>| at.filter(|at| *at <= now + CLOCKS);
        let Some(known_at) = past(confirmation.read_at).max(past(confirmation.confirmed_at)) else {
            return false;
        };
        let watched = confirmation.watched_until.is_some_and(|until| now < until)
            || known.heard_at.is_some_and(|heard| now < heard + events::HEALTHY_FOR);
        now < known_at + if watched { fresh_for } else { fresh_for.min(UNWATCHED_FRESH_FOR) }
    }

    /// Takes the next number of a read, which is to begin now.
    pub(crate) async fn ask(&self) -> Result<Asked, Error> {
        let number = self.store.next_number().await?;
        Ok(Asked { number, at: self.clock.now() })
    }

    /// Reads the member from WeCom (one call, user/get) and writes the row; returns it as the app may give it out.
    pub async fn read_member(
        &self,
        calls: &Calls,
        app: (&CorpId, &AgentId),
        user_id: &UserId,
    ) -> Result<Member, Error> {
        Ok(self.read_told(calls, app, user_id).await?.0)
    }

    /// The same, with what WeCom told just now: the row also holds what it told before and withholds today.
    ///
    /// If WeCom answers that the app does not see the member, the sessions end that were begun through the app, and the other
    /// apps of the company are asked soon: the member has left if none sees them.
    pub async fn read_told(
        &self,
        calls: &Calls,
        (corp_id, agent_id): (&CorpId, &AgentId),
        user_id: &UserId,
    ) -> Result<(Member, Profile), Error> {
        // Before WeCom is asked: who leaves while it answers has left later.
        let asked = self.ask().await?;
        match calls.user(user_id).await {
            Ok(user) => {
                let profile = profile::of(&user);
                // Under WeCom's spelling, not under the caller's.
                let seen = (&user.user_id, &profile);
                let app = (corp_id, agent_id);
                let member = self.store.record_visible(app, seen, asked, self.clock.now()).await?;
                Ok((member, profile))
            }
            Err(error) => {
                if error.concern() == Concern::NotVisible {
                    let answers = [(agent_id, AppAnswer::NotVisible)];
                    let read = MemberAnswers { corp_id, user_id, asked, answers: &answers };
                    let now = self.clock.now();
                    if self.store.record_answers(&read, now).await? == Standing::Undecided {
                        let task = EventTask::Member(user_id.clone());
                        self.store.note_event_tasks(corp_id, &[task], now).await?;
                    }
                }
                Err(error.into())
            }
        }
    }

    /// The company gave a member another userid: row, consents, account and sessions move with them, all or nothing.
    /// False when nothing is known of the former userid. The row counts as never read, so it is read again at its next use.
    pub async fn rename_member(&self, corp_id: &CorpId, from: &UserId, to: &UserId) -> Result<bool, Error> {
        Ok(self.store.rename_member(corp_id, from, to, self.clock.now()).await?)
    }

    /// Reads what the member consented to give away (one call, auth/getuserdetail).
    ///
    /// `None` when the ticket tells of another member. The row must be written first; see
    /// [`Directory::save_consent`].
    pub async fn read_consent(
        &self,
        calls: &Calls,
        corp_id: &CorpId,
        user_id: &UserId,
        ticket: &Secret,
    ) -> Result<Option<Consent>, Error> {
        let detail = calls.user_detail(ticket).await?;
        if detail.user_id != *user_id {
            tracing::warn!(%corp_id, "a ticket told of another member than its code; it is not used");
            return Ok(None);
        }
        Ok(Some(profile::consent(&detail)))
    }

    /// Writes what [`Directory::read_consent`] gave, once the member's row is there.
    pub async fn save_consent(
        &self,
        app: (&CorpId, &AgentId),
        user_id: &UserId,
        consent: &Consent,
    ) -> Result<Option<Member>, Error> {
        self.store.save_consent(app, user_id, consent, self.clock.now()).await?;
        self.member_for_app(app, user_id).await
    }

    /// Brings one member's row up to date. A fresh row is left alone, without a call, unless `force`d. If the app does not see
    /// the member, the company's other apps are asked: the sessions end that were begun through an app that does not see the
    /// member, and the member has left if none does.
    ///
    /// Fails with WeCom's refusal if the copy does not know the member.
    pub async fn sync_member(
        &self,
        source: &SyncSource,
        user_id: &UserId,
        fresh_for: Duration,
        force: bool,
    ) -> Result<(), Error> {
        let (corp_id, app) = (&source.corp_id, (&source.corp_id, &source.agent_id));
        if !force && self.fresh_member(app, user_id, fresh_for).await?.is_some() {
            return Ok(());
        }
        self.store.add_apps(corp_id, &source.apps()).await?;
        let asked = self.ask().await?;
        let first = answers::ask(&source.app, &source.agent_id, user_id).await;
        let refusal = match &first.answer {
            Ok(Some(_)) => None,
            Ok(None) => first.refusal.clone(),
            Err(error) => return Err(error.clone().into()),
        };
        let mut all = vec![first];
        if refusal.is_some() {
            let others = source.others.iter().map(|other| answers::ask(&other.app, &other.agent_id, user_id));
            all.extend(join_all(others).await);
            self.store.miss_other_apps(corp_id, &source.apps(), self.clock.now()).await?;
        }
        let standing = self.record(corp_id, user_id, asked, &all).await?;
        match refusal {
            Some(refusal) if standing == Standing::Unknown => Err(refusal.into()),
            _ => Ok(()),
        }
    }

    /// Reads the visible departments from WeCom (one call, department/list) and writes them; returns how many.
    pub async fn read_departments(
        &self,
        calls: &Calls,
        (corp_id, agent_id): (&CorpId, &AgentId),
    ) -> Result<usize, Error> {
        let asked = self.ask().await?;
        let departments: Vec<Department> =
            calls.departments(None).await?.iter().map(profile::department).collect();
        let count = departments.len();
        let answers = vec![(agent_id, DepartmentAnswer::Visible(departments))];
        let read = DepartmentAnswers { corp_id, id: ROOT, asked, answers };
        self.store.record_department_answers(&read).await?;
        Ok(count)
    }

    /// The departments' names, `""` for one that the copy does not know.
    pub async fn department_names(
        &self,
        corp_id: &CorpId,
        departments: &[DepartmentId],
    ) -> Result<Vec<String>, Error> {
        Ok(self.store.department_names(corp_id, departments).await?)
    }
}
