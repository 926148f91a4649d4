//! Departments with their members, on demand. This adds and moves; it never marks anyone as having left, because a walk
//! through departments cannot see everybody.

use std::collections::{HashMap, HashSet};

use wecom_login_model::{Department, DepartmentId, UserId};
use wecom_login_store::{ApplyParams, LeaseGuard, LookupKind, NewRun, Phase, Run, RunScope, VisibleScope};

use super::{SyncError, SyncSource, Work};
use crate::{Directory, Error};

/// Rows of the copy that are looked through at once.
const AT_ONCE: i64 = 2_000;

impl Directory {
    /// Brings a department with all below it, or every visible one, up to date, with its members.
    ///
    /// Costs one call for the departments and one for each of them, and one for each member whom the copy has there
    /// and no department named any more: such a member has moved, or cannot be seen, and is asked for by name.
    pub async fn sync_departments(
        &self,
        source: &SyncSource,
        below: Option<DepartmentId>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        self.store.add_apps(&source.corp_id, std::slice::from_ref(&source.agent_id)).await?;
        let new = NewRun {
            corp_id: &source.corp_id,
            agent_id: &source.agent_id,
            instance: &source.instance,
            extent: RunScope::Departments,
            started_by: "command",
            forced: false,
            phase: Phase::VisibleScope,
        };
        let run = self.store.begin_run(&new, LeaseGuard::NOTHING, now, now).await?;
        let since = self.store.next_number().await?;
        let work =
            Work { strict: true, ..Work::new(self, source, LeaseGuard::NOTHING, &|_| (), &run, since) };
        let result = work.part(run.clone(), below).await;
        if result.is_err() {
            self.unless_it_fails(self.store.abandon_run(run.id, self.clock.now())).await;
        }
        self.unless_it_fails(self.clear_staging(source)).await;
        match result {
            Ok(()) => Ok(()),
            Err(SyncError::Failed(error)) => Err(error),
            Err(SyncError::Running(_)) => Err(Error::Vanished("the run is somebody else's")),
        }
    }
}

impl Work<'_> {
    async fn part(&self, run: Run, below: Option<DepartmentId>) -> Result<(), SyncError> {
        let listing = self.source.app.departments(below).await?;
        let complete = listing.skipped() == 0 && !listing.is_empty();
        let found: Vec<Department> = listing.iter().map(crate::profile::department).collect();
        let walked: HashSet<DepartmentId> = found.iter().map(|department| department.id).collect();
        self.store()
            .stage_scope(run.id, &VisibleScope { departments: found, ..VisibleScope::default() }, self.under)
            .await?;
        self.walk(&run).await?;
        let known = self.store().departments(&self.source.corp_id).await?;
        let gone = if complete { gone(&known, &walked, below) } else { Vec::new() };
        self.ask_for_missed(&run, &walked, &gone).await?;
        self.ask_all(&run, LookupKind::Named, None).await?;
        let when = ApplyParams {
            now: self.directory.clock.now(),
            extent: RunScope::Departments,
            hold: None,
            blind: None,
            since: self.since,
            gone,
            watched_until: None,
        };
        self.store().apply_run(&self.read_again(&run).await?, &when, self.under).await?;
        Ok(())
    }

    /// Asks by name for the members whom the copy has in one of these departments, and whom none of them named.
    async fn ask_for_missed(
        &self,
        run: &Run,
        walked: &HashSet<DepartmentId>,
        gone: &[DepartmentId],
    ) -> Result<(), SyncError> {
        let here = |id: &DepartmentId| walked.contains(id) || gone.contains(id);
        let mut after: Option<UserId> = None;
        loop {
            let page = self.store().memberships_after(&self.source.corp_id, after.as_ref(), AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.user_id.clone());
            let missed = page.into_iter().filter(|one| one.departments.iter().any(here));
            let missed: Vec<UserId> = missed.map(|one| one.user_id).collect();
            let missed = self.store().unseen_of(run.id, &missed).await?;
            self.store().ask_for(run.id, &missed, self.under).await?;
        }
    }
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
