//! Whom a run has found to be gone: they are marked as having left, or their removal is held.

use super::apply::number;
use super::{Applied, AppliedWhen, Run};
use crate::database::{Transaction, sql};
use crate::leavers::{leave, lose_sight};
use crate::{Error, ViewingApp};

/// Marks those who have left, and holds the removals that wait for an administrator.
pub(super) async fn remove(
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
    // The few who are barred first: CROSS JOIN is SQLite's word for that order.
    let barred =
        "FROM seen_members AS s CROSS JOIN members AS m WHERE m.corp_id = $1 AND m.user_key = s.user_key
                  AND s.run_id = $3 AND s.barred = 1 AND m.left_at IS NULL AND m.read_at <= s.read_at";
    let only_approved = if when.hold.is_some() { format!("AND {approved}") } else { String::new() };
    // Nobody reads them between being chosen and being marked.
    let held = transaction.holding("m");
    let app = ViewingApp { agent_id, instances: &when.instances };
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
        applied.left += if sees_no_more {
            lose_sight(transaction, corp_id, app, &keys, when.now).await?
        } else {
            leave(transaction, corp_id, &keys, when.now).await?
        };
    }
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
