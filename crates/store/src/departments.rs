use wecom_login_model::{CorpId, Department, DepartmentId};

use crate::{Error, Store};

impl Store {
    /// Writes the departments and deletes those of `gone`, in one transaction.
    pub async fn save_departments(
        &self,
        corp_id: &CorpId,
        departments: &[Department],
        gone: &[DepartmentId],
    ) -> Result<(), Error> {
        let mut transaction = self.database.writer().begin_with("BEGIN IMMEDIATE").await?;
        for id in gone {
            sqlx::query("DELETE FROM departments WHERE corp_id = $1 AND department_id = $2")
                .bind(corp_id.as_str())
                .bind(id.0)
                .execute(&mut *transaction)
                .await?;
        }
        for department in departments {
            sqlx::query(
                "INSERT INTO departments (corp_id, department_id, name, parent_id, sort_order)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (corp_id, department_id) DO UPDATE SET
                    name = excluded.name, parent_id = excluded.parent_id, sort_order = excluded.sort_order",
            )
            .bind(corp_id.as_str())
            .bind(department.id.0)
            .bind(&department.name)
            .bind(department.parent.map(|id| id.0))
            .bind(department.order)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The company's departments, by number.
    pub async fn departments(&self, corp_id: &CorpId) -> Result<Vec<Department>, Error> {
        let rows: Vec<(i64, String, Option<i64>, i64)> = sqlx::query_as(
            "SELECT department_id, name, parent_id, sort_order FROM departments WHERE corp_id = $1
             ORDER BY department_id",
        )
        .bind(corp_id.as_str())
        .fetch_all(self.database.reader())
        .await?;
        let department = |(id, name, parent, order): (i64, String, Option<i64>, i64)| Department {
            id: DepartmentId(id),
            name,
            parent: parent.map(DepartmentId),
            order,
        };
        Ok(rows.into_iter().map(department).collect())
    }

    /// The department's name, if the local copy knows it.
    pub async fn department_name(&self, corp_id: &CorpId, id: DepartmentId) -> Result<Option<String>, Error> {
        let row: Option<(String,)> =
            sqlx::query_as("SELECT name FROM departments WHERE corp_id = $1 AND department_id = $2")
                .bind(corp_id.as_str())
                .bind(id.0)
                .fetch_optional(self.database.reader())
                .await?;
        Ok(row.map(|(name,)| name))
    }
}
