use std::time::Duration;

use wecom_login_model::{CorpId, Timestamp, UserId};

use crate::database::{Loaded, Transaction, Value, sql};
use crate::{Error, SessionRow, Store};

/// Something that other systems are to be told. Rows are written in the transaction that makes them true and are read
/// in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Grows from row to row.
    pub id: i64,
    /// What happened.
    pub event: OutgoingEvent,
    /// The member's company.
    pub corp_id: CorpId,
    /// The member, in lower case.
    pub user_key: UserId,
    /// When.
    pub happened_at: Timestamp,
}

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutgoingEvent {
    /// The member has left the company, is disabled, or is out of sight for every app.
    MemberLeft,
    /// The member is in the company again.
    MemberReturned,
    /// A session of the member has ended because they left, the company or the visible scope of the session's app; its
    /// public name.
    SessionEnded(String),
}

const MEMBER_LEFT: &str = "member_left";
const MEMBER_RETURNED: &str = "member_returned";
const SESSION_ENDED: &str = "session_ended";

impl Store {
    /// Deletes rows older than `keep`, at most `limit`; tells how many.
    pub async fn purge_outbox(&self, now: Timestamp, keep: Duration, limit: i64) -> Result<u64, Error> {
        sql("DELETE FROM outbox WHERE id IN
             (SELECT id FROM outbox WHERE happened_at < $1 ORDER BY id LIMIT $2)")
        .bind((now - keep).as_millis())
        .bind(limit)
        .execute(self.database.writer())
        .await
    }

    /// The rows after number `after`, `limit` at most.
    pub async fn outbox(&self, after: i64, limit: i64) -> Result<Vec<Outgoing>, Error> {
        let rows = sql("SELECT id, kind, corp_id, user_key, session_id, happened_at FROM outbox
             WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(after)
        .bind(limit)
        .fetch_all(self.database.reader())
        .await?;
        rows.iter()
            .map(|row| {
                let (kind, session) = (row.get::<String>("kind")?, row.get::<Option<String>>("session_id")?);
                Ok(Outgoing {
                    id: row.get("id")?,
                    event: match (kind.as_str(), session) {
                        (MEMBER_LEFT, None) => OutgoingEvent::MemberLeft,
                        (MEMBER_RETURNED, None) => OutgoingEvent::MemberReturned,
                        (SESSION_ENDED, Some(session)) => OutgoingEvent::SessionEnded(session),
                        _ => {
                            let unknown =
                                std::io::Error::other("an unknown kind, or a session that is missing");
                            return Err(Error::corrupt("table outbox, kind", unknown));
                        }
                    },
                    corp_id: CorpId::parse(row.get::<String>("corp_id")?)
                        .map_err(|error| Error::corrupt("table outbox, corp_id", error))?,
                    user_key: UserId::parse(row.get::<String>("user_key")?)
                        .map_err(|error| Error::corrupt("table outbox, user_key", error))?,
                    happened_at: Timestamp::from_millis(row.get("happened_at")?),
                })
            })
            .collect()
    }
}

const ROWS: Loaded =
    Loaded { table: "outbox", columns: &["kind", "corp_id", "user_key", "session_id", "happened_at"] };

/// Notes that these members have left.
pub(crate) async fn note_leavers(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_keys: &[String],
    now: Timestamp,
) -> Result<(), Error> {
    note_members(transaction, MEMBER_LEFT, corp_id, user_keys, now).await
}

/// Notes that these members, who had left, are in the company again.
pub(crate) async fn note_returned(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_keys: &[String],
    now: Timestamp,
) -> Result<(), Error> {
    note_members(transaction, MEMBER_RETURNED, corp_id, user_keys, now).await
}

async fn note_members(
    transaction: &mut Transaction,
    kind: &'static str,
    corp_id: &CorpId,
    user_keys: &[String],
    now: Timestamp,
) -> Result<(), Error> {
    let nothing = || Value::Text(None);
    let values = user_keys.iter().flat_map(|user_key| {
        [kind.into(), corp_id.as_str().into(), user_key.into(), nothing(), now.as_millis().into()]
    });
    transaction.load(ROWS, values.collect()).await
}

/// Notes that these sessions have ended because their members left.
pub(crate) async fn note_ended_sessions(
    transaction: &mut Transaction,
    ended: &[SessionRow],
    now: Timestamp,
) -> Result<(), Error> {
    let values = ended.iter().flat_map(|session| {
        [
            SESSION_ENDED.into(),
            session.corp_id.as_str().into(),
            session.user_key.as_str().into(),
            (&session.id).into(),
            now.as_millis().into(),
        ]
    });
    transaction.load(ROWS, values.collect()).await
}
