//! Members leave: by an event, by WeCom's answers about one of them, or because a sync did not see them. Whatever says so, this
//! is the one way in which it becomes true.

use wecom_login_model::{AgentId, CorpId, MemberStatus, Timestamp, UserId};

use crate::audit::note_all;
use crate::database::{Transaction, sql};
use crate::former_bindings::leave_accounts;
use crate::outbox::note_leavers;
use crate::sessions::{COLUMNS, note_ended};
use crate::visibility::ReadNumber;
use crate::{AuditEntry, AuditEvent, EndReason, Error};

/// Members in one statement.
const AT_ONCE: usize = 500;

/// Why a member counts as having left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftEvidence {
    /// WeCom says that the member was deleted: an event, status 5, or the list of all userids without them.
    Deleted,
    /// No app sees the member, or they are disabled. WeCom gives the same answer about members who are deleted and about
    /// members who are outside the visible scope.
    Unseen,
}

impl LeftEvidence {
    /// The word as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Unseen => "unseen",
        }
    }

    /// The evidence of a status that bars a member.
    pub(crate) fn of_status(status: Option<MemberStatus>) -> Self {
        if status == Some(MemberStatus::Left) { Self::Deleted } else { Self::Unseen }
    }
}

/// How members are marked as having left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marked {
    pub(crate) evidence: LeftEvidence,
    /// The number of the answer or event that says so: an older answer does not undo it.
    pub(crate) number: ReadNumber,
    pub(crate) now: Timestamp,
}

/// Marks those of `user_keys` who have not left yet, ends all their sessions and writes both to the outbox; returns how
/// many were marked. The rows stay, with the number of the event and without contact data: that is the person's, and the next
/// person with the userid may not have it. Bindings end; see [`crate::former_bindings`].
pub(crate) async fn leave(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_keys: &[String],
    marked: Marked,
) -> Result<u64, Error> {
    let now = marked.now;
    let mut total = 0;
    for user_keys in user_keys.chunks(AT_ONCE) {
        let mut mark =
            sql("UPDATE members SET left_at = $1, left_number = $3, left_evidence = $4, updated_at = $1,
                mobile = '', email = '', biz_mail = '', avatar = '',
                gender = CASE gender WHEN '0' THEN '0' ELSE '' END
             WHERE corp_id = $2 AND left_at IS NULL AND user_key IN (")
            .bind(now.as_millis())
            .bind(corp_id.as_str())
            .bind(marked.number.0)
            .bind(marked.evidence.as_str())
            .once();
        mark.push_list(user_keys);
        mark.push(") RETURNING user_key");
        let rows = mark.fetch_all(&mut *transaction).await?;
        let mut left = rows.iter().map(|row| row.get("user_key")).collect::<Result<Vec<String>, Error>>()?;
        // RETURNING has no order.
        left.sort_unstable();
        total += left.len() as u64;
        if marked.evidence == LeftEvidence::Deleted {
            deleted_again(transaction, corp_id, user_keys, marked).await?;
        }
        note_leavers(transaction, corp_id, &left, now).await?;
        let entry = |user_key: String| {
            let user_id =
                UserId::parse(user_key).map_err(|error| Error::corrupt("table members, user_key", error))?;
            Ok(AuditEntry::new(AuditEvent::MemberLeft, now)
                .member(corp_id, &user_id)
                .detail("evidence", marked.evidence.as_str()))
        };
        note_all(transaction, left.into_iter().map(entry).collect::<Result<_, Error>>()?).await?;
        leave_accounts(transaction, corp_id, user_keys, marked.evidence, now).await?;
        // Also of those who were marked before.
        sign_out(transaction, corp_id, user_keys, None, now).await?;
    }
    Ok(total)
}

/// Stronger evidence about members who have left already counts: no older answer brings them back.
async fn deleted_again(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_keys: &[String],
    marked: Marked,
) -> Result<(), Error> {
    let mut mark = sql("UPDATE members SET left_number = $1, left_evidence = $2
         WHERE corp_id = $3 AND left_at IS NOT NULL AND COALESCE(left_number, 0) < $1 AND user_key IN (")
    .bind(marked.number.0)
    .bind(marked.evidence.as_str())
    .bind(corp_id.as_str())
    .once();
    mark.push_list(user_keys);
    mark.push(")");
    mark.execute(&mut *transaction).await?;
    // No app sees a member who was deleted.
    let mut unseen = sql("UPDATE member_visibility SET answer = 0, asked = $1, asked_at = $2
         WHERE corp_id = $3 AND answer = 1 AND asked < $1 AND user_key IN (")
    .bind(marked.number.0)
    .bind(marked.now.as_millis())
    .bind(corp_id.as_str())
    .once();
    unseen.push_list(user_keys);
    unseen.push(")");
    unseen.execute(transaction).await?;
    Ok(())
}

/// Ends the sessions of these members, or those of them that were begun `through` an app.
pub(crate) async fn sign_out(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_keys: &[String],
    through: Option<&AgentId>,
    now: Timestamp,
) -> Result<(), Error> {
    for user_keys in user_keys.chunks(AT_ONCE) {
        let mut end = sql("UPDATE sessions SET ended_at = $1, end_reason = $2
             WHERE corp_id = $3 AND ended_at IS NULL AND user_key IN (")
        .bind(now.as_millis())
        .bind(EndReason::Left.as_str())
        .bind(corp_id.as_str())
        .once();
        end.push_list(user_keys);
        end.push(")");
        if let Some(agent_id) = through {
            end.push(" AND agent_id = ");
            end.push_bound(agent_id.as_str());
        }
        end.push(&format!(" RETURNING {COLUMNS}"));
        let ended = end.fetch_all(&mut *transaction).await?;
        note_ended(transaction, &ended, EndReason::Left, now).await?;
    }
    Ok(())
}
