//! A member gets another userid (event update_user, NewUserID): everything that is known of them moves, in one transaction.

use wecom_login_model::{CorpId, MemberRef, Timestamp, UserId};

use crate::administrators::hold_first_account;
use crate::database::{PEOPLE, Transaction, sql};
use crate::sessions::{COLUMNS, note_ended};
use crate::visibility::next_number;
use crate::{EndReason, Error, Store, former_bindings};

impl Store {
    /// Moves the member's row, consents, binding and sessions from one userid to another; false when nothing is known of
    /// the former, as when the same event comes twice.
    ///
    /// The row keeps its number. Whatever stood under the new userid, because a sync or a sign-in was faster than the
    /// event, gives way: the old row stays and counts as never read, so that the next use reads it again, and the account
    /// is the one that the person has had. Sessions that were begun for another account end. If a sync has marked the former
    /// userid as having left, the binding has ended, and the next sign-in decides about it.
    pub async fn rename_member(
        &self,
        corp_id: &CorpId,
        from: &UserId,
        to: &UserId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let (old, new) = (from.folded(), to.folded());
        let mut moved = false;
        if old == new {
            // Another spelling of the same userid.
            for table in ["members", "bindings"] {
                moved |= spell(&mut transaction, table, corp_id, &old, to).await?;
            }
            transaction.commit().await?;
            return Ok(moved);
        }
        moved |= move_row(&mut transaction, "members", corp_id, &old, to).await?;
        if moved {
            sql("UPDATE members SET read_at = 0, asked = 0, left_at = NULL, left_number = NULL, left_evidence = NULL,
                    updated_at = $1
                 WHERE corp_id = $2 AND user_key = $3")
            .bind(now.as_millis())
            .bind(corp_id.as_str())
            .bind(&new)
            .execute(&mut transaction)
            .await?;
        }
        if move_row(&mut transaction, "bindings", corp_id, &old, to).await? {
            moved = true;
            let ended = sql(format!(
                "UPDATE sessions SET ended_at = $1, end_reason = $2
                 WHERE corp_id = $3 AND user_key = $4 AND ended_at IS NULL AND (account_id IS NULL OR account_id <>
                    (SELECT account_id FROM bindings WHERE corp_id = $3 AND user_key = $4))
                 RETURNING {COLUMNS}"
            ))
            .bind(now.as_millis())
            .bind(EndReason::Unbound.as_str())
            .bind(corp_id.as_str())
            .bind(&new)
            .fetch_all(&mut transaction)
            .await?;
            note_ended(&mut transaction, &ended, EndReason::Unbound, now).await?;
        }
        former_bindings::rename(&mut transaction, corp_id, &old, to, now).await?;
        let renamed = MemberRef { corp_id: corp_id.clone(), user_id: to.clone() };
        hold_first_account(&mut transaction, &renamed, now).await?;
        // Newer than every sync: none has seen the new userid, and each app is asked for it at the next use.
        let number = next_number(&mut transaction, &self.database).await?;
        sql("DELETE FROM member_visibility WHERE corp_id = $1 AND user_key = $3 AND agent_id IN
                (SELECT agent_id FROM member_visibility WHERE corp_id = $1 AND user_key = $2)")
        .bind(corp_id.as_str())
        .bind(&old)
        .bind(&new)
        .execute(&mut transaction)
        .await?;
        sql("UPDATE member_visibility SET user_key = $3, asked = $4, asked_at = 0 WHERE corp_id = $1 AND user_key = $2")
            .bind(corp_id.as_str())
            .bind(&old)
            .bind(&new)
            .bind(number.0)
            .execute(&mut transaction)
            .await?;
        for text in [
            "DELETE FROM consents WHERE corp_id = $1 AND user_key = $3 AND field IN
                (SELECT field FROM consents WHERE corp_id = $1 AND user_key = $2)",
            "UPDATE consents SET user_key = $3 WHERE corp_id = $1 AND user_key = $2",
            "UPDATE sessions SET user_key = $3 WHERE corp_id = $1 AND user_key = $2",
            "DELETE FROM held_removals WHERE corp_id = $1 AND user_key = $2 AND user_key <> $3",
        ] {
            sql(text).bind(corp_id.as_str()).bind(&old).bind(&new).execute(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(moved)
    }
}

/// Moves the row of a table that has corp_id, user_key and user_id, over one that is there; false when there is none.
async fn move_row(
    transaction: &mut Transaction,
    table: &'static str,
    corp_id: &CorpId,
    old: &str,
    to: &UserId,
) -> Result<bool, Error> {
    sql(format!(
        "DELETE FROM {table} WHERE corp_id = $1 AND user_key = $2
            AND EXISTS (SELECT 1 FROM {table} WHERE corp_id = $1 AND user_key = $3)"
    ))
    .bind(corp_id.as_str())
    .bind(to.folded())
    .bind(old)
    .execute(&mut *transaction)
    .await?;
    spell(transaction, table, corp_id, old, to).await
}

async fn spell(
    transaction: &mut Transaction,
    table: &'static str,
    corp_id: &CorpId,
    old: &str,
    to: &UserId,
) -> Result<bool, Error> {
    let written =
        sql(format!("UPDATE {table} SET user_key = $1, user_id = $2 WHERE corp_id = $3 AND user_key = $4"))
            .bind(to.folded())
            .bind(to.as_str())
            .bind(corp_id.as_str())
            .bind(old)
            .execute(transaction)
            .await?;
    Ok(written == 1)
}
