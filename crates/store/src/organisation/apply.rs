//! The copy is brought up to date, in one transaction and by set: only what differs is written.

use wecom_login_model::{DepartmentId, Timestamp};

use super::runs::of_run;
use super::{Extent, Outcome, Run, RunId, Under};
use crate::audit::note;
use crate::database::{PEOPLE, Transaction, sql};
use crate::leavers::{leave, lose_sight, seen_by_nobody};
use crate::{Error, OK, Store};

/// How a run is to be applied.
#[derive(Debug, Clone)]
pub struct AppliedWhen {
    /// Now.
    pub now: Timestamp,
    /// How much the run is about.
    pub extent: Extent,
    /// Why removals are held, if they are: only those that an administrator has approved are made then.
    pub hold: Option<String>,
    /// Why somebody may have been there unseen, if so. The run does not count as complete then.
    pub blind: Option<String>,
    /// True when no other app of the company is configured.
    pub alone: bool,
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

impl Store {
    /// Applies what the run has staged and ends it. What was read by a sign-in or told by an event since the run saw a
    /// member is newer and stays.
    pub async fn apply_run(
        &self,
        run: &Run,
        when: &AppliedWhen,
        under: Under<'_>,
    ) -> Result<(Applied, Outcome), Error> {
        let mut transaction = self.begin_under(PEOPLE, under).await?;
        transaction.take_your_time().await?;
        let mut applied = Applied::default();
        applied.written += departments(&mut transaction, run, when).await?;
        members(&mut transaction, run, when, &mut applied).await?;
        applied.written += sightings(&mut transaction, run).await?;
        if when.extent == Extent::Company {
            leavers(&mut transaction, run, when, &mut applied).await?;
        }
        let outcome = match (&when.blind, applied.held) {
            (Some(_), _) => Outcome::Incomplete,
            (None, 1..) => Outcome::Held,
            (None, 0) => Outcome::Complete,
        };
        finish(&mut transaction, run, when, applied, outcome).await?;
        transaction.commit().await?;
        Ok((applied, outcome))
    }
}

async fn departments(transaction: &mut Transaction, run: &Run, when: &AppliedWhen) -> Result<u64, Error> {
    let (corp_id, agent_id) = (run.corp_id.as_str(), run.agent_id.as_str());
    let mut written = sql("INSERT INTO departments (corp_id, department_id, name, parent_id, sort_order)
         SELECT $1, s.department_id, s.name, s.parent_id, s.sort_order FROM staged_departments AS s
         WHERE s.run_id = $2 AND NOT EXISTS
            (SELECT 1 FROM departments AS d WHERE d.corp_id = $1 AND d.department_id = s.department_id
                AND d.name = s.name AND d.parent_id IS NOT DISTINCT FROM s.parent_id
                AND d.sort_order = s.sort_order)
         ON CONFLICT (corp_id, department_id) DO UPDATE SET
            name = excluded.name, parent_id = excluded.parent_id, sort_order = excluded.sort_order")
    .bind(corp_id)
    .bind(run.id.0)
    .long()
    .execute(&mut *transaction)
    .await?;
    written += sql("INSERT INTO department_sightings (corp_id, department_id, agent_id)
         SELECT $1, s.department_id, $2 FROM staged_departments AS s
         WHERE s.run_id = $3 AND NOT EXISTS
            (SELECT 1 FROM department_sightings AS d
             WHERE d.corp_id = $1 AND d.department_id = s.department_id AND d.agent_id = $2)
         ON CONFLICT (corp_id, department_id, agent_id) DO NOTHING")
    .bind(corp_id)
    .bind(agent_id)
    .bind(run.id.0)
    .long()
    .execute(&mut *transaction)
    .await?;
    // An answer without any department may be a scope of people alone, or a mistake: names are kept.
    if when.extent == Extent::Company && when.blind.is_none() && run.departments > 0 {
        written += forget_departments(transaction, run, when.alone).await?;
    }
    for id in &when.gone {
        sql("DELETE FROM department_sightings WHERE corp_id = $1 AND department_id = $2 AND agent_id = $3")
            .bind(corp_id)
            .bind(id.0)
            .bind(agent_id)
            .execute(&mut *transaction)
            .await?;
        written += sql("DELETE FROM departments WHERE corp_id = $1 AND department_id = $2 AND NOT EXISTS
            (SELECT 1 FROM department_sightings AS d WHERE d.corp_id = $1 AND d.department_id = $2)")
        .bind(corp_id)
        .bind(id.0)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(written)
}

/// Deletes the departments that the app saw before and sees no more, unless another app does; and, where there is no other
/// app, those that were never seen by a whole run.
async fn forget_departments(transaction: &mut Transaction, run: &Run, alone: bool) -> Result<u64, Error> {
    let (corp_id, agent_id) = (run.corp_id.as_str(), run.agent_id.as_str());
    let unseen = "NOT EXISTS (SELECT 1 FROM staged_departments AS s
                              WHERE s.run_id = $3 AND s.department_id = departments.department_id)";
    let deleted = sql(format!(
        "DELETE FROM departments WHERE corp_id = $1 AND {unseen}
            AND NOT EXISTS (SELECT 1 FROM department_sightings AS other WHERE other.corp_id = $1
                AND other.department_id = departments.department_id AND other.agent_id <> $2)
            AND ($4 = 1 OR EXISTS (SELECT 1 FROM department_sightings AS mine WHERE mine.corp_id = $1
                AND mine.department_id = departments.department_id AND mine.agent_id = $2))"
    ))
    .bind(corp_id)
    .bind(agent_id)
    .bind(run.id.0)
    .bind(i64::from(alone))
    .long()
    .execute(&mut *transaction)
    .await?;
    sql("DELETE FROM department_sightings WHERE corp_id = $1 AND agent_id = $2 AND NOT EXISTS
            (SELECT 1 FROM staged_departments AS s
             WHERE s.run_id = $3 AND s.department_id = department_sightings.department_id)")
    .bind(corp_id)
    .bind(agent_id)
    .bind(run.id.0)
    .long()
    .execute(transaction)
    .await?;
    Ok(deleted)
}

/// A row is written when WeCom tells something else than it was last written from, or when its member had left.
///
/// Apps of one company may see a member differently. A row that shows another app's present view stays as it is while
/// this app's own view has not changed: two apps do not write it by turns.
const DIFFERS: &str = "(m.left_at IS NOT NULL AND s.barred = 0)
    OR (m.row_hash IS DISTINCT FROM s.row_hash AND NOT (
        EXISTS (SELECT 1 FROM sightings AS mine WHERE mine.corp_id = $1 AND mine.user_key = s.user_key
                    AND mine.agent_id = $2 AND mine.row_hash = s.row_hash)
        AND EXISTS (SELECT 1 FROM sightings AS other WHERE other.corp_id = $1 AND other.user_key = s.user_key
                    AND other.agent_id <> $2 AND other.row_hash = m.row_hash)))";

async fn members(
    transaction: &mut Transaction,
    run: &Run,
    when: &AppliedWhen,
    applied: &mut Applied,
) -> Result<(), Error> {
    let corp_id = run.corp_id.as_str();
    let before = count(transaction, corp_id).await?;
    applied.came_back = number(
        sql("SELECT COUNT(*) AS n FROM members AS m
             JOIN seen_members AS s ON s.run_id = $2 AND s.user_key = m.user_key
             WHERE m.corp_id = $1 AND m.left_at IS NOT NULL AND s.barred = 0
                AND m.left_at <= s.read_at AND m.read_at <= s.read_at")
        .bind(corp_id)
        .bind(run.id.0)
        .long()
        .fetch_one(&mut *transaction)
        .await?
        .get("n")?,
    );
    // What is withheld does not erase what is known, as when a single member is read (members.rs). The last condition is
    // for PostgreSQL: a sign-in may have written the row since this statement began.
    let written = sql(format!(
        "INSERT INTO members (corp_id, user_key, user_id, name, alias, position, mobile, email, biz_mail, avatar,
            gender, departments, leads, main_department, status, row_hash, read_at, left_at, created_at, updated_at)
         SELECT $1, p.user_key, p.user_id, p.name, p.alias, p.position, p.mobile, p.email, p.biz_mail, p.avatar,
            p.gender, p.departments, p.leads, p.main_department, p.status, p.row_hash, p.read_at,
            CASE WHEN s.barred = 1 AND $5 = 1 THEN $3 END, $3, $3
         FROM seen_members AS s
         LEFT JOIN members AS m ON m.corp_id = $1 AND m.user_key = s.user_key
         JOIN staged_members AS p ON p.id = s.staged_id
         WHERE s.run_id = $4 AND (m.id IS NULL
            OR (m.read_at <= s.read_at AND COALESCE(m.left_at, 0) <= s.read_at AND ({DIFFERS})))
         ORDER BY s.user_key
         ON CONFLICT (corp_id, user_key) DO UPDATE SET {WRITTEN} WHERE members.read_at <= excluded.read_at",
        WRITTEN = crate::members::WRITTEN,
    ))
    .bind(corp_id)
    .bind(run.agent_id.as_str())
    .bind(when.now.as_millis())
    .bind(run.id.0)
    .bind(i64::from(when.extent == Extent::Company))
    .long()
    .execute(&mut *transaction)
    .await?;
    applied.joined = count(transaction, corp_id).await?.saturating_sub(before);
    applied.changed = written.saturating_sub(applied.joined + applied.came_back);
    applied.written += written;
    Ok(())
}

async fn sightings(transaction: &mut Transaction, run: &Run) -> Result<u64, Error> {
    sql("INSERT INTO sightings (corp_id, user_key, agent_id, row_hash)
         SELECT $1, s.user_key, $2, s.row_hash FROM seen_members AS s
         LEFT JOIN sightings AS mine
            ON mine.corp_id = $1 AND mine.user_key = s.user_key AND mine.agent_id = $2
         WHERE s.run_id = $3 AND mine.row_hash IS DISTINCT FROM s.row_hash
         ORDER BY s.user_key
         ON CONFLICT (corp_id, user_key, agent_id) DO UPDATE SET row_hash = excluded.row_hash")
    .bind(run.corp_id.as_str())
    .bind(run.agent_id.as_str())
    .bind(run.id.0)
    .long()
    .execute(transaction)
    .await
}

async fn leavers(
    transaction: &mut Transaction,
    run: &Run,
    when: &AppliedWhen,
    applied: &mut Applied,
) -> Result<(), Error> {
    let (corp_id, agent_id) = (&run.corp_id, &run.agent_id);
    let approved = "EXISTS (SELECT 1 FROM held_removals AS h WHERE h.corp_id = $1 AND h.agent_id = $2
                        AND h.user_key = m.user_key AND h.approved_by IS NOT NULL)";
    // Whom somebody has read since WeCom was asked is there.
    let gone = "FROM asked_members AS a JOIN members AS m ON m.corp_id = $1 AND m.user_key = a.user_key
                WHERE a.run_id = $3 AND a.leaver = 1 AND m.left_at IS NULL AND NOT EXISTS
                    (SELECT 1 FROM seen_members AS s WHERE s.run_id = $3 AND s.user_key = a.user_key)";
    let barred = "FROM seen_members AS s JOIN members AS m ON m.corp_id = $1 AND m.user_key = s.user_key
                  WHERE s.run_id = $3 AND s.barred = 1 AND m.left_at IS NULL AND m.read_at <= s.read_at";
    let only_approved = if when.hold.is_some() { format!("AND {approved}") } else { String::new() };
    // Nobody reads them between being chosen and being marked.
    let held = transaction.holding("m");
    let mut leaving = Vec::new();
    for (text, sees_no_more) in [
        (
            format!(
                "SELECT m.user_key {gone} AND a.answer = 'gone' AND m.read_at <= a.asked_at {only_approved} {held}"
            ),
            true,
        ),
        (format!("SELECT m.user_key {barred} {only_approved} {held}"), false),
    ] {
        let rows = sql(text)
            .bind(corp_id.as_str())
            .bind(agent_id.as_str())
            .bind(run.id.0)
            .long()
            .fetch_all(&mut *transaction)
            .await?;
        let keys = rows.iter().map(|row| row.get("user_key")).collect::<Result<Vec<String>, Error>>()?;
        if sees_no_more {
            lose_sight(transaction, corp_id, agent_id, &keys).await?;
            leaving.extend(seen_by_nobody(transaction, corp_id, &keys).await?);
        } else {
            leaving.extend(keys);
        }
    }
    applied.left = leave(transaction, corp_id, &leaving, when.now).await?;
    applied.written += applied.left;
    hold(transaction, run, when, [gone, barred], applied).await
}

/// What was held before is held on, unless it was done or somebody is back; what is held now is added.
async fn hold(
    transaction: &mut Transaction,
    run: &Run,
    when: &AppliedWhen,
    [gone, barred]: [&str; 2],
    applied: &mut Applied,
) -> Result<(), Error> {
    let (corp_id, agent_id) = (run.corp_id.as_str(), run.agent_id.as_str());
    if when.hold.is_some() {
        for from in [&format!("{gone} AND COALESCE(a.answer, 'gone') = 'gone'"), barred] {
            sql(format!(
                "INSERT INTO held_removals (corp_id, agent_id, user_key, user_id, held_at)
                 SELECT $1, $2, m.user_key, m.user_id, $4 {from}
                 ON CONFLICT (corp_id, agent_id, user_key) DO NOTHING"
            ))
            .bind(corp_id)
            .bind(agent_id)
            .bind(run.id.0)
            .bind(when.now.as_millis())
            .long()
            .execute(&mut *transaction)
            .await?;
        }
    }
    // A run that could not see everybody knows nothing of the others.
    let unless_blind = if when.blind.is_some() {
        "AND EXISTS (SELECT 1 FROM seen_members AS s
            WHERE s.run_id = $3 AND s.user_key = held_removals.user_key AND s.barred = 0)"
    } else {
        ""
    };
    sql(format!(
        "DELETE FROM held_removals WHERE corp_id = $1 AND agent_id = $2
            AND NOT EXISTS (SELECT 1 FROM members AS m, asked_members AS a
                WHERE m.corp_id = $1 AND m.user_key = held_removals.user_key AND m.left_at IS NULL
                    AND a.run_id = $3 AND a.user_key = m.user_key AND a.leaver = 1
                    AND COALESCE(a.answer, 'gone') IN ('gone', 'spared', 'refused'))
            AND NOT EXISTS (SELECT 1 FROM members AS m, seen_members AS s
                WHERE m.corp_id = $1 AND m.user_key = held_removals.user_key AND m.left_at IS NULL
                    AND s.run_id = $3 AND s.user_key = m.user_key AND s.barred = 1)
            {unless_blind}"
    ))
    .bind(corp_id)
    .bind(agent_id)
    .bind(run.id.0)
    .long()
    .execute(&mut *transaction)
    .await?;
    applied.held = number(
        sql("SELECT COUNT(*) AS n FROM held_removals WHERE corp_id = $1 AND agent_id = $2")
            .bind(corp_id)
            .bind(agent_id)
            .fetch_one(transaction)
            .await?
            .get("n")?,
    );
    Ok(())
}

async fn finish(
    transaction: &mut Transaction,
    run: &Run,
    when: &AppliedWhen,
    applied: Applied,
    outcome: Outcome,
) -> Result<(), Error> {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let problem = when.blind.as_deref().or(when.hold.as_deref()).unwrap_or_default();
    sql("UPDATE sync_runs SET finished_at = $1, outcome = $2, problem = $3, joined = $4, changed = $5,
            came_back = $6, gone = $7, held = $8 WHERE id = $9")
    .bind(when.now.as_millis())
    .bind(outcome.as_str())
    .bind(problem)
    .bind(count(applied.joined))
    .bind(count(applied.changed))
    .bind(count(applied.came_back))
    .bind(count(applied.left))
    .bind(count(applied.held))
    .bind(run.id.0)
    .execute(&mut *transaction)
    .await?;
    if when.extent == Extent::Company {
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
    if when.extent == Extent::Company && when.blind.is_none() {
        sql("INSERT INTO synced_apps (corp_id, agent_id, started_at, finished_at, watched_until)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (corp_id, agent_id) DO UPDATE SET started_at = excluded.started_at,
                finished_at = excluded.finished_at, watched_until = excluded.watched_until")
        .bind(run.corp_id.as_str())
        .bind(run.agent_id.as_str())
        .bind(run.started_at.as_millis())
        .bind(when.now.as_millis())
        .bind(when.watched_until.map(Timestamp::as_millis))
        .execute(transaction)
        .await?;
    }
    Ok(())
}

async fn count(transaction: &mut Transaction, corp_id: &str) -> Result<u64, Error> {
    let row = sql("SELECT COUNT(*) AS n FROM members WHERE corp_id = $1").bind(corp_id);
    Ok(number(row.long().fetch_one(transaction).await?.get("n")?))
}

fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

impl RunId {
    /// As it is shown.
    pub const fn number(self) -> i64 {
        self.0
    }
}
