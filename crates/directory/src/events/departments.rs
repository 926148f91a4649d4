//! A department event: the department came, moved, changed its name or went, or a scope made of tags changed around it.
//!
//! Members of departments that were there and still are keep their row: theirs have not changed. Whoever is in one that
//! the copy did not know is read with it; whoever is in one that nobody sees any more is asked for by name.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wecom::{Calls, Concern};
use wecom_login_model::{CorpId, Department, DepartmentId, Profile, UserId};
use wecom_login_store::{DepartmentAnswer, DepartmentAnswers, EventTask};

use super::Events;
use super::members::Attempt;
use crate::{Error, SyncSource, profile};

/// Calls under way at once; WeCom refuses too many (45033).
const CALLS_AT_ONCE: usize = 4;
/// Rows of the copy that are looked through at once.
const ROWS_AT_ONCE: i64 = 2_000;

impl Events {
    /// Reads the department with all below it through every app of the company. Each answer counts for its app.
    pub(super) async fn read_department(
        &self,
        apps: &[SyncSource],
        corp_id: &CorpId,
        id: DepartmentId,
    ) -> Result<Attempt, Error> {
        let (directory, store) = (&self.directory, &self.directory.store);
        let known = store.departments(corp_id).await?;
        let asked = directory.ask().await?;
        let listings = apps.iter().map(|app| async move { (app, app.app.departments(Some(id)).await) });
        let (mut answers, mut failed, mut is_whole) = (Vec::new(), None, true);
        for (app, listing) in join_all(listings).await {
            let answer = match listing {
                Ok(listing) => {
                    is_whole &= listing.skipped() == 0;
                    let departments: Vec<Department> = listing.iter().map(profile::department).collect();
                    self.read_members_of_new(app, &departments)
                        .await
                        .map(|()| DepartmentAnswer::Visible(departments))
                }
                Err(error) if error.concern() == Concern::NotVisible => Ok(DepartmentAnswer::NotVisible),
                Err(error) => Err(error.into()),
            };
            match answer {
                Ok(answer) => answers.push((&app.agent_id, answer)),
                Err(Error::WeCom(error)) => {
                    if error.concern() == Concern::App {
                        let (problem, now) = (error.to_string(), directory.clock.now());
                        store.app_is_failing(corp_id, &app.agent_id, &problem, now).await?;
                    }
                    if failed.as_ref().is_none_or(|_| error.concern() != Concern::App) {
                        failed = Some(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        if answers.is_empty() {
            return failed.map_or(Ok(Attempt::Done), |error| Err(error.into()));
        }
        let listed: HashSet<DepartmentId> = answers
            .iter()
            .filter_map(|(_, answer)| match answer {
                DepartmentAnswer::Visible(departments) => Some(departments),
                DepartmentAnswer::NotVisible => None,
            })
            .flatten()
            .map(|department| department.id)
            .collect();
        if !listed.contains(&id) {
            self.ask_for_members_of(corp_id, id).await?;
        }
        if is_whole {
            // Each is asked for by itself: it may be somewhere else by now.
            let missing = below(&known, id).into_iter().filter(|other| !listed.contains(other));
            let tasks: Vec<EventTask> = missing.map(EventTask::Department).collect();
            // Noted before the row goes by which they are found.
            store.note_event_tasks(corp_id, &tasks, directory.clock.now()).await?;
        }
        store.record_department_answers(&DepartmentAnswers { corp_id, id, asked, answers }).await?;
        match failed {
            Some(error) if error.concern() != Concern::App => Ok(Attempt::InPart(error)),
            _ => Ok(Attempt::Done),
        }
    }

    /// Members of departments that the app did not see before are read with them.
    async fn read_members_of_new(&self, app: &SyncSource, departments: &[Department]) -> Result<(), Error> {
        let (directory, store) = (&self.directory, &self.directory.store);
        let seen = store.departments_seen_by(&app.corp_id, &app.agent_id).await?;
        let new: Vec<Department> =
            departments.iter().filter(|department| !seen.contains(&department.id)).cloned().collect();
        let asked = directory.ask().await?;
        let members: Vec<_> = members_of(&app.app, &new).await?.into_iter().collect();
        let app = (&app.corp_id, &app.agent_id);
        store.record_all_visible(app, &members, asked, directory.clock.now()).await?;
        Ok(())
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
