//! Sessions as administrators see them: which ones live, and ending them.

use wecom_login_model::{CorpId, Timestamp, UserId};

use crate::database::{Statement, sql};
use crate::sessions::{COLUMNS, LIVE, note_ended, session_row};
use crate::{EndReason, Error, SessionRow, Store};

/// Sessions that are ended in one transaction.
const AT_ONCE: i64 = 500;

/// Whose sessions; everybody's by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionsOf<'a> {
    /// Of this company.
    pub corp_id: Option<&'a CorpId>,
    /// Of this userid, in whichever company if none is given.
    pub user_id: Option<&'a UserId>,
}

/// Which live sessions shall end.
#[derive(Debug, Clone, Copy)]
pub enum Revoke<'a> {
    /// The one of this id.
    One(&'a str),
    /// All of these.
    Of(SessionsOf<'a>),
}

impl SessionsOf<'_> {
    /// Writes the condition; the statement has one before.
    fn push(self, statement: &mut Statement) {
        if let Some(corp_id) = self.corp_id {
            statement.push(" AND corp_id = ");
            statement.push_bound(corp_id.as_str());
        }
        if let Some(user_id) = self.user_id {
            statement.push(" AND user_key = ");
            statement.push_bound(user_id.folded());
        }
    }
}

impl Store {
    /// A page of the live sessions, the latest first, and how many there are in all.
    pub async fn live_sessions(
        &self,
        of: SessionsOf<'_>,
        now: Timestamp,
        offset: i64,
        limit: i64,
    ) -> Result<(Vec<SessionRow>, i64), Error> {
        let mut transaction = self.database.snapshot().await?;
        let live = "ended_at IS NULL AND idle_until > $1 AND expires_at > $1";
        let mut count =
            sql(format!("SELECT COUNT(*) AS total FROM sessions WHERE {live}")).bind(now.as_millis());
        of.push(&mut count);
        let total = count.fetch_one(&mut transaction).await?.get("total")?;
        let mut page = sql(format!("SELECT {COLUMNS} FROM sessions WHERE {live}")).bind(now.as_millis());
        of.push(&mut page);
        page.push(" ORDER BY created_at DESC, id LIMIT ");
        page.push_bound(limit);
        page.push(" OFFSET ");
        page.push_bound(offset);
        let rows = page.fetch_all(&mut transaction).await?;
        Ok((rows.iter().map(session_row).collect::<Result<_, _>>()?, total))
    }

    /// Ends live sessions for an administrator, each with its row of the audit log in the same transaction; tells how many.
    /// Many are ended some at a time, so that no other write waits long; when it fails in between, those before have ended.
    pub async fn revoke_sessions(&self, which: Revoke<'_>, now: Timestamp) -> Result<u64, Error> {
        let mut revoked = 0;
        loop {
            let mut transaction = self.database.begin("revocation").await?;
            let text = format!(
                "UPDATE sessions SET ended_at = $2, end_reason = $1 WHERE ended_at IS NULL AND id IN
                    (SELECT id FROM sessions WHERE {LIVE}"
            );
            let mut end = sql(text).bind(EndReason::Revoked.as_str()).bind(now.as_millis());
            match which {
                Revoke::One(id) => {
                    end.push(" AND id = ");
                    end.push_bound(id);
                }
                Revoke::Of(of) => of.push(&mut end),
            }
            // In one order, so that two who do the same do not wait for each other.
            end.push(" ORDER BY id LIMIT ");
            end.push_bound(AT_ONCE);
            end.push(&format!(") RETURNING {COLUMNS}"));
            let ended = end.fetch_all(&mut transaction).await?;
            note_ended(&mut transaction, &ended, EndReason::Revoked, now).await?;
            transaction.commit().await?;
            revoked += ended.len() as u64;
            if (ended.len() as u64) < AT_ONCE.unsigned_abs() {
                return Ok(revoked);
            }
        }
    }
}
