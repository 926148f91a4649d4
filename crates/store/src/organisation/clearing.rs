//! What finished runs leave behind, and old runs, are deleted a little at a time.

use std::time::Duration;

use wecom_login_model::{AgentId, CorpId, Timestamp};

use super::runs::CLEARED;
use crate::database::sql;
use crate::{Error, Store};

impl Store {
    /// Deletes what finished runs of the app have staged, and runs beyond the last `keep`; a little at a time.
    pub async fn clear_staging(&self, corp_id: &CorpId, agent_id: &AgentId, keep: i64) -> Result<(), Error> {
        const TABLES: [(&str, &str); 5] = [
            ("staged_members", "id"),
            ("seen_members", "user_key"),
            ("staged_departments", "department_id"),
            ("asked_members", "user_key"),
            ("listed_members", "id"),
        ];
        const ROWS: i64 = 5_000;
        let finished = sql("SELECT id FROM sync_runs
             WHERE corp_id = $1 AND agent_id = $2 AND finished_at IS NOT NULL AND phase <> $3")
        .bind(corp_id.as_str())
        .bind(agent_id.as_str())
        .bind(CLEARED)
        .fetch_all(self.database.reader())
        .await?;
        for row in finished {
            let id: i64 = row.get("id")?;
            for (table, key) in TABLES {
                let text = format!(
                    "DELETE FROM {table} WHERE run_id = $1 AND {key} <= (SELECT MAX({key}) FROM
                        (SELECT {key} FROM {table} WHERE run_id = $1 ORDER BY {key} LIMIT $2) AS page)"
                );
                while sql(text.clone()).bind(id).bind(ROWS).execute(self.database.writer()).await?
                    == ROWS.unsigned_abs()
                {
                    self.database.let_others_write().await;
                }
            }
            sql("UPDATE sync_runs SET phase = $1 WHERE id = $2")
                .bind(CLEARED)
                .bind(id)
                .execute(self.database.writer())
                .await?;
        }
        sql("DELETE FROM sync_runs WHERE corp_id = $1 AND agent_id = $2 AND phase = $3 AND id <=
             (SELECT id FROM sync_runs WHERE corp_id = $1 AND agent_id = $2 ORDER BY id DESC LIMIT 1 OFFSET $4)")
        .bind(corp_id.as_str())
        .bind(agent_id.as_str())
        .bind(CLEARED)
        .bind(keep)
        .execute(self.database.writer())
        .await?;
        Ok(())
    }

    /// Deletes runs that ended longer than `keep` ago, at most `limit`, but never the last one of an app; tells how many.
    pub async fn purge_runs(&self, now: Timestamp, keep: Duration, limit: i64) -> Result<u64, Error> {
        sql("DELETE FROM sync_runs WHERE id IN
             (SELECT id FROM sync_runs AS old WHERE phase = $1 AND finished_at < $2 AND id <
                (SELECT MAX(id) FROM sync_runs AS other
                 WHERE other.corp_id = old.corp_id AND other.agent_id = old.agent_id)
              LIMIT $3)")
        .bind(CLEARED)
        .bind((now - keep).as_millis())
        .bind(limit)
        .execute(self.database.writer())
        .await
    }
}
