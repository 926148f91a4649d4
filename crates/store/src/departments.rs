use std::collections::HashMap;

use wecom_login_model::{CorpId, Department, DepartmentId};

use crate::database::{PEOPLE, Row, sql};
use crate::{Error, Store};

impl Store {
    /// Writes the departments and deletes those of `gone`, in one transaction. A sync writes them as well: the two wait for
    /// each other, and neither for a row that the other has.
    pub async fn save_departments(
        &self,
        corp_id: &CorpId,
        departments: &[Department],
        gone: &[DepartmentId],
    ) -> Result<(), Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        for id in gone {
            sql("DELETE FROM departments WHERE corp_id = $1 AND department_id = $2")
                .bind(corp_id.as_str())
                .bind(id.0)
                .execute(&mut transaction)
                .await?;
        }
        for department in departments {
            sql("INSERT INTO departments (corp_id, department_id, name, parent_id, sort_order)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (corp_id, department_id) DO UPDATE SET
                    name = excluded.name, parent_id = excluded.parent_id, sort_order = excluded.sort_order")
            .bind(corp_id.as_str())
            .bind(department.id.0)
            .bind(&department.name)
            .bind(department.parent.map(|id| id.0))
            .bind(department.order)
            .execute(&mut transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
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
