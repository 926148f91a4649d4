//! What an app sees: departments with all below them, people by name, and tags, which stand for both (WeCom 90227). A
//! scope may hold people and no department at all.

use std::collections::HashSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wecom::{Calls, Concern};
use wecom_login_model::{Department, DepartmentId, UserId};
use wecom_login_store::{Coverage, Phase, Run, VisibleScope};

use super::{SyncError, Work};
use crate::{Error, profile};

/// Tags and departments that are asked for at once.
const AT_ONCE: usize = 4;

impl Work<'_> {
    /// Everybody's identifiers, page by page, by the secret of contact sync. Where WeCom does not give them (48009, a
    /// wrong secret, an address that is not trusted) the sync does without: what the app sees tells enough.
    pub(super) async fn list(&self, run: &Run) -> Result<(), SyncError> {
        let Some(contact) = &self.source.contact else {
            self.store().drop_listing(run.id, Phase::VisibleScope, self.under).await?;
            return Ok(());
        };
        match self.list_from(run, contact, run.cursor.clone()).await {
            // A cursor that was kept from before may not be known any more.
            Err(SyncError::Failed(Error::WeCom(error)))
                if run.cursor.is_some() && error.errcode().is_some() =>
            {
                self.store().drop_listing(run.id, Phase::Listing, self.under).await?;
                self.do_without(run, self.list_from(run, contact, None).await).await
            }
            other => self.do_without(run, other).await,
        }
    }

    async fn do_without(&self, run: &Run, listed: Result<(), SyncError>) -> Result<(), SyncError> {
        match listed {
            Err(SyncError::Failed(Error::WeCom(error))) if error.errcode().is_some() => {
                tracing::warn!(
                    instance = self.source.instance,
                    %error,
                    "the secret of contact sync lists nobody; the sync goes on with what the app sees"
                );
                self.store().drop_listing(run.id, Phase::VisibleScope, self.under).await?;
                Ok(())
            }
            other => other,
        }
    }

    async fn list_from(
        &self,
        run: &Run,
        contact: &Calls,
        mut cursor: Option<String>,
    ) -> Result<(), SyncError> {
        loop {
            let page = contact.memberships(cursor.as_deref()).await?;
            let rows: Vec<(UserId, DepartmentId)> =
                page.rows.iter().map(|row| (row.user_id.clone(), row.department)).collect();
            let next = page.next_cursor.filter(|next| Some(next) != cursor.as_ref());
            self.timed(self.store().stage_listing(run.id, &rows, next.as_deref(), self.under)).await?;
            match next {
                Some(next) => cursor = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Finds what the app sees and stages it.
    pub(super) async fn find_scope(&self, run: &Run) -> Result<(), SyncError> {
        let (calls, listed) = (&self.source.app, self.store().listed(run.id).await?);
        let mut scope = VisibleScope::default();
        let mut roots: Vec<DepartmentId> = Vec::new();
        match calls.agent(&self.source.agent_id).await {
            Ok(agent) => {
                roots.extend(&agent.visible_departments);
                scope.names.extend(agent.visible_users);
                let tags =
                    stream::iter(agent.visible_tags).map(|tag| calls.tag(tag)).buffer_unordered(AT_ONCE);
                for tag in tags.collect::<Vec<_>>().await {
                    match tag {
                        Ok(tag) => {
                            roots.extend(&tag.departments);
                            self.note_lost(&tag.users);
                            scope.blind_if(tag.users.skipped() > 0, "members of a tag could not be read");
                            scope.names.extend(tag.users);
                        }
                        Err(error) if ends_the_run(&error) => return Err(error.into()),
                        Err(error) => scope.blind_if(true, &format!("a tag of the app's scope: {error}")),
                    }
                }
            }
            Err(error) if ends_the_run(&error) => return Err(error.into()),
            // Who is visible by name is told by nothing else, unless by everybody's names.
            Err(error) if listed > 0 => {
                scope.sight = Coverage::ByListing;
                scope.note = error.to_string();
            }
            Err(error) => scope.blind_if(true, &format!("the app's scope: {error}")),
        }
        let mut known = HashSet::new();
        let mut take = |found: Vec<Department>, scope: &mut VisibleScope| {
            scope.departments.extend(found.into_iter().filter(|department| known.insert(department.id)));
        };
        let (found, whole) = self.visible_departments().await?;
        scope.blind_if(!whole, "departments could not be read");
        take(found, &mut scope);
        // What the scope names is in the list of all; where it is not, its own list may tell.
        roots.retain(|root| !scope.departments.iter().any(|department| department.id == *root));
        for root in roots {
            let found = departments(calls, Some(root)).await;
            let (found, whole) = found?;
            scope.blind_if(!whole, "departments could not be read");
            take(found, &mut scope);
        }
        self.timed(self.store().stage_scope(run.id, &scope, self.under)).await?;
        Ok(())
    }

    /// The departments that the app sees, and whether they could all be read. Where the list is refused, as the slow call
    /// that it is (WeCom 90208), the secret of contact sync tells their numbers and the app their names.
    async fn visible_departments(&self) -> Result<(Vec<Department>, bool), SyncError> {
        let refused = match departments(&self.source.app, None).await {
            Err(error) if !ends_the_run(&error) && error.errcode().is_some() => error,
            other => return Ok(other?),
        };
        let Some(contact) = &self.source.contact else { return Err(refused.into()) };
        let nodes = contact.department_ids(None).await.map_err(|_| SyncError::from(refused))?;
        let whole = nodes.skipped() == 0;
        let ids: Vec<DepartmentId> = nodes.iter().map(|node| node.id).collect();
        let named = stream::iter(ids).map(|id| async move {
            match self.source.app.department(id).await {
                Ok(department) => Ok(Some(profile::department(&department))),
                Err(error) if error.concern() == Concern::NotVisible => Ok(None),
                Err(error) => Err(error),
            }
        });
        let named: Vec<Option<Department>> = named.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok((named.into_iter().flatten().collect(), whole))
    }
}

/// What [`VisibleScope`] is told while it is found.
trait Blind {
    fn blind_if(&mut self, blind: bool, why: &str);
}

impl Blind for VisibleScope {
    fn blind_if(&mut self, blind: bool, why: &str) {
        if blind {
            self.sight = Coverage::Blind;
            why.clone_into(&mut self.note);
        }
    }
}

/// The departments below `root`, or all, and whether every row could be read. One that is gone, or out of sight, has none.
pub(super) async fn departments(
    calls: &Calls,
    root: Option<DepartmentId>,
) -> Result<(Vec<Department>, bool), wecom::Error> {
    match calls.departments(root).await {
        Ok(listing) => {
            let whole = listing.skipped() == 0;
            Ok((listing.iter().map(profile::department).collect(), whole))
        }
        Err(error) if error.concern() == Concern::NotVisible => Ok((Vec::new(), true)),
        Err(error) => Err(error),
    }
}

/// True when the next call would fail too: the app cannot call, WeCom is away or will have no more calls.
pub(super) fn ends_the_run(error: &wecom::Error) -> bool {
    match error.concern() {
        Concern::Moment => true,
        // No permission for this one call (48002, 48009 and the like) is no failure of the app: others tell the same.
        Concern::App => !error.is_call_not_allowed(),
        Concern::NotVisible | Concern::Request => false,
    }
}
