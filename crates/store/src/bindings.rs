//! Which account a member is bound to. The table's key, (corp_id, user_key), is what makes one account of many first
//! sign-ins at once: whoever comes second finds the first one's.

use serde::{Deserialize, Serialize};
use wecom_login_model::{Account, AccountId, CorpId, MemberRef, Timestamp, UserId, Username};

use crate::accounts::{COLUMNS, account, insert};
use crate::administrators::hold_first_account;
use crate::audit::note;
use crate::database::{On, PEOPLE, Transaction, sql};
use crate::former_bindings::{Returned, Unsettled, end_bindings, give_up, returned, settle, unsettled};
use crate::sessions::{self, LIVE, end_sessions_of, session_row};
use crate::{
    AccountRule, AuditEntry, AuditEvent, BindingEnd, EndReason, Error, NewAccount, SessionRow, Store,
};

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
    /// The member left, came back and signed in: they have their former account again.
    Returned,
}

impl BoundBy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Matched => "matched",
            Self::Member => "member",
            Self::Administrator => "administrator",
            Self::Import => "import",
            Self::Returned => "returned",
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

/// Why a member has no account and gets none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoAccount {
    /// The instance searches for none.
    NotLookedFor,
    /// WeCom gave no value to search for, or no account has it.
    NoMatch,
    /// Several accounts have the value.
    Several,
    /// The account with the value is bound to another member, or was until that member left.
    Taken,
    /// The account with the value is an administrator's.
    Administrators,
    /// An administrator has unbound the member from the account with the value.
    Unbound,
    /// The member left and came back, and the setting `rehire` asks an administrator whose account it is.
    Unconfirmed,
    /// The sign-in did not ask WeCom for the value, because the member had an account then.
    NotAsked,
}

/// The account of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFor {
    /// The account.
    pub account: Account,
    /// True if it was created for the member.
    pub is_new: bool,
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
    /// The member has left the company.
    Left,
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

    /// The account of a member, as [`AccountRule`] decides it: the one that they are bound to, or else one that is found or
    /// created. Of many at once one creates it.
    pub async fn account_for(
        &self,
        member: &MemberRef,
        rule: &AccountRule<'_>,
        now: Timestamp,
    ) -> Result<Result<AccountFor, NoAccount>, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let decided = account_for(&mut transaction, member, rule, now).await?;
        transaction.commit().await?;
        Ok(decided)
    }

    /// Binds the member to the account of a session that is active at this moment, unless the member is bound to another one.
    /// `None` if the session is not active or has another account.
    pub async fn bind_in_session(
        &self,
        member: &MemberRef,
        account_id: AccountId,
        session_id: &str,
        now: Timestamp,
    ) -> Result<Option<(Bound, SessionRow)>, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let row = sql(format!(
            "SELECT {columns} FROM sessions WHERE id = $1 AND {LIVE} AND account_id = $3 {for_update}",
            columns = sessions::COLUMNS,
            for_update = transaction.for_update("sessions"),
        ))
        .bind(session_id)
        .bind(now.as_millis())
        .bind(account_id.0)
        .fetch_optional(&mut transaction)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let bound = bind_unless_elsewhere(&mut transaction, member, account_id, BoundBy::Member, now).await?;
        if bound == Bound::Done {
            transaction.commit().await?;
        }
        Ok(Some((bound, session_row(&row)?)))
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
        let bound = bind_unless_elsewhere(&mut transaction, member, account_id, bound_by, now).await?;
        if bound == Bound::Done {
            transaction.commit().await?;
        }
        Ok(bound)
    }

    /// True if a member is bound to the account.
    pub async fn is_bound(&self, account_id: AccountId) -> Result<bool, Error> {
        let row = sql("SELECT 1 FROM bindings WHERE account_id = $1 LIMIT 1")
            .bind(account_id.0)
            .fetch_optional(self.database.reader())
            .await?;
        Ok(row.is_some())
    }

    /// The account of a name.
    pub async fn account_named(&self, username: &Username) -> Result<Option<Account>, Error> {
        let row = sql(format!("SELECT {COLUMNS} FROM accounts WHERE username_key = $1"))
            .bind(username.folded())
            .fetch_optional(self.database.reader())
            .await?;
        row.as_ref().map(account).transpose()
    }

    /// Unbinds the member for an administrator and ends their sessions, in one transaction; false if they were bound to no
    /// account. The account stays, and no search finds it for this member again. A member who has left does not get their
    /// former account again.
    pub async fn unbind_member(&self, member: &MemberRef, now: Timestamp) -> Result<bool, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let keys = [member.user_id.folded()];
        let ended = end_bindings(&mut transaction, &member.corp_id, &keys, BindingEnd::Unbound, now).await?;
        let is_unbound = ended == 1 || give_up(&mut transaction, member, now).await?;
        if is_unbound {
            let entry = AuditEntry::new(AuditEvent::BindingRemoved, now);
            note(&mut transaction, entry.member(&member.corp_id, &member.user_id)).await?;
        }
        let (corp_id, user_id) = (&member.corp_id, &member.user_id);
        end_sessions_of(&mut transaction, corp_id, user_id, EndReason::Unbound, now).await?;
        transaction.commit().await?;
        Ok(is_unbound)
    }
}

/// The account that the member is bound to, or else the one that they had before they left, or else the one that the rule finds
/// or creates.
pub(crate) async fn account_for(
    transaction: &mut Transaction,
    member: &MemberRef,
    rule: &AccountRule<'_>,
    now: Timestamp,
) -> Result<Result<AccountFor, NoAccount>, Error> {
    if let Some(account) = account_of(&mut *transaction, &member.corp_id, &member.user_id).await? {
        return Ok(Ok(AccountFor { account, is_new: false }));
    }
    let former = unsettled(transaction, member).await?;
    if let Some(last) = former.iter().find(|binding| binding.reason != BindingEnd::Unbound) {
        match returned(transaction, member, last, rule.rehire, now).await? {
            Returned::SamePerson => {
                let account = account_with(transaction, last.account_id).await?;
                bind(transaction, member, account.id, BoundBy::Returned, now).await?;
                return Ok(Ok(AccountFor { account, is_new: false }));
            }
            Returned::Unconfirmed => return Ok(Err(NoAccount::Unconfirmed)),
            Returned::AnotherPerson => {}
        }
    }
    let none = match rule.find_by {
        None => NoAccount::NotLookedFor,
        // Whether the search would find an account is not known: neither it nor a new one is right.
        Some((_, None)) => return Ok(Err(NoAccount::NotAsked)),
        Some((on, Some(value))) => {
            match find(transaction, &member.corp_id, (on, value), rule.barred, &former).await? {
                Ok(account) => {
                    bind(transaction, member, account.id, BoundBy::Matched, now).await?;
                    return Ok(Ok(AccountFor { account, is_new: false }));
                }
                Err(none) => none,
            }
        }
    };
    if !rule.register {
        return Ok(Err(none));
    }
    let account = register(transaction, member, now).await?;
    Ok(Ok(AccountFor { account, is_new: true }))
}

/// The one account of the company, or of every company, that has the value, if it is not barred, nobody is bound to it or was until they left, and no administrator
/// has unbound the member from it.
async fn find(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    (on, value): (MatchOn, &str),
    barred: &[String],
    former: &[Unsettled],
) -> Result<Result<Account, NoAccount>, Error> {
    let (column, value) = match on {
        MatchOn::Username => ("username_key", value.to_ascii_lowercase()),
        MatchOn::Mobile => ("mobile", value.to_owned()),
        MatchOn::Email => ("email_key", value.to_ascii_lowercase()),
    };
    if value.is_empty() {
        return Ok(Err(NoAccount::NoMatch));
    }
    let rows =
        sql(format!("SELECT {COLUMNS} FROM accounts WHERE {column} = $1 AND corp_id IN ('', $2) LIMIT 2"))
            .bind(value)
            .bind(corp_id.as_str())
            .fetch_all(&mut *transaction)
            .await?;
    let found = match rows.as_slice() {
        [] => return Ok(Err(NoAccount::NoMatch)),
        [row] => account(row)?,
        _ => return Ok(Err(NoAccount::Several)),
    };
    if barred.contains(&found.username.folded()) {
        return Ok(Err(NoAccount::Administrators));
    }
    let row = sql("SELECT EXISTS (SELECT 1 FROM administrators WHERE account_id = $1) AS administrators,
            EXISTS (SELECT 1 FROM bindings WHERE account_id = $1)
                OR EXISTS (SELECT 1 FROM former_bindings WHERE account_id = $1 AND reason <> 'unbound') AS taken")
    .bind(found.id.0)
    .fetch_one(transaction)
    .await?;
    Ok(if row.get("administrators")? {
        Err(NoAccount::Administrators)
    } else if row.get("taken")? {
        Err(NoAccount::Taken)
    } else if former.iter().any(|binding| binding.account_id == found.id) {
        Err(NoAccount::Unbound)
    } else {
        Ok(found)
    })
}

/// Creates an account, named after the userId, and binds the member to it.
async fn register(
    transaction: &mut Transaction,
    member: &MemberRef,
    now: Timestamp,
) -> Result<Account, Error> {
    let mut attempt = 1;
    let account = loop {
        let username = Username::of_member(&member.user_id, attempt);
        let company = Some(member.corp_id.clone());
        let new = NewAccount { username, mobile: String::new(), email: String::new(), company, member: None };
        if let Some(account) = insert(transaction, &new, now).await? {
            break account;
        }
        attempt += 1;
    };
    bind(transaction, member, account.id, BoundBy::Registered, now).await?;
    Ok(account)
}

async fn bind_unless_elsewhere(
    transaction: &mut Transaction,
    member: &MemberRef,
    account_id: AccountId,
    bound_by: BoundBy,
    now: Timestamp,
) -> Result<Bound, Error> {
    let exists = sql("SELECT 1 FROM accounts WHERE id = $1")
        .bind(account_id.0)
        .fetch_optional(&mut *transaction)
        .await?;
    if exists.is_none() {
        return Ok(Bound::NoAccount);
    }
    // The binding would go to the next person with the userid.
    if has_left(transaction, member).await? {
        return Ok(Bound::Left);
    }
    if bind(transaction, member, account_id, bound_by, now).await? {
        return Ok(Bound::Done);
    }
    match account_of(transaction, &member.corp_id, &member.user_id).await? {
        Some(account) if account.id != account_id => Ok(Bound::Elsewhere(account.username)),
        _ => Ok(Bound::Done),
    }
}

/// True if the member is marked as having left.
pub(crate) async fn has_left(transaction: &mut Transaction, member: &MemberRef) -> Result<bool, Error> {
    let left = sql("SELECT 1 FROM members WHERE corp_id = $1 AND user_key = $2 AND left_at IS NOT NULL")
        .bind(member.corp_id.as_str())
        .bind(member.user_id.folded())
        .fetch_optional(transaction)
        .await?;
    Ok(left.is_some())
}

/// Writes the binding, which settles what was undecided about the member's former ones; false when the member is bound already.
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
        let mut entry = AuditEntry::new(AuditEvent::BindingMade, now)
            .member(&member.corp_id, &member.user_id)
            .detail("account", account_id.0)
            .detail("by", bound_by.as_str());
        let former = settle(transaction, member, account_id, now).await?;
        if !former.is_empty() {
            entry = entry.detail("formerAccounts", former);
        }
        if hold_first_account(transaction, member, now).await? {
            entry = entry.detail("administrator", true);
        }
        let by_the_member = !matches!(bound_by, BoundBy::Administrator | BoundBy::Import);
        note(transaction, if by_the_member { entry.by_the_member() } else { entry }).await?;
    }
    Ok(bound == 1)
}

async fn account_with(transaction: &mut Transaction, id: AccountId) -> Result<Account, Error> {
    let row = sql(format!("SELECT {COLUMNS} FROM accounts WHERE id = $1"))
        .bind(id.0)
        .fetch_one(transaction)
        .await?;
    account(&row)
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
