//! The copy is brought up to date by set: only what differs is written, some members at a time in transactions of their own, so
//! that sign-ins never wait longer for the one writer of SQLite than they have patience.
//!
//! Each member's row is correct by itself, as after a sign-in, and a row that is up to date is not written again. So a run that ends
//! between two transactions is resumed like any other. Removals follow; the guard has judged all of them together before. The last
//! transaction records the run's outcome.

mod rows;

use wecom_login_model::{DepartmentId, Timestamp};

use rows::{Step, members, shown_fields, visibility};

use super::removals::{Removal, hold, remove_some};
use super::runs::of_run;
use super::{LeaseGuard, Outcome, Run, RunId, RunScope, tree};
use crate::audit::note;
use crate::database::{PEOPLE, Transaction, sql};
use crate::visibility::{ReadNumber, has_answered, hold_app};
use crate::{Error, OK, Store};

/// How a run is to be applied.
#[derive(Debug, Clone)]
pub struct ApplyParams {
    /// Now.
    pub now: Timestamp,
    /// How much the run is about.
    pub extent: RunScope,
    /// Why removals are held, if they are: only those that an administrator has approved are made then.
    pub hold: Option<String>,
    /// Why somebody may have been there unseen, if so. The run does not count as complete then.
    pub blind: Option<String>,
    /// Taken before this invocation asked WeCom anything. A run that was resumed began before.
    pub since: ReadNumber,
    /// Departments that are not there any more, where the run is about some of them.
    pub gone: Vec<DepartmentId>,
    /// When the next scheduled sync would be late, if there is a schedule.
    pub watched_until: Option<Timestamp>,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// New rows.
    pub joined: u64,
    /// Rows that have changed.
    pub changed: u64,
    /// Members who had left and are back.
    pub came_back: u64,
    /// Members marked as having left.
    pub left: u64,
    /// Members whose removal is held.
    pub held: u64,
    /// Rows written in all tables of the copy.
    pub written: u64,
}

/// Members in one transaction: while it runs, sign-ins that write wait on SQLite.
const STEP: i64 = 5_000;

/// Members who are removed in one transaction.
const REMOVED_AT_ONCE: i64 = 500;

impl Store {
    /// Applies what the run has staged and ends it. What was read by a sign-in or told by an event since the run saw a
    /// member is newer and stays.
    pub async fn apply_run(
        &self,
        run: &Run,
        when: &ApplyParams,
        under: LeaseGuard<'_>,
    ) -> Result<(Applied, Outcome), Error> {
        self.apply_in_steps(run, when, under, STEP).await
    }

    async fn apply_in_steps(
        &self,
        run: &Run,
        when: &ApplyParams,
        under: LeaseGuard<'_>,
        length: i64,
    ) -> Result<(Applied, Outcome), Error> {
        // With what a try that died has done.
        let mut applied = Applied {
            joined: run.joined,
            changed: run.changed,
            came_back: run.came_back,
            left: run.left,
            ..Applied::default()
        };
        let mut after = String::new();
        loop {
            let mut transaction = self.begin_under(PEOPLE, under).await?;
            transaction.lift_timeouts().await?;
            hold_app(&mut transaction, &run.corp_id, &run.agent_id).await?;
            if after.is_empty() {
                let shown = shown_fields(&mut transaction, run).await?;
                has_answered(&mut transaction, &run.corp_id, &run.agent_id, shown).await?;
                applied.written += tree::write(&mut transaction, run, when).await?;
            }
            let step = Step::next(&mut transaction, run, after, length).await?;
            members(&mut transaction, run, when, &step, &mut applied).await?;
            applied.written += visibility(&mut transaction, run, &step).await?;
            let Some(up_to) = step.up_to else {
                if when.extent == RunScope::Company {
                    for which in [Removal::Unseen, Removal::Barred] {
                        transaction =
                            self.remove_all(transaction, (run, when, under), which, &mut applied).await?;
                    }
                }
                let outcome = end(&mut transaction, run, when, &mut applied).await?;
                transaction.commit().await?;
                return Ok((applied, outcome));
            };
            count_so_far(&mut transaction, run, applied).await?;
            transaction.commit().await?;
            self.database.let_others_write().await;
            after = up_to;
        }
    }

    /// Removes some at a time, each time in a transaction of its own; returns the one that goes on.
    async fn remove_all(
        &self,
        mut transaction: Transaction,
        (run, when, under): (&Run, &ApplyParams, LeaseGuard<'_>),
        which: Removal,
        applied: &mut Applied,
    ) -> Result<Transaction, Error> {
        let mut after = String::new();
        while let Some(last) =
            remove_some(&mut transaction, run, when, which, (&after, REMOVED_AT_ONCE), applied).await?
        {
            after = last;
            count_so_far(&mut transaction, run, *applied).await?;
            transaction.commit().await?;
            self.database.let_others_write().await;
            transaction = self.begin_under(PEOPLE, under).await?;
            transaction.lift_timeouts().await?;
            hold_app(&mut transaction, &run.corp_id, &run.agent_id).await?;
        }
        Ok(transaction)
    }
}

/// Keeps what has been done, for the case that the process dies.
async fn count_so_far(transaction: &mut Transaction, run: &Run, applied: Applied) -> Result<(), Error> {
    sql("UPDATE sync_runs SET joined = $1, changed = $2, came_back = $3, gone = $4 WHERE id = $5")
        .bind(stored(applied.joined))
        .bind(stored(applied.changed))
        .bind(stored(applied.came_back))
        .bind(stored(applied.left))
        .bind(run.id.0)
        .execute(transaction)
        .await?;
    Ok(())
}

/// What is a judgement about all that the run has seen.
async fn end(
    transaction: &mut Transaction,
    run: &Run,
    when: &ApplyParams,
    applied: &mut Applied,
) -> Result<Outcome, Error> {
    applied.written += tree::forget(transaction, run, when).await?;
    if when.extent == RunScope::Company {
        hold(transaction, run, when, applied).await?;
    }
    let outcome = match (&when.blind, applied.held) {
        (Some(_), _) => Outcome::Incomplete,
        (None, 1..) => Outcome::Held,
        (None, 0) => Outcome::Complete,
    };
    finish(transaction, run, when, *applied, outcome).await?;
    Ok(outcome)
}

async fn finish(
    transaction: &mut Transaction,
    run: &Run,
    when: &ApplyParams,
    applied: Applied,
    outcome: Outcome,
) -> Result<(), Error> {
    // Why removals would have been held tells nothing where none are.
    let problem = match outcome {
        Outcome::Complete => "",
        _ => when.blind.as_deref().or(when.hold.as_deref()).unwrap_or_default(),
    };
    sql("UPDATE sync_runs SET finished_at = $1, outcome = $2, problem = $3, joined = $4, changed = $5,
            came_back = $6, gone = $7, held = $8 WHERE id = $9")
    .bind(when.now.as_millis())
    .bind(outcome.as_str())
    .bind(problem)
    .bind(stored(applied.joined))
    .bind(stored(applied.changed))
    .bind(stored(applied.came_back))
    .bind(stored(applied.left))
    .bind(stored(applied.held))
    .bind(run.id.0)
    .execute(&mut *transaction)
    .await?;
    if when.extent == RunScope::Company {
        let result = if outcome == Outcome::Complete { OK } else { outcome.as_str() };
        let entry = of_run(run, when.now)
            .outcome(result)
            .detail("joined", applied.joined)
            .detail("changed", applied.changed)
            .detail("cameBack", applied.came_back)
            .detail("left", applied.left)
            .detail("held", applied.held);
        note(transaction, entry).await?;
    }
    if when.extent == RunScope::Company && when.blind.is_none() {
        sql("UPDATE apps SET run_number = $1, run_started_at = $2, run_finished_at = $3, watched_until = $4
             WHERE corp_id = $5 AND agent_id = $6")
        .bind(run.number.0)
        .bind(run.started_at.as_millis())
        .bind(when.now.as_millis())
        .bind(when.watched_until.map(Timestamp::as_millis))
        .bind(run.corp_id.as_str())
        .bind(run.agent_id.as_str())
        .execute(transaction)
        .await?;
    }
    Ok(())
}

pub(super) fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl RunId {
    /// As it is shown.
    pub const fn number(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
