//! The departments of the copy: those that at least one app sees.

use std::collections::HashMap;

use wecom_login_model::{AgentId, ContactFields, CorpId, Department, DepartmentId};

use super::Asked;
use super::apps::has_answered;
use crate::database::{PEOPLE, Row, Transaction, sql};
use crate::{Error, Store};

/// What WeCom answered an app about a department and those below it.
#[derive(Debug, Clone)]
pub enum DepartmentAnswer {
    /// These departments are visible to the app.
    Visible(Vec<Department>),
    /// The department is not visible to the app, or does not exist: WeCom says the same for both.
    NotVisible,
}

/// The answers of one read of a department through the apps of a company.
#[derive(Debug, Clone)]
pub struct DepartmentAnswers<'a> {
    /// The company.
    pub corp_id: &'a CorpId,
    /// The department that was asked for.
    pub id: DepartmentId,
    /// When WeCom was asked.
    pub asked: Asked,
    /// Each app with its answer. An app that WeCom did not answer is left out.
    pub answers: Vec<(&'a AgentId, DepartmentAnswer)>,
}

impl Store {
    /// Records the answers to a read, all or nothing: visible departments are written, and the department goes that no app
    /// sees any more. An answer that is older than what is recorded changes nothing.
    pub async fn record_department_answers(&self, read: &DepartmentAnswers<'_>) -> Result<(), Error> {
        let (corp_id, asked) = (read.corp_id, read.asked);
        let mut transaction = self.database.begin(PEOPLE).await?;
        for (agent_id, answer) in &read.answers {
            has_answered(&mut transaction, corp_id, agent_id, ContactFields::default()).await?;
            match answer {
                DepartmentAnswer::Visible(departments) => {
                    for department in departments {
                        write(&mut transaction, corp_id, department, asked).await?;
                        answered(&mut transaction, (corp_id, agent_id), department.id, true, asked).await?;
                    }
                }
                DepartmentAnswer::NotVisible => {
                    answered(&mut transaction, (corp_id, agent_id), read.id, false, asked).await?;
                }
            }
        }
        delete_unseen(&mut transaction, corp_id).await?;
        transaction.commit().await
    }

    /// The company's departments, by number.
    pub async fn departments(&self, corp_id: &CorpId) -> Result<Vec<Department>, Error> {
        let rows =
            sql("SELECT department_id, name, parent_id, sort_order FROM departments WHERE corp_id = $1
             ORDER BY department_id")
            .bind(corp_id.as_str())
            .fetch_all(self.database.reader())
            .await?;
        let department = |row: &Row| {
            Ok(Department {
                id: DepartmentId(row.get("department_id")?),
                name: row.get("name")?,
                parent: row.get::<Option<i64>>("parent_id")?.map(DepartmentId),
                order: row.get("sort_order")?,
            })
        };
        rows.iter().map(department).collect()
    }

    /// The departments that the app sees, by number.
    pub async fn departments_seen_by(
        &self,
        corp_id: &CorpId,
        agent_id: &AgentId,
    ) -> Result<Vec<DepartmentId>, Error> {
        let rows = sql("SELECT department_id FROM department_visibility
             WHERE corp_id = $1 AND agent_id = $2 AND answer = 1 ORDER BY department_id")
        .bind(corp_id.as_str())
        .bind(agent_id.as_str())
        .fetch_all(self.database.reader())
        .await?;
        rows.iter().map(|row| Ok(DepartmentId(row.get("department_id")?))).collect()
    }

    /// The names of these departments, in order; `""` for one that the local copy does not know.
    pub async fn department_names(
        &self,
        corp_id: &CorpId,
        departments: &[DepartmentId],
    ) -> Result<Vec<String>, Error> {
        if departments.is_empty() {
            return Ok(Vec::new());
        }
        let mut named =
            sql("SELECT department_id, name FROM departments WHERE corp_id = $1 AND department_id IN (")
                .bind(corp_id.as_str())
                .once();
        for (place, id) in departments.iter().enumerate() {
            named.push(if place == 0 { "" } else { ", " });
            named.push_bound(id.0);
        }
        named.push(")");
        let rows = named.fetch_all(self.database.reader()).await?;
        let names = rows
            .iter()
            .map(|row| Ok((row.get("department_id")?, row.get("name")?)))
            .collect::<Result<HashMap<i64, String>, Error>>()?;
        Ok(departments.iter().map(|id| names.get(&id.0).cloned().unwrap_or_default()).collect())
    }
}

async fn write(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    department: &Department,
    asked: Asked,
) -> Result<(), Error> {
    sql("INSERT INTO departments (corp_id, department_id, name, parent_id, sort_order, asked)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (corp_id, department_id) DO UPDATE SET name = excluded.name, parent_id = excluded.parent_id,
            sort_order = excluded.sort_order, asked = excluded.asked
         WHERE departments.asked <= excluded.asked")
    .bind(corp_id.as_str())
    .bind(department.id.0)
    .bind(&department.name)
    .bind(department.parent.map(|id| id.0))
    .bind(department.order)
    .bind(asked.number.0)
    .execute(transaction)
    .await?;
    Ok(())
}

async fn answered(
    transaction: &mut Transaction,
    (corp_id, agent_id): (&CorpId, &AgentId),
    id: DepartmentId,
    is_visible: bool,
    asked: Asked,
) -> Result<(), Error> {
    sql("INSERT INTO department_visibility (corp_id, department_id, agent_id, answer, asked)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (corp_id, department_id, agent_id) DO UPDATE SET
            answer = excluded.answer, asked = excluded.asked
         WHERE department_visibility.asked <= excluded.asked AND (excluded.answer = 1 OR NOT EXISTS
            (SELECT 1 FROM apps AS x WHERE x.corp_id = $1 AND x.agent_id = $3 AND x.run_number > excluded.asked))")
    .bind(corp_id.as_str())
    .bind(id.0)
    .bind(agent_id.as_str())
    .bind(i64::from(is_visible))
    .bind(asked.number.0)
    .execute(transaction)
    .await?;
    Ok(())
}

/// Deletes the departments that no app sees; returns how many.
pub(crate) async fn delete_unseen(transaction: &mut Transaction, corp_id: &CorpId) -> Result<u64, Error> {
    sql("DELETE FROM departments WHERE corp_id = $1 AND NOT EXISTS
            (SELECT 1 FROM department_visibility AS v WHERE v.corp_id = $1
                AND v.department_id = departments.department_id AND v.answer = 1)")
    .bind(corp_id.as_str())
    .execute(transaction)
    .await
}
