//! API keys: names and fingerprints. The keys themselves are nowhere.

use std::time::Duration;

use wecom_login_model::{Fingerprint, Timestamp};

use crate::audit::note;
use crate::database::{Row, sql};
use crate::{AuditEntry, AuditEvent, Error, Store};

/// The subject of transactions about keys.
const API_KEYS: &str = "api keys";
/// The last use is kept to the hour, so that it is written once an hour and tells no more than that a key is in use.
const USE_INTERVAL: Duration = Duration::from_hours(1);

/// An API key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// The number.
    pub id: i64,
    /// What the operator calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the hour.
    pub last_used_at: Option<Timestamp>,
}

impl Store {
    /// Writes a new key's name and fingerprint; false when the name is taken.
    pub async fn add_api_key(&self, name: &str, hash: Fingerprint, now: Timestamp) -> Result<bool, Error> {
        let mut transaction = self.database.begin(API_KEYS).await?;
        let added = sql(
            "INSERT INTO api_keys (name, key_hash, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(hash.to_hex())
        .bind(now.as_millis())
        .execute(&mut transaction)
        .await?;
        if added == 1 {
            let entry = AuditEntry::new(AuditEvent::ApiKeyAdded, now).detail("name", name);
            note(&mut transaction, entry).await?;
            transaction.commit().await?;
        }
        Ok(added == 1)
    }

    /// The keys, by name.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyRow>, Error> {
        let rows = sql("SELECT id, name, created_at, last_used_at FROM api_keys ORDER BY name")
            .fetch_all(self.database.reader())
            .await?;
        rows.iter().map(api_key).collect()
    }

    /// Deletes a key; false when there is none of that name.
    pub async fn remove_api_key(&self, name: &str, now: Timestamp) -> Result<bool, Error> {
        let mut transaction = self.database.begin(API_KEYS).await?;
        let removed =
            sql("DELETE FROM api_keys WHERE name = $1").bind(name).execute(&mut transaction).await?;
        if removed == 1 {
            let entry = AuditEntry::new(AuditEvent::ApiKeyRemoved, now).detail("name", name);
            note(&mut transaction, entry).await?;
            transaction.commit().await?;
        }
        Ok(removed == 1)
    }

    /// The key of a fingerprint, and that it was used now.
    pub async fn use_api_key(&self, hash: Fingerprint, now: Timestamp) -> Result<Option<ApiKeyRow>, Error> {
        let row = sql("SELECT id, name, created_at, last_used_at FROM api_keys WHERE key_hash = $1")
            .bind(hash.to_hex())
            .fetch_optional(self.database.reader())
            .await?;
        let Some(key) = row.as_ref().map(api_key).transpose()? else { return Ok(None) };
        let hour = now.as_millis() - now.as_millis().rem_euclid(3_600_000);
        if key.last_used_at.is_none_or(|used| now >= used + USE_INTERVAL) {
            sql("UPDATE api_keys SET last_used_at = $1 WHERE id = $2")
                .bind(hour)
                .bind(key.id)
                .execute(self.database.writer())
                .await?;
        }
        Ok(Some(key))
    }
}

fn api_key(row: &Row) -> Result<ApiKeyRow, Error> {
    Ok(ApiKeyRow {
        id: row.get("id")?,
        name: row.get("name")?,
        created_at: Timestamp::from_millis(row.get("created_at")?),
        last_used_at: row.get::<Option<i64>>("last_used_at")?.map(Timestamp::from_millis),
    })
}
