//! The departments of the copy, when a run is applied.

use super::{ApplyParams, Run, RunScope};
use crate::Error;
use crate::database::{Transaction, sql};
use crate::visibility::delete_unseen;

/// Writes the departments that the run has found, and that the app sees them; rows written. What was read after the scope was asked for is
/// newer and stays.
pub(super) async fn write(
    transaction: &mut Transaction,
    run: &Run,
    when: &ApplyParams,
) -> Result<u64, Error> {
    let (corp_id, agent_id) = (run.corp_id.as_str(), run.agent_id.as_str());
    let mut written = sql("INSERT INTO departments (corp_id, department_id, name, parent_id, sort_order, asked)
         SELECT $1, s.department_id, s.name, s.parent_id, s.sort_order, $3 FROM staged_departments AS s
         WHERE s.run_id = $2 AND NOT EXISTS
            (SELECT 1 FROM departments AS d WHERE d.corp_id = $1 AND d.department_id = s.department_id
                AND ((d.name = s.name AND d.parent_id IS NOT DISTINCT FROM s.parent_id
                    AND d.sort_order = s.sort_order) OR d.asked > $3))
         ON CONFLICT (corp_id, department_id) DO UPDATE SET name = excluded.name, parent_id = excluded.parent_id,
            sort_order = excluded.sort_order, asked = excluded.asked")
    .bind(corp_id)
    .bind(run.id.0)
    .bind(when.since.0)
    .long()
    .execute(&mut *transaction)
    .await?;
    written += sql("INSERT INTO department_visibility (corp_id, department_id, agent_id, answer, asked)
         SELECT $1, s.department_id, $2, 1, $4 FROM staged_departments AS s
         WHERE s.run_id = $3 AND NOT EXISTS
            (SELECT 1 FROM department_visibility AS v
             WHERE v.corp_id = $1 AND v.department_id = s.department_id AND v.agent_id = $2
                AND (v.answer = 1 OR v.asked > $4))
         ON CONFLICT (corp_id, department_id, agent_id) DO UPDATE SET
            answer = excluded.answer, asked = excluded.asked")
    .bind(corp_id)
    .bind(agent_id)
    .bind(run.id.0)
    .bind(when.since.0)
    .long()
    .execute(&mut *transaction)
    .await?;
    Ok(written)
}

/// Deletes the departments that no app sees any more; rows deleted.
pub(super) async fn forget(
    transaction: &mut Transaction,
    run: &Run,
    when: &ApplyParams,
) -> Result<u64, Error> {
    let (corp_id, agent_id) = (run.corp_id.as_str(), run.agent_id.as_str());
    // Removals that wait for an administrator keep the departments too.
    if when.extent == RunScope::Company && when.blind.is_none() && when.hold.is_none() {
        // What a read after the beginning of the run has told stays.
        sql("DELETE FROM department_visibility WHERE corp_id = $1 AND agent_id = $2 AND asked <= $4 AND NOT EXISTS
                (SELECT 1 FROM staged_departments AS s
                 WHERE s.run_id = $3 AND s.department_id = department_visibility.department_id)")
        .bind(corp_id)
        .bind(agent_id)
        .bind(run.id.0)
        .bind(when.since.0)
        .long()
        .execute(&mut *transaction)
        .await?;
    }
    for id in &when.gone {
        sql("DELETE FROM department_visibility
             WHERE corp_id = $1 AND department_id = $2 AND agent_id = $3 AND asked <= $4")
        .bind(corp_id)
        .bind(id.0)
        .bind(agent_id)
        .bind(when.since.0)
        .execute(&mut *transaction)
        .await?;
    }
    delete_unseen(transaction, &run.corp_id).await
}
