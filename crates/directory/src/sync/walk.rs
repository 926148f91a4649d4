//! Who is in the departments: one call for each, some at a time, and what they tell goes to the database while the next
//! ones are under way.

use std::time::Instant;

use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;
use wecom_login_model::DepartmentId;
use wecom_login_store::{Run, Staged, WalkedDepartment};

use super::scope::ends_the_run;
use super::{SyncError, Work};
use crate::profile;

/// Calls under way at once; WeCom refuses too many (45033), at some hundreds.
pub(super) const CALLS_AT_ONCE: usize = 8;
/// A run that was killed reads no more than these again.
const ROWS_AT_ONCE: usize = 4_000;
const DEPARTMENTS_AT_ONCE: usize = 16;
/// On a slow way to WeCom, neither what was read within this time.
const STAGED_EVERY: std::time::Duration = std::time::Duration::from_millis(500);
/// So many failures one after another are no bad luck.
const FAILURES: usize = 8;

/// Members and departments that are written together.
#[derive(Default)]
struct Batch {
    members: Vec<Staged>,
    walked: Vec<WalkedDepartment>,
}

impl Work<'_> {
    /// Walks the departments that the run has not walked yet. One that fails is tried again after the others; one that
    /// fails twice stays unseen.
    pub(super) async fn walk(&self, run: &Run) -> Result<(), SyncError> {
        let (open, walked) = self.store().departments_to_walk(run.id).await?;
        self.tell(|progress| {
            progress.walked = walked;
            progress.departments = walked + open.len() as u64;
        });
        let (batches, written) = mpsc::channel(2);
        let read = async move {
            let again = self.read(open, &batches, false).await?;
            self.read(again, &batches, true).await.map(drop)
        };
        tokio::try_join!(read, self.write(run, written))?;
        self.timed(self.store().end_walk(run.id, self.under)).await?;
        Ok(())
    }

    /// Reads the departments; those that are worth another try come back. The `last` time, failing is an answer.
    async fn read(
        &self,
        departments: Vec<DepartmentId>,
        batches: &mpsc::Sender<Batch>,
        last: bool,
    ) -> Result<Vec<DepartmentId>, SyncError> {
        let mut answers = stream::iter(departments)
            .map(|id| async move {
                // Before WeCom is asked: who leaves while it answers, or while the answer waits here, has left later.
                let asked = self.ask().await;
                (id, asked, self.source.app.users_in(id).await)
            })
            .buffer_unordered(CALLS_AT_ONCE);
        let (mut batch, mut begun) = (Batch::default(), Instant::now());
        let (mut again, mut failures) = (Vec::new(), 0);
        while let Some((id, asked, answer)) = answers.next().await {
            let asked = asked?;
            match answer {
                Ok(users) => {
                    failures = 0;
                    self.note_lost(&users);
                    batch.walked.push(WalkedDepartment { id, whole: users.skipped() == 0 });
                    batch.members.extend(users.into_iter().map(|user| Staged {
                        profile: profile::of(&user),
                        user_id: user.user_id,
                        asked,
                        source: Some(id),
                    }));
                }
                Err(error) => {
                    failures += 1;
                    let lost = error.is_unavailable();
                    if failures >= FAILURES || (ends_the_run(&error) && !lost) {
                        return Err(error.into());
                    }
                    if lost && !last {
                        again.push(id);
                    } else if self.strict {
                        return Err(error.into());
                    } else {
                        tracing::warn!(instance = self.source.instance, department = id.0, %error, "not seen");
                        batch.walked.push(WalkedDepartment { id, whole: false });
                    }
                }
            }
            let full = batch.members.len() >= ROWS_AT_ONCE || batch.walked.len() >= DEPARTMENTS_AT_ONCE;
            if full || begun.elapsed() >= STAGED_EVERY {
                begun = Instant::now();
                send(batches, std::mem::take(&mut batch)).await;
            }
        }
        send(batches, batch).await;
        Ok(again)
    }

    async fn write(&self, run: &Run, mut batches: mpsc::Receiver<Batch>) -> Result<(), SyncError> {
        while let Some(Batch { members, walked }) = batches.recv().await {
            let rows = members.len() as u64;
            self.timed(self.store().stage_walked(run.id, members, &walked, self.under)).await?;
            self.tell(|progress| {
                progress.walked += walked.len() as u64;
                progress.seen += rows;
            });
        }
        Ok(())
    }
}

async fn send(batches: &mpsc::Sender<Batch>, batch: Batch) {
    if !batch.walked.is_empty() {
        // The writer goes away only with an error, which ends the walk.
        let _ = batches.send(batch).await;
    }
}
