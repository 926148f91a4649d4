//! The local copy of the organisation: members and departments.
//!
//! A row is as good as WeCom's answer while it is fresh; after that the member is read again. What WeCom withholds
//! never erases what it told before.

mod profile;

use std::sync::Arc;
use std::time::Duration;

use wecom::Calls;
use wecom_login_model::{Clock, CorpId, Department, DepartmentId, Member, UserId};
use wecom_login_store::Store;

/// Without events and without a scheduled sync nobody would tell that a member has left: no row is trusted longer
/// than this then.
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

    /// The member's row if it was read within `fresh_for` and tells of somebody who may sign in. Anybody else is
    /// read again before being turned away: the administrator may have let them back in a minute ago.
    pub async fn fresh_member(
        &self,
        corp_id: &CorpId,
        user_id: &UserId,
        fresh_for: Duration,
    ) -> Result<Option<Member>, Error> {
        let window = fresh_for.min(UNWATCHED_FRESH_FOR);
        let fresh = |member: &Member| {
            self.clock.now() < member.read_at + window
                && member.left_at.is_none()
                && !member.profile.status.is_some_and(wecom_login_model::MemberStatus::is_barred)
        };
        Ok(self.store.member(corp_id, user_id).await?.filter(fresh))
    }

    /// Reads the member from WeCom (one call, user/get) and writes the row.
    pub async fn read_member(
        &self,
        calls: &Calls,
        corp_id: &CorpId,
        user_id: &UserId,
    ) -> Result<Member, Error> {
        let user = calls.user(user_id).await?;
        let profile = profile::of(&user);
        Ok(self.store.save_member(corp_id, user_id, &profile, self.clock.now()).await?)
    }

    /// Reads the visible departments from WeCom (one call, department/list) and writes them; tells how many.
    pub async fn read_departments(&self, calls: &Calls, corp_id: &CorpId) -> Result<usize, Error> {
        let departments: Vec<Department> =
            calls.departments(None).await?.iter().map(profile::department).collect();
        self.store.save_departments(corp_id, &departments).await?;
        Ok(departments.len())
    }

    /// The departments' names, `""` for one that the copy does not know.
    pub async fn department_names(
        &self,
        corp_id: &CorpId,
        departments: &[DepartmentId],
    ) -> Result<Vec<String>, Error> {
        let mut names = Vec::with_capacity(departments.len());
        for id in departments {
            names.push(self.store.department_name(corp_id, *id).await?.unwrap_or_default());
        }
        Ok(names)
    }
}
