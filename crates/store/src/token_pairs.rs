//! Token pairs of bearer sessions. Of many refreshes with one token one wins: the UPDATE that names it.

use wecom_login_model::{Fingerprint, Timestamp};

use crate::database::{Transaction, sql};
use crate::sessions::{COLUMNS, LIVE, SessionRow, session_row};
use crate::{Error, Store};

/// The pair that a bearer session begins with.
#[derive(Debug, Clone, Copy)]
pub struct NewPair<'a> {
    /// The session.
    pub session_id: &'a str,
    /// The fingerprint of what all its refresh tokens share.
    pub family: Fingerprint,
    /// The fingerprint of the refresh token.
    pub refresh: Fingerprint,
    /// The fingerprint of the access token.
    pub access: Fingerprint,
    /// Now.
    pub issued_at: Timestamp,
    /// When the access token ends.
    pub access_until: Timestamp,
}

/// A refresh token changed for the next pair.
#[derive(Debug, Clone, Copy)]
pub struct Rotation<'a> {
    /// The fingerprint of what the session's refresh tokens share.
    pub family: Fingerprint,
    /// The fingerprint of the refresh token that is spent.
    pub spent: Fingerprint,
    /// The fingerprint of the next one.
    pub refresh: Fingerprint,
    /// The fingerprint of the next access token.
    pub access: Fingerprint,
    /// The fingerprint of the client's retry key, and the salt that the pair was derived with.
    pub retry: Option<(Fingerprint, &'a str)>,
    /// Now.
    pub issued_at: Timestamp,
    /// When the next access token ends.
    pub access_until: Timestamp,
}

/// A pair as it is stored, with its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairRow {
    /// The live session.
    pub session: SessionRow,
    /// 64 hexadecimal digits of the refresh token spent last; empty before the first refresh.
    pub spent_hash: String,
    /// The same of the retry key that came with it; empty when none came.
    pub retry_hash: String,
    /// The salt that the pair was derived with; empty when no retry key came.
    pub salt: String,
    /// When the pair was issued.
    pub issued_at: Timestamp,
}

impl Store {
    /// Gives the session its first pair, and tells when it was issued. The same pair again changes nothing; `None` when
    /// the session has had another one since.
    pub async fn begin_pair(&self, pair: &NewPair<'_>) -> Result<Option<Timestamp>, Error> {
        let mut transaction = self.database.begin(&subject(pair.family)).await?;
        let begun = sql(
            "INSERT INTO token_pairs (session_id, family_hash, refresh_hash, access_hash, spent_hash, retry_hash, salt,
                issued_at)
             VALUES ($1, $2, $3, $4, '', '', '', $5)
             ON CONFLICT (session_id) DO UPDATE SET session_id = excluded.session_id
             WHERE token_pairs.refresh_hash = excluded.refresh_hash
             RETURNING issued_at",
        )
        .bind(pair.session_id)
        .bind(pair.family.to_hex())
        .bind(pair.refresh.to_hex())
        .bind(pair.access.to_hex())
        .bind(pair.issued_at.as_millis())
        .fetch_optional(&mut transaction)
        .await?;
        let Some(begun) = begun else { return Ok(None) };
        add_access(&mut transaction, pair.session_id, pair.access, pair.access_until).await?;
        transaction.commit().await?;
        Ok(Some(Timestamp::from_millis(begun.get("issued_at")?)))
    }

    /// Spends a refresh token for the next pair, and gives the live session. `None` when the token is not the one that is
    /// good, or its session has ended.
    pub async fn rotate_pair(&self, rotation: &Rotation<'_>) -> Result<Option<SessionRow>, Error> {
        let mut transaction = self.database.begin(&subject(rotation.family)).await?;
        let (retry, salt) =
            rotation.retry.map_or((String::new(), ""), |(retry, salt)| (retry.to_hex(), salt));
        let won = sql(format!(
            "UPDATE token_pairs SET refresh_hash = $3, access_hash = $4, spent_hash = $5, retry_hash = $6, salt = $7,
                issued_at = $2
             WHERE family_hash = $1 AND refresh_hash = $5
                AND EXISTS (SELECT 1 FROM sessions WHERE id = token_pairs.session_id AND {LIVE})
             RETURNING session_id"
        ))
        .bind(rotation.family.to_hex())
        .bind(rotation.issued_at.as_millis())
        .bind(rotation.refresh.to_hex())
        .bind(rotation.access.to_hex())
        .bind(rotation.spent.to_hex())
        .bind(retry)
        .bind(salt)
        .fetch_optional(&mut transaction)
        .await?;
        let Some(won) = won else { return Ok(None) };
        let session_id: String = won.get("session_id")?;
        add_access(&mut transaction, &session_id, rotation.access, rotation.access_until).await?;
        let session = sql(format!("SELECT {COLUMNS} FROM sessions WHERE id = $1"))
            .bind(&session_id)
            .fetch_one(&mut transaction)
            .await?;
        transaction.commit().await?;
        session_row(&session).map(Some)
    }

    /// The pair of a family whose session lives.
    pub async fn pair_of_family(
        &self,
        family: Fingerprint,
        now: Timestamp,
    ) -> Result<Option<PairRow>, Error> {
        // Read where it is written: the refresh that was faster must be seen.
        let row = sql(format!(
            "SELECT {COLUMNS}, spent_hash, retry_hash, salt, issued_at
             FROM sessions JOIN token_pairs ON session_id = id WHERE family_hash = $1 AND {LIVE}"
        ))
        .bind(family.to_hex())
        .bind(now.as_millis())
        .fetch_optional(self.database.writer())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(PairRow {
            session: session_row(&row)?,
            spent_hash: row.get("spent_hash")?,
            retry_hash: row.get("retry_hash")?,
            salt: row.get("salt")?,
            issued_at: Timestamp::from_millis(row.get("issued_at")?),
        }))
    }

    /// The live session of an access token that has not ended.
    pub async fn session_by_access(
        &self,
        access: Fingerprint,
        now: Timestamp,
    ) -> Result<Option<SessionRow>, Error> {
        let row = sql(format!(
            "SELECT {COLUMNS} FROM sessions
             WHERE id = (SELECT session_id FROM access_tokens WHERE token_hash = $1 AND expires_at > $2) AND {LIVE}"
        ))
        .bind(access.to_hex())
        .bind(now.as_millis())
        .fetch_optional(self.database.reader())
        .await?;
        row.as_ref().map(session_row).transpose()
    }

    /// Deletes access tokens that have ended, at most `limit`; tells how many.
    pub async fn purge_access_tokens(&self, now: Timestamp, limit: i64) -> Result<u64, Error> {
        let purged = sql("DELETE FROM access_tokens WHERE token_hash IN
             (SELECT token_hash FROM access_tokens WHERE expires_at <= $1 LIMIT $2)")
        .bind(now.as_millis())
        .bind(limit)
        .execute(self.database.writer())
        .await?;
        Ok(purged)
    }
}

/// What the transactions of one family wait for.
fn subject(family: Fingerprint) -> String {
    format!("pairs/{}", family.to_hex())
}

async fn add_access(
    transaction: &mut Transaction,
    session_id: &str,
    access: Fingerprint,
    until: Timestamp,
) -> Result<(), Error> {
    sql("INSERT INTO access_tokens (token_hash, session_id, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (token_hash) DO NOTHING")
    .bind(access.to_hex())
    .bind(session_id)
    .bind(until.as_millis())
    .execute(transaction)
    .await?;
    Ok(())
}
