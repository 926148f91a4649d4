//! Which account a member is bound to. The table's key, (corp_id, user_key), is what makes one account of many first
//! sign-ins at once: whoever comes second finds the first one's.

use wecom_login_model::{Account, AccountId, CorpId, MemberRef, Timestamp, UserId, Username};

use crate::accounts::{COLUMNS, account, insert};
use crate::audit::note;
use crate::database::{On, PEOPLE, Transaction, sql};
use crate::sessions::end_sessions_of;
use crate::{AuditEntry, AuditEvent, EndReason, Error, NewAccount, Store};

/// How a binding came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundBy {
    /// The first sign-in made the account.
    Registered,
    /// The first sign-in found the account by a value that WeCom returned.
    Matched,
    /// The person was signed in and proved another member.
    Member,
    /// An administrator.
    Administrator,
    /// An import.
    Import,
}

impl BoundBy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Matched => "matched",
            Self::Member => "member",
            Self::Administrator => "administrator",
            Self::Import => "import",
        }
    }
}

/// What an account is looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchOn {
    /// The name, against the userId, without case.
    Username,
    /// The mobile number, to the letter.
    Mobile,
    /// The e-mail address, without case.
    Email,
}

/// What a search for an account to attach to came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    /// The member is bound, now or already, to this account.
    Account(Account),
    /// No account has the value.
    None,
    /// Several have it.
    Several,
    /// The one that has it is bound to somebody.
    Taken,
    /// The one that has it is kept from being found.
    Barred,
}

/// What became of a binding by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// The member is bound to the account, now or already.
    Done,
    /// There is no such account.
    NoAccount,
    /// The member is bound to this account.
    Elsewhere(Username),
}

impl Store {
    /// The account that the member is bound to.
    pub async fn account_of_member(
        &self,
        corp_id: &CorpId,
        user_id: &UserId,
    ) -> Result<Option<Account>, Error> {
        account_of(self.database.reader(), corp_id, user_id).await
    }

    /// The account that the member is bound to; made, and named after the userId, if there is none. Of many at once one
    /// makes it.
    pub async fn register(&self, member: &MemberRef, now: Timestamp) -> Result<Account, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        if let Some(account) = account_of(&mut transaction, &member.corp_id, &member.user_id).await? {
            return Ok(account);
        }
        let mut attempt = 1;
        let account = loop {
            let username = Username::of_member(&member.user_id, attempt);
            let new = NewAccount { username, mobile: String::new(), email: String::new(), member: None };
            if let Some(account) = insert(&mut transaction, &new, now).await? {
                break account;
            }
            attempt += 1;
        };
        bind(&mut transaction, member, account.id, BoundBy::Registered, now).await?;
        transaction.commit().await?;
        Ok(account)
    }

    /// Binds the member to the one account that has the value, if nobody is bound to it and its name is not among
    /// `barred` (in lower case).
    pub async fn attach(
        &self,
        member: &MemberRef,
        on: MatchOn,
        value: &str,
        barred: &[String],
        now: Timestamp,
    ) -> Result<Matched, Error> {
        let (column, value) = match on {
            MatchOn::Username => ("username_key", value.to_ascii_lowercase()),
            MatchOn::Mobile => ("mobile", value.to_owned()),
            MatchOn::Email => ("email_key", value.to_ascii_lowercase()),
        };
        let mut transaction = self.database.begin(PEOPLE).await?;
        if let Some(account) = account_of(&mut transaction, &member.corp_id, &member.user_id).await? {
            return Ok(Matched::Account(account));
        }
        if value.is_empty() {
            return Ok(Matched::None);
        }
        let rows = sql(format!("SELECT {COLUMNS} FROM accounts WHERE {column} = $1 LIMIT 2"))
            .bind(value)
            .fetch_all(&mut transaction)
            .await?;
        let found = match rows.as_slice() {
            [] => return Ok(Matched::None),
            [row] => account(row)?,
            _ => return Ok(Matched::Several),
        };
        if barred.contains(&found.username.folded()) {
            return Ok(Matched::Barred);
        }
        let taken = sql("SELECT 1 FROM bindings WHERE account_id = $1 LIMIT 1")
            .bind(found.id.0)
            .fetch_optional(&mut transaction)
            .await?;
        if taken.is_some() {
            return Ok(Matched::Taken);
        }
        bind(&mut transaction, member, found.id, BoundBy::Matched, now).await?;
        transaction.commit().await?;
        Ok(Matched::Account(found))
    }

    /// Binds the member to an account, unless the member is bound to another one.
    pub async fn bind_member(
        &self,
        member: &MemberRef,
        account_id: AccountId,
        bound_by: BoundBy,
        now: Timestamp,
    ) -> Result<Bound, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let exists = sql("SELECT 1 FROM accounts WHERE id = $1")
            .bind(account_id.0)
            .fetch_optional(&mut transaction)
            .await?;
        if exists.is_none() {
            return Ok(Bound::NoAccount);
        }
        if bind(&mut transaction, member, account_id, bound_by, now).await? {
            transaction.commit().await?;
            return Ok(Bound::Done);
        }
        match account_of(&mut transaction, &member.corp_id, &member.user_id).await? {
            Some(account) if account.id != account_id => Ok(Bound::Elsewhere(account.username)),
            _ => Ok(Bound::Done),
        }
    }

    /// The account of a name.
    pub async fn account_named(&self, username: &Username) -> Result<Option<Account>, Error> {
        let row = sql(format!("SELECT {COLUMNS} FROM accounts WHERE username_key = $1"))
            .bind(username.folded())
            .fetch_optional(self.database.reader())
            .await?;
        row.as_ref().map(account).transpose()
    }

    /// Unties the member from its account and ends the sessions that it has, both or neither; false when it was bound to
    /// none. The account stays.
    pub async fn unbind_member(&self, member: &MemberRef, now: Timestamp) -> Result<bool, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let gone = sql("DELETE FROM bindings WHERE corp_id = $1 AND user_key = $2")
            .bind(member.corp_id.as_str())
            .bind(member.user_id.folded())
            .execute(&mut transaction)
            .await?;
        if gone == 1 {
            let entry = AuditEntry::new(AuditEvent::BindingRemoved, now);
            note(&mut transaction, entry.member(&member.corp_id, &member.user_id)).await?;
        }
        let (corp_id, user_id) = (&member.corp_id, &member.user_id);
        end_sessions_of(&mut transaction, corp_id, user_id, EndReason::Unbound, now).await?;
        transaction.commit().await?;
        Ok(gone == 1)
    }
}

/// Writes the binding; false when the member is bound already.
pub(crate) async fn bind(
    transaction: &mut Transaction,
    member: &MemberRef,
    account_id: AccountId,
    bound_by: BoundBy,
    now: Timestamp,
) -> Result<bool, Error> {
    let bound = sql("INSERT INTO bindings (corp_id, user_key, user_id, account_id, bound_by, bound_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (corp_id, user_key) DO NOTHING")
    .bind(member.corp_id.as_str())
    .bind(member.user_id.folded())
    .bind(member.user_id.as_str())
    .bind(account_id.0)
    .bind(bound_by.as_str())
    .bind(now.as_millis())
    .execute(&mut *transaction)
    .await?;
    if bound == 1 {
        let entry = AuditEntry::new(AuditEvent::BindingMade, now)
            .member(&member.corp_id, &member.user_id)
            .detail("account", account_id.0)
            .detail("by", bound_by.as_str());
        let by_the_member = matches!(bound_by, BoundBy::Registered | BoundBy::Matched | BoundBy::Member);
        note(transaction, if by_the_member { entry.by_the_member() } else { entry }).await?;
    }
    Ok(bound == 1)
}

pub(crate) async fn account_of<'c>(
    on: impl Into<On<'c>>,
    corp_id: &CorpId,
    user_id: &UserId,
) -> Result<Option<Account>, Error> {
    let row = sql(format!(
        "SELECT {COLUMNS} FROM accounts
         WHERE id = (SELECT account_id FROM bindings WHERE corp_id = $1 AND user_key = $2)"
    ))
    .bind(corp_id.as_str())
    .bind(user_id.folded())
    .fetch_optional(on)
    .await?;
    row.as_ref().map(account).transpose()
}
