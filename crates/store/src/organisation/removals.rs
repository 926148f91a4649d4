//! The members that a run has found to be gone: they are marked as having left, or their removal is held.

use std::collections::BTreeMap;

use super::apply::number;
use super::{Applied, ApplyParams, Run};
use crate::Error;
use crate::database::{Statement, Transaction, sql};
use crate::leavers::{LeftEvidence, Marked, leave, sign_out};
use crate::visibility::{COUNTED_OUT_AFTER, NOT_COUNTED_OUT, ReadNumber};

/// Members in one statement.
const AT_ONCE: usize = 500;

/// Which members a run removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removal {
    /// Members that the app no longer sees.
    Unseen,
    /// Members that WeCom reports as disabled or gone.
    Barred,
}

impl Removal {
    /// The members; `$1` is the company, `$2` the app, `$3` the run.
    fn members(self, run: &Run) -> String {
        match self {
            // A member is visible if WeCom has shown them to the app since the lookup, or since the run began if there was no
            // lookup yet.
            Self::Unseen => format!(
                "FROM asked_members AS a JOIN members AS m ON m.corp_id = $1 AND m.user_key = a.user_key
                 WHERE a.run_id = $3 AND a.leaver = 1 AND m.left_at IS NULL AND NOT EXISTS
                    (SELECT 1 FROM seen_members AS s WHERE s.run_id = $3 AND s.user_key = a.user_key)
                 AND NOT EXISTS (SELECT 1 FROM member_visibility AS v WHERE v.corp_id = $1 AND v.agent_id = $2
                    AND v.user_key = a.user_key AND v.answer = 1
                    AND v.asked > CASE WHEN a.asked > 0 THEN a.asked ELSE {began} END)",
                began = run.number.0,
            ),
            // The few who are barred first: CROSS JOIN is SQLite's word for that order.
            Self::Barred => "FROM seen_members AS s CROSS JOIN members AS m
                 WHERE m.corp_id = $1 AND m.user_key = s.user_key AND s.run_id = $3 AND s.barred = 1
                    AND m.left_at IS NULL AND m.asked <= s.asked"
                .to_owned(),
        }
    }

    /// The columns of a member who is removed, and the condition beside [`members`](Self::members).
    fn select(self) -> (&'static str, &'static str) {
        match self {
            Self::Unseen => {
                ("m.user_key, a.asked AS number, CAST(0 AS BIGINT) AS deleted", "AND a.answer = 'gone'")
            }
            Self::Barred => (
                "m.user_key, s.asked AS number,
                    CAST(CASE WHEN m.status = 5 THEN 1 ELSE 0 END AS BIGINT) AS deleted",
                "",
            ),
        }
    }

    fn statement(self, run: &Run, when: &ApplyParams) -> Statement {
        let (columns, condition) = self.select();
        let only_approved = if when.hold.is_some() {
            "AND EXISTS (SELECT 1 FROM held_removals AS h WHERE h.corp_id = $1 AND h.agent_id = $2
                AND h.user_key = m.user_key AND h.approved_by IS NOT NULL)"
        } else {
            ""
        };
        let text =
            format!("SELECT {columns} {members} {condition} {only_approved}", members = self.members(run));
        sql(text).bind(run.corp_id.as_str()).bind(run.agent_id.as_str()).bind(run.id.0)
    }
}

/// Removes the next members after `after`, by key, at most `limit`: records that the app no longer sees them, and marks those who
/// have left. Returns the last key, `None` at the end.
///
/// The guard has decided before, about all of them; so they need not be removed in one transaction, and sign-ins go on between.
pub(super) async fn remove_some(
    transaction: &mut Transaction,
    run: &Run,
    when: &ApplyParams,
    which: Removal,
    (after, limit): (&str, i64),
    applied: &mut Applied,
) -> Result<Option<String>, Error> {
    let mut page = which.statement(run, when);
    page.push(" AND m.user_key > ");
    page.push_bound(after);
    page.push(" ORDER BY m.user_key LIMIT ");
    page.push_bound(limit);
    let rows = page.long().fetch_all(&mut *transaction).await?;
    let keys = rows.iter().map(|row| row.get("user_key")).collect::<Result<Vec<String>, Error>>()?;
    let Some(last) = keys.last() else { return Ok(None) };
    hold_rows(transaction, run, &keys).await?;
    for (number, evidence, keys) in groups(transaction, which.statement(run, when), &keys).await? {
        let mut left = 0;
        if which == Removal::Barred {
            let marked = Marked { evidence, number, now: when.now };
            left += leave(transaction, &run.corp_id, &keys, marked).await?;
        } else {
            record_unseen(transaction, run, (&keys, number), when).await?;
            for (evidence, leavers) in leavers(transaction, run, &keys, when).await? {
                let marked = Marked { evidence, number, now: when.now };
                left += leave(transaction, &run.corp_id, &leavers, marked).await?;
            }
            // Of those too who stay, because another app sees them.
            sign_out(transaction, &run.corp_id, &keys, Some(&run.agent_id), when.now).await?;
        }
        applied.left += left;
        applied.written += left;
    }
    Ok(Some(last.clone()))
}

/// Nobody writes these members' rows and records from here on: what a sign-in has written before is seen by the statements that
/// follow.
async fn hold_rows(transaction: &mut Transaction, run: &Run, keys: &[String]) -> Result<(), Error> {
    let for_update = transaction.for_update("m");
    if for_update.is_empty() {
        return Ok(());
    }
    let mut hold = sql("SELECT m.id FROM members AS m WHERE m.corp_id = $1 AND m.user_key IN (")
        .bind(run.corp_id.as_str())
        .once();
    hold.push_list(keys);
    hold.push(&format!(") ORDER BY m.user_key {for_update}"));
    hold.long().fetch_all(transaction).await?;
    Ok(())
}

/// The `keys` that the statement finds, grouped by the number of the lookup and by evidence.
async fn groups(
    transaction: &mut Transaction,
    mut find: Statement,
    keys: &[String],
) -> Result<Vec<(ReadNumber, LeftEvidence, Vec<String>)>, Error> {
    find.push(" AND m.user_key IN (");
    find.push_list(keys);
    find.push(")");
    let rows = find.once().long().fetch_all(transaction).await?;
    let mut groups: BTreeMap<(i64, bool), Vec<String>> = BTreeMap::new();
    for row in rows {
        let deleted = row.get::<i64>("deleted")? == 1;
        groups.entry((row.get("number")?, deleted)).or_default().push(row.get("user_key")?);
    }
    Ok(groups
        .into_iter()
        .map(|((number, deleted), keys)| {
            let evidence = if deleted { LeftEvidence::Deleted } else { LeftEvidence::Unseen };
            (ReadNumber(number), evidence, keys)
        })
        .collect())
}

/// Records that the app does not see these members.
async fn record_unseen(
    transaction: &mut Transaction,
    run: &Run,
    (keys, number): (&[String], ReadNumber),
    when: &ApplyParams,
) -> Result<(), Error> {
    for keys in keys.chunks(AT_ONCE) {
        let mut record =
            sql("INSERT INTO member_visibility (corp_id, user_key, agent_id, answer, asked, asked_at)
             SELECT m.corp_id, m.user_key, $1, 0, $2, $3 FROM members AS m
             WHERE m.corp_id = $4 AND m.user_key IN (")
            .bind(run.agent_id.as_str())
            .bind(number.0)
            .bind(when.now.as_millis())
            .bind(run.corp_id.as_str())
            .once();
        record.push_list(keys);
        record.push(
            ") ON CONFLICT (corp_id, user_key, agent_id) DO UPDATE SET answer = 0, asked = excluded.asked,
                asked_at = excluded.asked_at WHERE member_visibility.asked <= excluded.asked",
        );
        record.execute(&mut *transaction).await?;
        let mut held =
            sql("DELETE FROM held_removals WHERE corp_id = $1 AND agent_id = $2 AND user_key IN (")
                .bind(run.corp_id.as_str())
                .bind(run.agent_id.as_str())
                .once();
        held.push_list(keys);
        held.push(")");
        held.execute(&mut *transaction).await?;
    }
    Ok(())
}

/// The `keys` that no app of the company keeps: every app that counts has answered "not visible" since the sync began. If the run
/// has the list of all userids, members that are not on it were deleted.
async fn leavers(
    transaction: &mut Transaction,
    run: &Run,
    keys: &[String],
    when: &ApplyParams,
) -> Result<[(LeftEvidence, Vec<String>); 2], Error> {
    let (mut deleted, mut unseen) = (Vec::new(), Vec::new());
    for keys in keys.chunks(AT_ONCE) {
        let mut find = sql(format!(
            "SELECT m.user_key, CAST(CASE WHEN EXISTS (SELECT 1 FROM listed_members WHERE run_id = $4) AND NOT EXISTS
                (SELECT 1 FROM listed_members AS l WHERE l.run_id = $4 AND l.user_key = m.user_key)
                THEN 1 ELSE 0 END AS BIGINT) AS deleted
             FROM members AS m WHERE m.corp_id = $1 AND m.left_at IS NULL AND NOT EXISTS
                (SELECT 1 FROM apps AS x WHERE x.corp_id = $1 AND {counts} AND NOT EXISTS
                    (SELECT 1 FROM member_visibility AS v WHERE v.corp_id = $1 AND v.user_key = m.user_key
                        AND v.agent_id = x.agent_id AND v.answer = 0 AND v.asked >= $3))
                AND m.user_key IN (",
            counts = NOT_COUNTED_OUT.replace("{0}", "$2"),
        ))
        .bind(run.corp_id.as_str())
        .bind((when.now - COUNTED_OUT_AFTER).as_millis())
        .bind(when.since.0)
        .bind(run.id.0)
        .once();
        find.push_list(keys);
        find.push(")");
        for row in find.long().fetch_all(&mut *transaction).await? {
            let group = if row.get::<i64>("deleted")? == 1 { &mut deleted } else { &mut unseen };
            group.push(row.get("user_key")?);
        }
    }
    Ok([(LeftEvidence::Deleted, deleted), (LeftEvidence::Unseen, unseen)])
}

/// What was held before is held on, unless it was done or somebody is back; what is held now is added.
pub(super) async fn hold(
    transaction: &mut Transaction,
    run: &Run,
    when: &ApplyParams,
    applied: &mut Applied,
) -> Result<(), Error> {
    let (gone, barred) = (Removal::Unseen.members(run), Removal::Barred.members(run));
    let (corp_id, agent_id) = (run.corp_id.as_str(), run.agent_id.as_str());
    if when.hold.is_some() {
        for from in [&format!("{gone} AND COALESCE(a.answer, 'gone') = 'gone'"), &barred] {
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
