//! Departments with their members, on demand. This adds and moves; it never marks anyone as having left, because a walk
//! through departments cannot see everybody.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wecom::Calls;
use wecom_login_model::{CorpId, Department, DepartmentId, Profile, UserId};

use crate::{Directory, Error, profile};

/// Calls under way at once; WeCom refuses too many (45033).
const CALLS_AT_ONCE: usize = 4;

impl Directory {
    /// Brings a department with all below it, or every visible one, up to date, with its members.
    ///
    /// Costs one call for the departments and one for each of them, and one for each member whom the copy has there
    /// and no department named any more: such a member has moved, or cannot be seen, and is asked for by name.
    pub async fn sync_departments(
        &self,
        calls: &Calls,
        corp_id: &CorpId,
        below: Option<DepartmentId>,
    ) -> Result<(), Error> {
        let listing = calls.departments(below).await?;
        let complete = listing.skipped() == 0 && !listing.is_empty();
        let departments: Vec<Department> = listing.iter().map(profile::department).collect();
        let members = members_of(calls, &departments).await?;

        let known = self.store.departments(corp_id).await?;
        let walked: HashSet<DepartmentId> = departments.iter().map(|department| department.id).collect();
        let gone = if complete { gone(&known, &walked, below) } else { Vec::new() };
        let missed = self.missed(corp_id, &members, &walked, &gone).await?;

        self.store.save_departments(corp_id, &departments, &gone).await?;
        let members: Vec<(UserId, Profile)> = members.into_iter().collect();
        self.store.save_members(corp_id, &members, self.clock.now()).await?;
        for user_id in missed {
            match self.read_member(calls, corp_id, &user_id).await {
                Ok(_) => {}
                Err(Error::WeCom(error)) if error.is_outside_scope() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Members whom the copy has in one of these departments, and whom none of them named.
    async fn missed(
        &self,
        corp_id: &CorpId,
        named: &HashMap<UserId, Profile>,
        walked: &HashSet<DepartmentId>,
        gone: &[DepartmentId],
    ) -> Result<Vec<UserId>, Error> {
        let here = |id: &DepartmentId| walked.contains(id) || gone.contains(id);
        let memberships = self.store.memberships(corp_id).await?;
        let missed = memberships
            .into_iter()
            .filter(|(user_id, departments)| !named.contains_key(user_id) && departments.iter().any(here));
        Ok(missed.map(|(user_id, _)| user_id).collect())
    }
}

/// Everybody in the departments, once.
pub(crate) async fn members_of(
    calls: &Calls,
    departments: &[Department],
) -> Result<HashMap<UserId, Profile>, Error> {
    let ids: Vec<DepartmentId> = departments.iter().map(|department| department.id).collect();
    let lists = stream::iter(ids).map(|id| {
        let calls = calls.clone();
        async move { calls.users_in(id).await }
    });
    let lists: Vec<_> = lists.buffer_unordered(CALLS_AT_ONCE).try_collect().await?;
    let users = lists.iter().flatten();
    Ok(users.map(|user| (user.user_id.clone(), profile::of(user))).collect())
}

/// Departments that the copy knows in the walked part of the tree, and that are not there any more.
fn gone(
    known: &[Department],
    walked: &HashSet<DepartmentId>,
    below: Option<DepartmentId>,
) -> Vec<DepartmentId> {
    let parents: HashMap<DepartmentId, Option<DepartmentId>> =
        known.iter().map(|department| (department.id, department.parent)).collect();
    let is_below = |id: DepartmentId| {
        let Some(root) = below else { return true };
        // As many steps as there are departments: a loop in old data ends too.
        let up = std::iter::successors(Some(id), |id| parents.get(id).copied().flatten());
        up.take(parents.len() + 1).any(|id| id == root)
    };
    let missing = known.iter().map(|department| department.id).filter(|id| !walked.contains(id));
    missing.filter(|id| is_below(*id)).collect()
}
