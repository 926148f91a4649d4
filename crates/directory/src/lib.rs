//! The local copy of the organisation: members and departments.
//!
//! A row is as good as WeCom's answer while it is fresh; after that the member is read again. What WeCom withholds
//! never erases what it told before. A [sync](Directory::sync) makes the copy what an app sees.

mod auth_model;
pub mod events;
mod profile;
mod sync;

use std::sync::Arc;
use std::time::Duration;

pub use auth_model::AuthModel;
pub use sync::{Observer, Progress, Report, SyncError, SyncOptions, Viewer};
use wecom::Calls;
use wecom_login_model::{
    AgentId, Clock, CorpId, Department, DepartmentId, Member, MemberStatus, Profile, Secret, UserId,
};
pub use wecom_login_store::ViewingApp;
use wecom_login_store::{Consent, KnownMember, Store};

/// Where neither events nor a scheduled sync watch over a member, nobody would tell that they have left: no row is trusted
/// longer than this then.
pub const UNWATCHED_FRESH_FOR: Duration = Duration::from_mins(10);

/// WeCom or the database failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// WeCom refused, or did not answer.
    #[error(transparent)]
    WeCom(#[from] wecom::Error),
    /// The database refused, or did not answer.
    #[error(transparent)]
    Store(#[from] wecom_login_store::Error),
    /// A row that was just written is not there any more.
    #[error("{0}")]
    Vanished(&'static str),
}

/// The local copy; cheap to clone.
#[derive(Debug, Clone)]
pub struct Directory {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl Directory {
    /// The copy in `store`.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// The member's row as it is, however old.
    pub async fn member(&self, corp_id: &CorpId, user_id: &UserId) -> Result<Option<Member>, Error> {
        Ok(self.store.member(corp_id, user_id).await?)
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
        let Some(known_at) = confirmation.read_at.max(confirmation.confirmed_at) else { return false };
        let watched = confirmation.watched_until.is_some_and(|until| now < until)
            || known.heard_at.is_some_and(|heard| now < heard + events::HEALTHY_FOR);
        now < known_at + if watched { fresh_for } else { fresh_for.min(UNWATCHED_FRESH_FOR) }
    }

    /// Reads the member from WeCom (one call, user/get) and writes the row.
    pub async fn read_member(
        &self,
        calls: &Calls,
        app: (&CorpId, &AgentId),
        user_id: &UserId,
    ) -> Result<Member, Error> {
        Ok(self.read_told(calls, app, user_id).await?.0)
    }

    /// The same, with what WeCom told just now: the row also holds what it told before and withholds today.
    pub async fn read_told(
        &self,
        calls: &Calls,
        (corp_id, agent_id): (&CorpId, &AgentId),
        user_id: &UserId,
    ) -> Result<(Member, Profile), Error> {
        // Before WeCom was asked: who leaves while it answers has left later.
        let read_at = self.clock.now();
        let user = calls.user(user_id).await?;
        let profile = profile::of(&user);
        // Under WeCom's spelling, not under the caller's.
        let member = self.store.save_member(corp_id, &user.user_id, &profile, read_at, agent_id).await?;
        Ok((member, profile))
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
        corp_id: &CorpId,
        user_id: &UserId,
        consent: &Consent,
    ) -> Result<Option<Member>, Error> {
        self.store.save_consent(corp_id, user_id, consent, self.clock.now()).await?;
        self.member(corp_id, user_id).await
    }

    /// Brings one member's row up to date. A fresh row is left alone, without a call, unless `force`d. The sessions that were
    /// begun through the app end if it may no longer see the member. Whom no other app of the company sees either is marked
    /// as having left, and all their sessions end.
    ///
    /// Fails with WeCom's refusal when there is no row that could be marked.
    pub async fn sync_member(
        &self,
        calls: &Calls,
        (corp_id, app): (&CorpId, ViewingApp<'_>),
        user_id: &UserId,
        fresh_for: Duration,
        force: bool,
    ) -> Result<(), Error> {
        if !force && self.fresh_member((corp_id, app.agent_id), user_id, fresh_for).await?.is_some() {
            return Ok(());
        }
        match self.read_member(calls, (corp_id, app.agent_id), user_id).await {
            Ok(_) => Ok(()),
            Err(Error::WeCom(error)) if error.is_outside_scope() => {
                if self.store.member(corp_id, user_id).await?.is_none() {
                    return Err(error.into());
                }
                self.store.out_of_sight(corp_id, app, user_id, self.clock.now()).await?;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the visible departments from WeCom (one call, department/list) and writes them; tells how many.
    pub async fn read_departments(&self, calls: &Calls, corp_id: &CorpId) -> Result<usize, Error> {
        let departments: Vec<Department> =
            calls.departments(None).await?.iter().map(profile::department).collect();
        self.store.save_departments(corp_id, &departments, &[]).await?;
        Ok(departments.len())
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
