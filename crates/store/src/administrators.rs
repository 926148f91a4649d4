//! Which account an entry of the setting `admins` stands for. A userid is given to the next person when its owner leaves; an
//! account is not. An entry takes hold of the account that the member is bound to, or of the first one that they get. From then
//! on only an administrator of the server moves it.

use serde::Serialize;
use wecom_login_model::{AccountId, MemberRef, Timestamp, Username};

use crate::accounts::member;
use crate::audit::note;
use crate::bindings::account_of;
use crate::database::{PEOPLE, Row, Transaction, sql};
use crate::{AuditEntry, AuditEvent, Error, Store};

/// An entry with its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdministratorRow {
    /// The listed member.
    #[serde(flatten)]
    pub member: MemberRef,
    /// The account that the entry stands for; `None` before the member has one.
    pub account: Option<Username>,
    /// The account that the member is bound to now.
    pub bound_to: Option<Username>,
    /// When the entry was last confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// When WeCom said that the member is deleted. The entry gives no rights until it is confirmed.
    pub suspended_at: Option<Timestamp>,
}

impl AdministratorRow {
    /// An entry that no server has seen yet.
    pub fn new(member: MemberRef, bound_to: Option<Username>) -> Self {
        Self { member, account: None, bound_to, confirmed_at: None, suspended_at: None }
    }

    /// True if the member administers as soon as they sign in.
    pub fn is_in_force(&self) -> bool {
        self.suspended_at.is_none() && self.account.is_some() && self.account == self.bound_to
    }
}

/// The result of confirming an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// The entry stands for this account.
    Done(Username),
    /// The member is bound to no account.
    NotBound,
}

impl Store {
    /// Gives every entry that is new its account: the one that the member is bound to, or was bound to when they left,
    /// otherwise the first one that the member gets.
    pub async fn hold_administrators(&self, admins: &[MemberRef], now: Timestamp) -> Result<(), Error> {
        if admins.is_empty() {
            return Ok(());
        }
        let mut transaction = self.database.begin(PEOPLE).await?;
        for admin in admins {
            sql("INSERT INTO administrators (corp_id, user_key, user_id, account_id, held_at)
                 SELECT $1, $2, $3, found.account_id, CASE WHEN found.account_id IS NOT NULL THEN $4 END
                 FROM (SELECT COALESCE(
                    (SELECT account_id FROM bindings WHERE corp_id = $1 AND user_key = $2),
                    (SELECT account_id FROM former_bindings
                     WHERE corp_id = $1 AND user_key = $2 AND settled_at IS NULL AND reason <> 'unbound'
                     ORDER BY ended_at DESC LIMIT 1)) AS account_id) AS found
                 WHERE TRUE ON CONFLICT (corp_id, user_key) DO NOTHING")
            .bind(admin.corp_id.as_str())
            .bind(admin.user_id.folded())
            .bind(admin.user_id.as_str())
            .bind(now.as_millis())
            .execute(&mut transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// True if the member's entry stands for this account and is in force.
    pub async fn is_administrators_account(
        &self,
        member: &MemberRef,
        account_id: AccountId,
    ) -> Result<bool, Error> {
        let row = sql("SELECT 1 FROM administrators
             WHERE corp_id = $1 AND user_key = $2 AND account_id = $3 AND suspended_at IS NULL")
        .bind(member.corp_id.as_str())
        .bind(member.user_id.folded())
        .bind(account_id.0)
        .fetch_optional(self.database.reader())
        .await?;
        Ok(row.is_some())
    }

    /// Gives the member's entry the account that they are bound to now.
    pub async fn confirm_administrator(&self, admin: &MemberRef, now: Timestamp) -> Result<Confirmed, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let Some(account) = account_of(&mut transaction, &admin.corp_id, &admin.user_id).await? else {
            return Ok(Confirmed::NotBound);
        };
        sql("INSERT INTO administrators (corp_id, user_key, user_id, account_id, held_at, confirmed_at)
             VALUES ($1, $2, $3, $4, $5, $5)
             ON CONFLICT (corp_id, user_key) DO UPDATE SET account_id = excluded.account_id,
                user_id = excluded.user_id, held_at = excluded.held_at, confirmed_at = excluded.confirmed_at,
                suspended_at = NULL")
        .bind(admin.corp_id.as_str())
        .bind(admin.user_id.folded())
        .bind(admin.user_id.as_str())
        .bind(account.id.0)
        .bind(now.as_millis())
        .execute(&mut transaction)
        .await?;
        let entry = AuditEntry::new(AuditEvent::AdministratorConfirmed, now)
            .member(&admin.corp_id, &admin.user_id)
            .detail("account", account.id.0);
        note(&mut transaction, entry).await?;
        transaction.commit().await?;
        Ok(Confirmed::Done(account.username))
    }

    /// The entries that have ever been in the setting, by company and userid.
    pub async fn administrators(&self) -> Result<Vec<AdministratorRow>, Error> {
        let rows = sql("SELECT a.corp_id, a.user_id, a.confirmed_at, a.suspended_at,
                held.username AS account, bound.username AS bound_to
             FROM administrators AS a LEFT JOIN accounts AS held ON held.id = a.account_id
             LEFT JOIN bindings AS b ON b.corp_id = a.corp_id AND b.user_key = a.user_key
             LEFT JOIN accounts AS bound ON bound.id = b.account_id
             ORDER BY a.corp_id, a.user_key")
        .fetch_all(self.database.reader())
        .await?;
        rows.iter().map(administrator).collect()
    }
}

/// The member has got an account: an entry that waits for their first one takes hold of it. True if one did.
pub(crate) async fn hold_first_account(
    transaction: &mut Transaction,
    who: &MemberRef,
    now: Timestamp,
) -> Result<bool, Error> {
    let held = sql("UPDATE administrators SET held_at = $3, account_id =
            (SELECT account_id FROM bindings WHERE corp_id = $1 AND user_key = $2)
         WHERE corp_id = $1 AND user_key = $2 AND account_id IS NULL AND suspended_at IS NULL")
    .bind(who.corp_id.as_str())
    .bind(who.user_id.folded())
    .bind(now.as_millis())
    .execute(transaction)
    .await?;
    Ok(held == 1)
}

fn administrator(row: &Row) -> Result<AdministratorRow, Error> {
    let username = |column: &str| {
        let text: Option<String> = row.get(column)?;
        text.map(|text| {
            Username::parse(text).map_err(|error| Error::corrupt("table accounts, username", error))
        })
        .transpose()
    };
    let moment =
        |column: &str| row.get::<Option<i64>>(column).map(|millis| millis.map(Timestamp::from_millis));
    Ok(AdministratorRow {
        member: member(row)?,
        account: username("account")?,
        bound_to: username("bound_to")?,
        confirmed_at: moment("confirmed_at")?,
        suspended_at: moment("suspended_at")?,
    })
}
