//! Sessions: their rows, how they begin, live and end.

mod begin;

use std::time::Duration;

use serde::Serialize;
use wecom_login_model::{AccountId, AgentId, CorpId, Fingerprint, Timestamp, UserId};

use crate::audit::note_all;
use crate::database::{Row, Transaction, sql};
use crate::outbox::note_ended_sessions;
use crate::{AuditEntry, AuditEvent, Error, Store};

pub use begin::{AccountRule, Begun, FormerSessions, KeptOutcome, NewSession, SignInOutcome};

/// A session as it is stored, and as it is told to administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRow {
    /// The session's public name; it opens nothing.
    pub id: String,
    /// The company.
    pub corp_id: CorpId,
    /// The member, in lower case.
    #[serde(rename = "userId")]
    pub user_key: UserId,
    /// The account that the member was bound to when it began.
    #[serde(rename = "account")]
    pub account_id: Option<AccountId>,
    /// The instance through which the member signed in.
    #[serde(rename = "element")]
    pub instance: String,
    /// The app of that instance. Not known of a session that began before sessions named one, until the program has started.
    #[serde(skip)]
    pub agent_id: Option<AgentId>,
    /// When it began.
    #[serde(rename = "signedInAt")]
    pub created_at: Timestamp,
    /// When WeCom last proved its member.
    pub proved_at: Timestamp,
    /// When it ends if it is not used until then.
    pub idle_until: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
}

/// Why a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The member signed out.
    Logout,
    /// The same browser signed in anew.
    Replaced,
    /// The app's own Type refused the sign-in.
    Refused,
    /// The member left the company, or the app's visible scope.
    Left,
    /// The member is no longer bound to the session's account.
    Unbound,
    /// A refresh token came twice: one of the two who sent it has stolen it.
    Reused,
    /// An administrator ended it.
    Revoked,
}

impl EndReason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Replaced => "replaced",
            Self::Refused => "refused",
            Self::Left => "left",
            Self::Unbound => "unbound",
            Self::Reused => "reused",
            Self::Revoked => "revoked",
        }
    }
}

/// The columns of a [`SessionRow`].
pub(crate) const COLUMNS: &str =
    "id, corp_id, user_key, account_id, instance, agent_id, created_at, proved_at, idle_until, expires_at";
/// What a session that lives fulfils; `$2` is now.
pub(crate) const LIVE: &str = "ended_at IS NULL AND idle_until > $2 AND expires_at > $2";

impl Store {
    /// The live session of a token.
    pub async fn session_by_token(
        &self,
        token_hash: Fingerprint,
        now: Timestamp,
    ) -> Result<Option<SessionRow>, Error> {
        let row = sql(format!("SELECT {COLUMNS} FROM sessions WHERE token_hash = $1 AND {LIVE}"))
            .bind(token_hash.to_hex())
            .bind(now.as_millis())
            .fetch_optional(self.database.reader())
            .await?;
        row.as_ref().map(session_row).transpose()
    }

    /// The live session of an id.
    pub async fn session_by_id(&self, id: &str, now: Timestamp) -> Result<Option<SessionRow>, Error> {
        let row = sql(format!("SELECT {COLUMNS} FROM sessions WHERE id = $1 AND {LIVE}"))
            .bind(id)
            .bind(now.as_millis())
            .fetch_optional(self.database.reader())
            .await?;
        row.as_ref().map(session_row).transpose()
    }

    /// Names the app of sessions that were begun before sessions named one, by the instance through which they began.
    pub async fn name_apps_of_sessions(&self, instance: &str, agent_id: &AgentId) -> Result<(), Error> {
        let unnamed = sql("SELECT 1 FROM sessions WHERE instance = $1 AND agent_id IS NULL LIMIT 1")
            .bind(instance)
            .fetch_optional(self.database.reader())
            .await?;
        if unnamed.is_some() {
            sql("UPDATE sessions SET agent_id = $1 WHERE instance = $2 AND agent_id IS NULL")
                .bind(agent_id.as_str())
                .bind(instance)
                .execute(self.database.writer())
                .await?;
        }
        Ok(())
    }

    /// Moves the idle end of a session that has not ended.
    pub async fn touch_session(&self, id: &str, idle_until: Timestamp) -> Result<(), Error> {
        sql("UPDATE sessions SET idle_until = $1 WHERE id = $2 AND ended_at IS NULL")
            .bind(idle_until.as_millis())
            .bind(id)
            .execute(self.database.writer())
            .await?;
        Ok(())
    }

    /// Ends the session; false when it had ended before.
    pub async fn end_session(&self, id: &str, now: Timestamp, reason: EndReason) -> Result<bool, Error> {
        let mut transaction = self.database.begin(&format!("sessions/{id}")).await?;
        let ended = sql(format!(
            "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE id = $3 AND ended_at IS NULL RETURNING {COLUMNS}"
        ))
        .bind(now.as_millis())
        .bind(reason.as_str())
        .bind(id)
        .fetch_all(&mut transaction)
        .await?;
        note_ended(&mut transaction, &ended, reason, now).await?;
        transaction.commit().await?;
        Ok(ended.len() == 1)
    }

    /// Deletes sessions that ended, or ran out, longer than `keep` ago, at most `limit`; tells how many.
    pub async fn purge_sessions(&self, now: Timestamp, keep: Duration, limit: i64) -> Result<u64, Error> {
        let purged = sql("DELETE FROM sessions WHERE id IN
             (SELECT id FROM sessions WHERE expires_at < $1 OR ended_at < $1 OR idle_until < $1 LIMIT $2)")
        .bind((now - keep).as_millis())
        .bind(limit)
        .execute(self.database.writer())
        .await?;
        Ok(purged)
    }
}

/// Ends every session of a member, in the transaction of what ends them.
pub(crate) async fn end_sessions_of(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_id: &UserId,
    reason: EndReason,
    now: Timestamp,
) -> Result<(), Error> {
    let ended = sql(format!(
        "UPDATE sessions SET ended_at = $1, end_reason = $2
         WHERE corp_id = $3 AND user_key = $4 AND ended_at IS NULL RETURNING {COLUMNS}"
    ))
    .bind(now.as_millis())
    .bind(reason.as_str())
    .bind(corp_id.as_str())
    .bind(user_id.folded())
    .fetch_all(&mut *transaction)
    .await?;
    note_ended(transaction, &ended, reason, now).await
}

/// Writes to the audit log that these sessions have ended, and to the outbox if their members have left; those that had
/// run out before aside.
pub(crate) async fn note_ended(
    transaction: &mut Transaction,
    ended: &[Row],
    reason: EndReason,
    now: Timestamp,
) -> Result<(), Error> {
    let mut ended = ended.iter().map(session_row).collect::<Result<Vec<_>, Error>>()?;
    ended.retain(|session| session.idle_until > now && session.expires_at > now);
    // RETURNING has no order.
    ended.sort_by(|one, other| (one.user_key.as_str(), &one.id).cmp(&(other.user_key.as_str(), &other.id)));
    if reason == EndReason::Left {
        note_ended_sessions(transaction, &ended, now).await?;
    }
    let by_the_member = matches!(reason, EndReason::Logout | EndReason::Replaced);
    let entry = |session: &SessionRow| {
        let entry = AuditEntry::new(AuditEvent::SessionEnded, now)
            .member(&session.corp_id, &session.user_key)
            .instance(&session.instance)
            .session(&session.id)
            .detail("reason", reason.as_str());
        if by_the_member { entry.by_the_member() } else { entry }
    };
    note_all(transaction, ended.iter().map(entry).collect()).await
}

pub(crate) fn session_row(row: &Row) -> Result<SessionRow, Error> {
    let moment = |column: &str| row.get(column).map(Timestamp::from_millis);
    let created_at = moment("created_at")?;
    Ok(SessionRow {
        id: row.get("id")?,
        corp_id: CorpId::parse(row.get::<String>("corp_id")?)
            .map_err(|error| Error::corrupt("table sessions, corp_id", error))?,
        user_key: UserId::parse(row.get::<String>("user_key")?)
            .map_err(|error| Error::corrupt("table sessions, user_key", error))?,
        account_id: row.get::<Option<i64>>("account_id")?.map(AccountId),
        instance: row.get("instance")?,
        agent_id: row
            .get::<Option<String>>("agent_id")?
            .map(AgentId::parse)
            .transpose()
            .map_err(|error| Error::corrupt("table sessions, agent_id", error))?,
        created_at,
        // Sessions of versions before this column have none.
        proved_at: row.get::<Option<i64>>("proved_at")?.map_or(created_at, Timestamp::from_millis),
        idle_until: moment("idle_until")?,
        expires_at: moment("expires_at")?,
    })
}
