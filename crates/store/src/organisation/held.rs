use wecom_login_model::{AgentId, CorpId, Timestamp, UserId};

use crate::database::sql;
use crate::members::user_id;
use crate::{Error, Store};

/// Removals of one app that wait for an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The company.
    pub corp_id: CorpId,
    /// The app.
    pub agent_id: AgentId,
    /// How many.
    pub count: u64,
    /// How many of them are approved, and made by the next run.
    pub approved: u64,
    /// Since when the first of them waits.
    pub since: Timestamp,
    /// The first of them by userid.
    pub members: Vec<UserId>,
}

impl Store {
    /// The removals that wait, with the first `members` of each app.
    pub async fn held_removals(&self, members: i64) -> Result<Vec<Held>, Error> {
        let rows = sql(
            "SELECT corp_id, agent_id, COUNT(*) AS n, COUNT(approved_by) AS approved, MIN(held_at) AS since
             FROM held_removals GROUP BY corp_id, agent_id ORDER BY corp_id, agent_id",
        )
        .fetch_all(self.database.reader())
        .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            let corp_id = CorpId::parse(row.get::<String>("corp_id")?)
                .map_err(|error| Error::corrupt("table held_removals, corp_id", error))?;
            let agent_id = AgentId::parse(row.get::<String>("agent_id")?)
                .map_err(|error| Error::corrupt("table held_removals, agent_id", error))?;
            let first = sql("SELECT user_id FROM held_removals WHERE corp_id = $1 AND agent_id = $2
                 ORDER BY user_key LIMIT $3")
            .bind(corp_id.as_str())
            .bind(agent_id.as_str())
            .bind(members)
            .fetch_all(self.database.reader())
            .await?;
            let count = |column: &str| -> Result<u64, Error> {
                Ok(u64::try_from(row.get::<i64>(column)?).unwrap_or_default())
            };
            all.push(Held {
                count: count("n")?,
                approved: count("approved")?,
                since: Timestamp::from_millis(row.get("since")?),
                members: first.iter().map(user_id).collect::<Result<_, _>>()?,
                corp_id,
                agent_id,
            });
        }
        Ok(all)
    }

    /// An administrator approves the removals that the app's runs have held so far, and no others: the next run makes
    /// those of them that are still to be made. Tells how many.
    pub async fn approve_removals(
        &self,
        corp_id: &CorpId,
        agent_id: &AgentId,
        by: &str,
    ) -> Result<u64, Error> {
        sql("UPDATE held_removals SET approved_by = $1 WHERE corp_id = $2 AND agent_id = $3")
            .bind(by)
            .bind(corp_id.as_str())
            .bind(agent_id.as_str())
            .execute(self.database.writer())
            .await
    }
}
