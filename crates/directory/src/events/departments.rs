//! A department event: the department came, moved, changed its name or went, or a scope made of tags changed around it.
//!
//! Members of departments that were there and still are keep their row: theirs have not changed. Whoever is in one that
//! the copy did not know is read with it; whoever is in one that nobody sees any more is asked for by name.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wecom::Calls;
use wecom_login_model::{CorpId, Department, DepartmentId, Profile, UserId};
use wecom_login_store::EventTask;

use super::Events;
use super::members::Attempt;
use crate::{Error, Viewer, profile};

/// Calls under way at once; WeCom refuses too many (45033).
const CALLS_AT_ONCE: usize = 4;
/// Rows of the copy that are looked through at once.
const ROWS_AT_ONCE: i64 = 2_000;

impl Events {
    pub(super) async fn read_department(
        &self,
        apps: &[Viewer],
        corp_id: &CorpId,
        id: DepartmentId,
    ) -> Result<Attempt, Error> {
        let directory = &self.directory;
        let known = directory.store.departments(corp_id).await?;
        let known_ids: HashSet<DepartmentId> = known.iter().map(|department| department.id).collect();
        let mut listed: HashMap<DepartmentId, Department> = HashMap::new();
        let mut complete = true;
        for app in apps {
            let calls = &app.app;
            let listing = match calls.departments(Some(id)).await {
                Ok(listing) => listing,
                // 60003 and 60123: there is no such department (WeCom 90313).
                Err(error) if error.is_outside_scope() || matches!(error.errcode(), Some(60003 | 60123)) => {
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            complete &= listing.skipped() == 0;
            let departments: Vec<Department> = listing.iter().map(profile::department).collect();
            let is_new = |department: &&Department| !known_ids.contains(&department.id);
            let new: Vec<Department> = departments.iter().filter(is_new).cloned().collect();
            let read_at = directory.clock.now();
            let members: Vec<_> = members_of(calls, &new).await?.into_iter().collect();
            directory.store.save_members(corp_id, &members, read_at, &app.agent_id).await?;
            listed.extend(departments.into_iter().map(|department| (department.id, department)));
        }
        let seen = listed.contains_key(&id);
        let mut tasks = Vec::new();
        if !seen {
            self.ask_for_members_of(corp_id, id).await?;
        }
        if complete {
            // Each is asked for by itself: it may be somewhere else by now.
            let missing = below(&known, id).into_iter().filter(|other| !listed.contains_key(other));
            tasks.extend(missing.map(EventTask::Department));
        }
        // Noted before the row goes by which they are found.
        directory.store.note_event_tasks(corp_id, &tasks, directory.clock.now()).await?;
        let mut listed: Vec<Department> = listed.into_values().collect();
        listed.sort_unstable_by_key(|department| department.id);
        let gone = if seen { [].as_slice() } else { &[id] };
        directory.store.save_departments(corp_id, &listed, gone).await?;
        Ok(Attempt::Done)
    }
}

impl Events {
    /// Whoever is in the department by the copy is to be read again.
    async fn ask_for_members_of(&self, corp_id: &CorpId, id: DepartmentId) -> Result<(), Error> {
        let (store, mut after) = (&self.directory.store, None);
        loop {
            let page = store.memberships_after(corp_id, after.as_ref(), ROWS_AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.user_id.clone());
            let here = page.into_iter().filter(|one| one.departments.contains(&id));
            let tasks: Vec<EventTask> = here.map(|one| EventTask::Member(one.user_id)).collect();
            if !tasks.is_empty() {
                store.note_event_tasks(corp_id, &tasks, self.directory.clock.now()).await?;
            }
        }
    }
}

/// Everybody in the departments, once.
async fn members_of(calls: &Calls, departments: &[Department]) -> Result<HashMap<UserId, Profile>, Error> {
    let ids: Vec<DepartmentId> = departments.iter().map(|department| department.id).collect();
    let lists = stream::iter(ids).map(|id| {
        let calls = calls.clone();
        async move { calls.users_in(id).await }
    });
    let lists: Vec<_> = lists.buffer_unordered(CALLS_AT_ONCE).try_collect().await?;
    let users = lists.iter().flatten();
    Ok(users.map(|user| (user.user_id.clone(), profile::of(user))).collect())
}

/// Those directly and indirectly below a department, without itself. A loop in old data ends too.
fn below(known: &[Department], id: DepartmentId) -> HashSet<DepartmentId> {
    let mut children: HashMap<DepartmentId, Vec<DepartmentId>> = HashMap::new();
    for department in known {
        if let Some(parent) = department.parent {
            children.entry(parent).or_default().push(department.id);
        }
    }
    let (mut found, mut open) = (HashSet::new(), vec![id]);
    while let Some(next) = open.pop() {
        let below = children.get(&next).into_iter().flatten();
        open.extend(below.copied().filter(|child| *child != id && found.insert(*child)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_in_the_tree_ends() {
        let department = |id, parent| Department {
            id: DepartmentId(id),
            name: String::new(),
            parent: Some(DepartmentId(parent)),
            order: 0,
        };
        let known = [department(2, 4), department(3, 2), department(4, 3), department(5, 1)];
        assert_eq!(below(&known, DepartmentId(2)), HashSet::from([DepartmentId(3), DepartmentId(4)]));
        assert_eq!(below(&known, DepartmentId(7)), HashSet::new());
    }
}
