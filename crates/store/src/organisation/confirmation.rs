use wecom_login_model::{AgentId, CorpId, Timestamp};

use crate::database::{PEOPLE, Row, sql};
use crate::{Error, Store};

/// What an app knows of a member's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confirmation {
    /// When the app read the member, unless another app has read them since.
    pub read_at: Option<Timestamp>,
    /// When the app's last complete sync began, which saw the member and found the row right.
    pub confirmed_at: Option<Timestamp>,
    /// A scheduled sync of the app watches over the member until then.
    pub watched_until: Option<Timestamp>,
}

/// The columns of a [`Confirmation`]; `$1` is the company, `$2` the member in lower case, `$3` the app.
pub(crate) const CONFIRMATION: &str = "
    (SELECT m.read_at FROM members AS m
     WHERE m.corp_id = $1 AND m.user_key = $2 AND m.read_by = $3) AS app_read_at,
    (SELECT a.started_at FROM synced_apps AS a
     JOIN sightings AS g ON g.corp_id = a.corp_id AND g.agent_id = a.agent_id AND g.user_key = $2
     WHERE a.corp_id = $1 AND a.agent_id = $3 AND NOT EXISTS (SELECT 1 FROM held_removals AS h
        WHERE h.corp_id = $1 AND h.agent_id = $3 AND h.user_key = $2)) AS confirmed_at,
    (SELECT a.watched_until FROM synced_apps AS a
     WHERE a.corp_id = $1 AND a.agent_id = $3 AND (NOT EXISTS
            (SELECT 1 FROM sightings AS g WHERE g.corp_id = $1 AND g.user_key = $2)
        OR EXISTS (SELECT 1 FROM sightings AS g
            WHERE g.corp_id = $1 AND g.user_key = $2 AND g.agent_id = $3))) AS watched_until";

pub(crate) fn confirmation(row: &Row) -> Result<Confirmation, Error> {
    let moment = |column: &str| Ok::<_, Error>(row.get::<Option<i64>>(column)?.map(Timestamp::from_millis));
    Ok(Confirmation {
        read_at: moment("app_read_at")?,
        confirmed_at: moment("confirmed_at")?,
        watched_until: moment("watched_until")?,
    })
}

impl Store {
    /// When each app of the company began its last complete sync.
    pub async fn synced_apps(&self, corp_id: &CorpId) -> Result<Vec<(AgentId, Timestamp)>, Error> {
        let rows = sql("SELECT agent_id, started_at FROM synced_apps WHERE corp_id = $1 ORDER BY agent_id")
            .bind(corp_id.as_str())
            .fetch_all(self.database.reader())
            .await?;
        rows.iter()
            .map(|row| {
                let agent_id = AgentId::parse(row.get::<String>("agent_id")?)
                    .map_err(|error| Error::corrupt("table synced_apps, agent_id", error))?;
                Ok((agent_id, Timestamp::from_millis(row.get("started_at")?)))
            })
            .collect()
    }

    /// Forgets whom those apps saw that are not among `known` and have completed no sync since `silent_since`: an app
    /// that was taken out of the configuration sees nobody.
    pub async fn forget_apps(
        &self,
        corp_id: &CorpId,
        known: &[AgentId],
        silent_since: Timestamp,
    ) -> Result<(), Error> {
        let rows = sql("SELECT agent_id FROM synced_apps WHERE corp_id = $1 AND finished_at < $2")
            .bind(corp_id.as_str())
            .bind(silent_since.as_millis())
            .fetch_all(self.database.reader())
            .await?;
        for row in rows {
            let agent_id: String = row.get("agent_id")?;
            if known.iter().any(|known| known.as_str() == agent_id) {
                continue;
            }
            let mut transaction = self.database.begin(PEOPLE).await?;
            for table in ["sightings", "department_sightings", "held_removals", "synced_apps"] {
                sql(format!("DELETE FROM {table} WHERE corp_id = $1 AND agent_id = $2"))
                    .bind(corp_id.as_str())
                    .bind(&agent_id)
                    .long()
                    .execute(&mut transaction)
                    .await?;
            }
            transaction.commit().await?;
        }
        Ok(())
    }
}
