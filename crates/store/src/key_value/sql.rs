//! Short-lived values in the table `key_values`. An expired row is as good as none, until it is deleted.

use wecom_login_model::Timestamp;

use super::{Claimed, EPOCH, Entry};
use crate::Error;
use crate::database::{Database, Row, sql};

#[derive(Debug, Clone)]
pub(super) struct InTable {
    pub(super) database: Database,
}

impl InTable {
    pub(super) async fn insert(
        &self,
        key: &str,
        value: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, Error> {
        let written = sql("INSERT INTO key_values (key, value, version, expires_at) VALUES ($1, $2, 1, $3)
             ON CONFLICT (key) DO UPDATE
             SET value = excluded.value, version = key_values.version + 1, expires_at = excluded.expires_at
             WHERE key_values.expires_at <= $4")
        .bind(key)
        .bind(value)
        .bind(expires_at.as_millis())
        .bind(now.as_millis())
        .execute(self.database.writer())
        .await?;
        Ok(written == 1)
    }

    /// The epoch is the version of its row, which never expires.
    pub(super) async fn begin_epoch(&self, now: Timestamp) -> Result<(), Error> {
        sql("INSERT INTO key_values (key, value, version, expires_at) VALUES ($1, '', $2, $3)
             ON CONFLICT (key) DO NOTHING")
        .bind(EPOCH)
        .bind(now.as_millis())
        .bind(i64::MAX)
        .execute(self.database.writer())
        .await
        .map(drop)
    }

    pub(super) async fn claim(
        &self,
        key: &str,
        value: &str,
        issued_at: Timestamp,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Claimed, Error> {
        let row = sql("INSERT INTO key_values (key, value, version, expires_at)
             SELECT $1, $2, 1, $3 WHERE EXISTS (SELECT 1 FROM key_values WHERE key = $5 AND version <= $6)
             ON CONFLICT (key) DO UPDATE
             SET value = excluded.value, version = key_values.version + 1, expires_at = excluded.expires_at
             WHERE key_values.expires_at <= $4
             RETURNING version")
        .bind(key)
        .bind(value)
        .bind(expires_at.as_millis())
        .bind(now.as_millis())
        .bind(EPOCH)
        .bind(issued_at.as_millis())
        .fetch_optional(self.database.writer())
        .await?;
        if let Some(row) = row {
            return Ok(Claimed::Won(row.get("version")?));
        }
        if self.get(key, now).await?.is_some() {
            return Ok(Claimed::Held);
        }
        self.begin_epoch(now).await?;
        Ok(Claimed::Lost)
    }

    pub(super) async fn get(&self, key: &str, now: Timestamp) -> Result<Option<Entry>, Error> {
        let row = sql("SELECT value, version, expires_at FROM key_values WHERE key = $1 AND expires_at > $2")
            .bind(key)
            .bind(now.as_millis())
            .fetch_optional(self.database.reader())
            .await?;
        let entry = |row: Row| -> Result<Entry, Error> {
            let expires_at = Timestamp::from_millis(row.get("expires_at")?);
            Ok(Entry { value: row.get("value")?, version: row.get("version")?, expires_at })
        };
        row.map(entry).transpose()
    }

    pub(super) async fn replace(
        &self,
        key: &str,
        version: i64,
        value: &str,
        expires_at: Timestamp,
    ) -> Result<bool, Error> {
        let written = sql("UPDATE key_values SET value = $1, version = version + 1, expires_at = $2
             WHERE key = $3 AND version = $4")
        .bind(value)
        .bind(expires_at.as_millis())
        .bind(key)
        .bind(version)
        .execute(self.database.writer())
        .await?;
        Ok(written == 1)
    }

    pub(super) async fn increment(
        &self,
        key: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<i64, Error> {
        let row = sql("INSERT INTO key_values (key, value, version, expires_at) VALUES ($1, '', 1, $2)
             ON CONFLICT (key) DO UPDATE
             SET version = CASE WHEN key_values.expires_at <= $3 THEN 1 ELSE key_values.version + 1 END,
                 expires_at = CASE WHEN key_values.expires_at <= $3 THEN excluded.expires_at
                              ELSE key_values.expires_at END
             RETURNING version")
        .bind(key)
        .bind(expires_at.as_millis())
        .bind(now.as_millis())
        .fetch_one(self.database.writer())
        .await?;
        row.get("version")
    }

    pub(super) async fn purge(&self, now: Timestamp, limit: i64) -> Result<u64, Error> {
        let purged = sql("DELETE FROM key_values WHERE key IN
             (SELECT key FROM key_values WHERE expires_at <= $1 LIMIT $2)")
        .bind(now.as_millis())
        .bind(limit)
        .execute(self.database.writer())
        .await?;
        Ok(purged)
    }
}
