use wecom_login_model::Timestamp;

use crate::Error;
use crate::database::{Database, sql};

/// Values that live for minutes: states, outcomes, counters. An expired value is absent.
///
/// Each change that must have one winner is one conditional statement: [`KeyValue::insert`] wins when the key is
/// absent, [`KeyValue::replace`] when the value is still the one that was read.
#[derive(Debug, Clone)]
pub struct KeyValue {
    database: Database,
}

/// A value as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: String,
    /// Grows with each change of the value.
    pub version: i64,
}

impl KeyValue {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Writes the value unless the key holds one; true when it was written.
    pub async fn insert(
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

    /// The key's value, if it holds one.
    pub async fn get(&self, key: &str, now: Timestamp) -> Result<Option<Entry>, Error> {
        let row = sql("SELECT value, version FROM key_values WHERE key = $1 AND expires_at > $2")
            .bind(key)
            .bind(now.as_millis())
            .fetch_optional(self.database.reader())
            .await?;
        row.map(|row| Ok(Entry { value: row.get("value")?, version: row.get("version")? })).transpose()
    }

    /// Writes the value if the key still holds the `version` that was read; true when it was written.
    pub async fn replace(
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

    /// Adds one to the key's counter and tells the sum. The expiry is that of the first increment.
    pub async fn increment(&self, key: &str, now: Timestamp, expires_at: Timestamp) -> Result<i64, Error> {
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

    /// The key's counter; 0 when it was never incremented or has expired.
    pub async fn count(&self, key: &str, now: Timestamp) -> Result<i64, Error> {
        Ok(self.get(key, now).await?.map_or(0, |entry| entry.version))
    }

    /// Deletes what has expired, at most `limit` rows, so that no write waits long; tells how many.
    pub async fn purge(&self, now: Timestamp, limit: i64) -> Result<u64, Error> {
        let purged = sql("DELETE FROM key_values WHERE key IN
             (SELECT key FROM key_values WHERE expires_at <= $1 LIMIT $2)")
        .bind(now.as_millis())
        .bind(limit)
        .execute(self.database.writer())
        .await?;
        Ok(purged)
    }
}
