//! Members leave: by an event, by the answer to a question about one of them, or because a sync did not see them.
//! Whatever tells it, this is the one way in which it becomes true.

use wecom_login_model::{AgentId, CorpId, Timestamp, UserId};

use crate::audit::note_all;
use crate::database::{PEOPLE, Transaction, sql};
use crate::outbox::note_leavers;
use crate::sessions::{COLUMNS, note_ended};
use crate::{AuditEntry, AuditEvent, EndReason, Error, Store};

/// Members in one statement.
const AT_ONCE: usize = 500;

/// An app that looks at its company.
#[derive(Debug, Clone, Copy)]
pub struct ViewingApp<'a> {
    /// Which one.
    pub agent_id: &'a AgentId,
    /// Full names of the instances by which it is configured: sessions begin through them.
    pub instances: &'a [String],
}

impl Store {
    /// Marks a member as having left the company, whichever app may have seen them, and ends their sessions; all or
    /// nothing. False when there is no such row, or it was marked before.
    pub async fn mark_left(&self, corp_id: &CorpId, user_id: &UserId, now: Timestamp) -> Result<bool, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        for table in ["sightings", "held_removals"] {
            sql(format!("DELETE FROM {table} WHERE corp_id = $1 AND user_key = $2"))
                .bind(corp_id.as_str())
                .bind(user_id.folded())
                .execute(&mut transaction)
                .await?;
        }
        let left = leave(&mut transaction, corp_id, &[user_id.folded()], now).await?;
        transaction.commit().await?;
        Ok(left == 1)
    }

    /// The app asked WeCom for the member by name and was refused: it does not see them any more, and the sessions end
    /// that were begun through it. Whom another app of the company still sees stays; anybody else is marked as having
    /// left, and all their sessions end. True when marked.
    pub async fn out_of_sight(
        &self,
        corp_id: &CorpId,
        app: ViewingApp<'_>,
        user_id: &UserId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let left = lose_sight(&mut transaction, corp_id, app, &[user_id.folded()], now).await?;
        transaction.commit().await?;
        Ok(left == 1)
    }

    /// The same where WeCom has just shown the member to another app of the company: they stay.
    pub async fn seen_elsewhere(
        &self,
        corp_id: &CorpId,
        app: ViewingApp<'_>,
        user_id: &UserId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let keys = [user_id.folded()];
        forget_sight(&mut transaction, corp_id, app.agent_id, &keys).await?;
        sign_out(&mut transaction, corp_id, &keys, Some(app.instances), now).await?;
        transaction.commit().await
    }
}

/// Marks those of `user_keys` who have not left yet, ends all their sessions and writes both to the outbox; tells how
/// many were marked. The rows stay: whoever comes back has the same account.
pub(crate) async fn leave(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_keys: &[String],
    now: Timestamp,
) -> Result<u64, Error> {
    let mut marked = 0;
    for user_keys in user_keys.chunks(AT_ONCE) {
        let mut mark = sql("UPDATE members SET left_at = $1, updated_at = $1
             WHERE corp_id = $2 AND left_at IS NULL AND user_key IN (")
        .bind(now.as_millis())
        .bind(corp_id.as_str())
        .once();
        mark.push_list(user_keys);
        mark.push(") RETURNING user_key");
        let rows = mark.fetch_all(&mut *transaction).await?;
        let mut left = rows.iter().map(|row| row.get("user_key")).collect::<Result<Vec<String>, Error>>()?;
        // RETURNING has no order.
        left.sort_unstable();
        marked += left.len() as u64;
        note_leavers(transaction, corp_id, &left, now).await?;
        let entry = |user_key: String| {
            let user_id =
                UserId::parse(user_key).map_err(|error| Error::corrupt("table members, user_key", error))?;
            Ok(AuditEntry::new(AuditEvent::MemberLeft, now).member(corp_id, &user_id))
        };
        note_all(transaction, left.into_iter().map(entry).collect::<Result<_, Error>>()?).await?;
        // Of those too who were marked before.
        sign_out(transaction, corp_id, user_keys, None, now).await?;
    }
    Ok(marked)
}

/// Ends the sessions of these members, or those of them that were begun `through` some instances.
pub(crate) async fn sign_out(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_keys: &[String],
    through: Option<&[String]>,
    now: Timestamp,
) -> Result<(), Error> {
    if through.is_some_and(<[String]>::is_empty) {
        return Ok(());
    }
    for user_keys in user_keys.chunks(AT_ONCE) {
        let mut end = sql("UPDATE sessions SET ended_at = $1, end_reason = $2
             WHERE corp_id = $3 AND ended_at IS NULL AND user_key IN (")
        .bind(now.as_millis())
        .bind(EndReason::Left.as_str())
        .bind(corp_id.as_str())
        .once();
        end.push_list(user_keys);
        if let Some(instances) = through {
            end.push(") AND instance IN (");
            end.push_list(instances);
        }
        end.push(&format!(") RETURNING {COLUMNS}"));
        let ended = end.fetch_all(&mut *transaction).await?;
        note_ended(transaction, &ended, EndReason::Left, now).await?;
    }
    Ok(())
}

/// The app sees these members no more: the sessions end that were begun through it. Whom no other app sees either leaves;
/// tells how many were marked.
pub(crate) async fn lose_sight(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    app: ViewingApp<'_>,
    user_keys: &[String],
    now: Timestamp,
) -> Result<u64, Error> {
    forget_sight(transaction, corp_id, app.agent_id, user_keys).await?;
    let unseen = seen_by_nobody(transaction, corp_id, user_keys).await?;
    let left = leave(transaction, corp_id, &unseen, now).await?;
    sign_out(transaction, corp_id, user_keys, Some(app.instances), now).await?;
    Ok(left)
}

async fn forget_sight(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    agent_id: &AgentId,
    user_keys: &[String],
) -> Result<(), Error> {
    for user_keys in user_keys.chunks(AT_ONCE) {
        for table in ["sightings", "held_removals"] {
            let text = format!("DELETE FROM {table} WHERE corp_id = $1 AND agent_id = $2 AND user_key IN (");
            let mut delete = sql(text).bind(corp_id.as_str()).bind(agent_id.as_str()).once();
            delete.push_list(user_keys);
            delete.push(")");
            delete.execute(&mut *transaction).await?;
        }
        // What the app has read is of no use to it any more: whoever signs in through it is read again.
        let text = "UPDATE members SET read_by = '' WHERE corp_id = $1 AND read_by = $2 AND user_key IN (";
        let mut forget = sql(text).bind(corp_id.as_str()).bind(agent_id.as_str()).once();
        forget.push_list(user_keys);
        forget.push(")");
        forget.execute(&mut *transaction).await?;
    }
    Ok(())
}

/// Those of `user_keys` whom no app sees.
async fn seen_by_nobody(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_keys: &[String],
) -> Result<Vec<String>, Error> {
    let mut unseen = Vec::new();
    for user_keys in user_keys.chunks(AT_ONCE) {
        let mut seen = sql("SELECT DISTINCT user_key FROM sightings WHERE corp_id = $1 AND user_key IN (")
            .bind(corp_id.as_str())
            .once();
        seen.push_list(user_keys);
        seen.push(")");
        let rows = seen.fetch_all(&mut *transaction).await?;
        let seen = rows.iter().map(|row| row.get("user_key")).collect::<Result<Vec<String>, Error>>()?;
        unseen.extend(user_keys.iter().filter(|key| !seen.contains(key)).cloned());
    }
    Ok(unseen)
}
