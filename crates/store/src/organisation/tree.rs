//! The departments of the copy, when a run is applied.

use super::{AppliedWhen, Extent, Run};
use crate::Error;
use crate::database::{Transaction, sql};

/// Writes the departments that the run has found; rows written.
pub(super) async fn write(transaction: &mut Transaction, run: &Run) -> Result<u64, Error> {
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
    Ok(written)
}

/// Deletes the departments that are not there any more; rows deleted.
pub(super) async fn forget(
    transaction: &mut Transaction,
    run: &Run,
    when: &AppliedWhen,
) -> Result<u64, Error> {
    let (corp_id, agent_id) = (run.corp_id.as_str(), run.agent_id.as_str());
    let mut written = 0;
    // An answer without any department may be a scope of people alone, or a mistake: names are kept.
    if when.extent == Extent::Company && when.blind.is_none() && run.departments > 0 {
        written += forget_unseen(transaction, run, when.alone).await?;
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
async fn forget_unseen(transaction: &mut Transaction, run: &Run, alone: bool) -> Result<u64, Error> {
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
