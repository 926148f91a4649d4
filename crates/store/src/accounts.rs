//! Accounts: made by a first sign-in, or by an import.

use std::collections::HashMap;

use serde::Serialize;
use wecom_login_model::{Account, AccountId, CorpId, MemberRef, Timestamp, UserId, Username};

use crate::bindings::{account_of, bind, has_left};
use crate::database::{PEOPLE, Row, Transaction, sql};
use crate::former_bindings::{former_member, unsettled};
use crate::{BindingEnd, BoundBy, Error, FormerMember, Store};

pub(crate) const COLUMNS: &str = "id, username, mobile, email, created_at, updated_at";

/// What an import says of an account; `""` is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The name.
    pub username: Username,
    /// Mobile number.
    pub mobile: String,
    /// E-mail address.
    pub email: String,
    /// Only sign-ins of this company's members find the account; `None` for every company.
    pub company: Option<CorpId>,
    /// The member to bind to it, who is of that company.
    pub member: Option<MemberRef>,
}

/// What became of an imported account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// There was none of that name.
    Created,
    /// There was one, and the import told something new about it.
    Updated,
    /// There was one, and all that the import tells was known.
    Unchanged,
    /// Nothing was written: the member is bound to this account.
    BoundElsewhere(Username),
    /// Nothing was written: the member has left, or is back and has not signed in yet.
    Left,
    /// Nothing was written: an administrator has unbound the member from the account.
    Unbound,
}

/// An account with the members that are bound to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountRow {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// Only sign-ins of this company's members find the account; `None` for every company.
    #[serde(rename = "corpId", skip_serializing_if = "Option::is_none")]
    pub company: Option<CorpId>,
    /// The members, by company and userId.
    pub members: Vec<MemberRef>,
    /// Members who were bound to it until they left or were unbound, by company and userId.
    #[serde(rename = "formerMembers")]
    pub former_members: Vec<FormerMember>,
}

impl Store {
    /// The account of a number.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, Error> {
        let row = sql(format!("SELECT {COLUMNS} FROM accounts WHERE id = $1"))
            .bind(id.0)
            .fetch_optional(self.database.reader())
            .await?;
        row.as_ref().map(account).transpose()
    }

    /// A page of the accounts by number, with their members, and how many there are in all.
    pub async fn accounts(&self, offset: i64, limit: i64) -> Result<(Vec<AccountRow>, i64), Error> {
        // One transaction sees one state of the three tables.
        let mut transaction = self.database.snapshot().await?;
        let total =
            sql("SELECT COUNT(*) AS total FROM accounts").fetch_one(&mut transaction).await?.get("total")?;
        let rows = sql(format!("SELECT {COLUMNS}, corp_id FROM accounts ORDER BY id LIMIT $1 OFFSET $2"))
            .bind(limit)
            .bind(offset)
            .fetch_all(&mut transaction)
            .await?;
        let accounts: Vec<(Account, Option<CorpId>)> =
            rows.iter().map(|row| Ok((account(row)?, company_of(row)?))).collect::<Result<_, Error>>()?;
        let (first, last) = match (accounts.first(), accounts.last()) {
            (Some((first, _)), Some((last, _))) => (first.id.0, last.id.0),
            _ => return Ok((Vec::new(), total)),
        };
        let bound =
            sql("SELECT corp_id, user_id, account_id FROM bindings WHERE account_id BETWEEN $1 AND $2
             ORDER BY corp_id, user_key")
            .bind(first)
            .bind(last)
            .fetch_all(&mut transaction)
            .await?;
        let mut members: HashMap<i64, Vec<MemberRef>> = HashMap::new();
        for row in &bound {
            members.entry(row.get("account_id")?).or_default().push(member(row)?);
        }
        let ended = sql(
            "SELECT corp_id, user_id, account_id, name, reason, ended_at, settled_at FROM former_bindings
             WHERE account_id BETWEEN $1 AND $2 ORDER BY corp_id, user_key",
        )
        .bind(first)
        .bind(last)
        .fetch_all(&mut transaction)
        .await?;
        let mut former: HashMap<i64, Vec<FormerMember>> = HashMap::new();
        for row in &ended {
            former.entry(row.get("account_id")?).or_default().push(former_member(row)?);
        }
        let rows = accounts.into_iter().map(|(account, company)| {
            let members = members.remove(&account.id.0).unwrap_or_default();
            let former_members = former.remove(&account.id.0).unwrap_or_default();
            AccountRow { account, company, members, former_members }
        });
        Ok((rows.collect(), total))
    }

    /// Makes the account, or completes the one of that name, and binds the member, all or nothing. What the import does
    /// not tell stays. With `dry_run` nothing is written, and what would become of it is told.
    ///
    /// A list is often imported again each night. It binds nobody who has left, nobody who is back and about whom nothing is
    /// decided, and nobody whom an administrator has unbound from the account.
    pub async fn import_account(
        &self,
        new: &NewAccount,
        now: Timestamp,
        dry_run: bool,
    ) -> Result<Imported, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let (id, mut outcome) = match insert(&mut transaction, new, now).await? {
            Some(account) => (account.id, Imported::Created),
            None => complete(&mut transaction, new, now).await?,
        };
        if let Some(member) = &new.member {
            match account_of(&mut transaction, &member.corp_id, &member.user_id).await? {
                Some(account) if account.id == id => {}
                Some(account) => return Ok(Imported::BoundElsewhere(account.username)),
                None => {
                    let undecided = unsettled(&mut transaction, member).await?;
                    if has_left(&mut transaction, member).await?
                        || undecided.iter().any(|binding| binding.reason != BindingEnd::Unbound)
                    {
                        return Ok(Imported::Left);
                    }
                    if undecided.iter().any(|binding| binding.account_id == id) {
                        return Ok(Imported::Unbound);
                    }
                    bind(&mut transaction, member, id, BoundBy::Import, now).await?;
                    if outcome == Imported::Unchanged {
                        outcome = Imported::Updated;
                    }
                }
            }
        }
        if !dry_run {
            transaction.commit().await?;
        }
        Ok(outcome)
    }
}

/// Makes the account; `None` when the name is taken.
pub(crate) async fn insert(
    transaction: &mut Transaction,
    new: &NewAccount,
    now: Timestamp,
) -> Result<Option<Account>, Error> {
    let row = sql(format!(
        "INSERT INTO accounts (username_key, username, mobile, email, email_key, created_at, updated_at, corp_id)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
         ON CONFLICT (username_key) DO NOTHING
         RETURNING {COLUMNS}"
    ))
    .bind(new.username.folded())
    .bind(new.username.as_str())
    .bind(&new.mobile)
    .bind(&new.email)
    .bind(new.email.to_ascii_lowercase())
    .bind(now.as_millis())
    .bind(company(new))
    .fetch_optional(transaction)
    .await?;
    row.as_ref().map(account).transpose()
}

fn company(new: &NewAccount) -> &str {
    new.company.as_ref().map_or("", CorpId::as_str)
}

/// Writes what is told and new about the account of that name.
async fn complete(
    transaction: &mut Transaction,
    new: &NewAccount,
    now: Timestamp,
) -> Result<(AccountId, Imported), Error> {
    let changed = sql("UPDATE accounts SET
            mobile = CASE WHEN $1 = '' THEN mobile ELSE $1 END,
            email = CASE WHEN $2 = '' THEN email ELSE $2 END,
            email_key = CASE WHEN $3 = '' THEN email_key ELSE $3 END,
            corp_id = CASE WHEN $6 = '' THEN corp_id ELSE $6 END,
            updated_at = $4
         WHERE username_key = $5 AND (($1 <> '' AND mobile <> $1) OR ($2 <> '' AND email <> $2)
            OR ($6 <> '' AND corp_id <> $6))")
    .bind(&new.mobile)
    .bind(&new.email)
    .bind(new.email.to_ascii_lowercase())
    .bind(now.as_millis())
    .bind(new.username.folded())
    // An account with members of two companies is neither company's.
    .bind(if new.member.is_none() { company(new) } else { "" })
    .execute(&mut *transaction)
    .await?;
    let id = sql("SELECT id FROM accounts WHERE username_key = $1")
        .bind(new.username.folded())
        .fetch_one(transaction)
        .await?
        .get("id")?;
    let outcome = if changed == 1 { Imported::Updated } else { Imported::Unchanged };
    Ok((AccountId(id), outcome))
}

pub(crate) fn account(row: &Row) -> Result<Account, Error> {
    let moment = |column: &str| row.get(column).map(Timestamp::from_millis);
    Ok(Account {
        id: AccountId(row.get("id")?),
        username: Username::parse(row.get::<String>("username")?)
            .map_err(|error| Error::corrupt("table accounts, username", error))?,
        mobile: row.get("mobile")?,
        email: row.get("email")?,
        created_at: moment("created_at")?,
        updated_at: moment("updated_at")?,
    })
}

fn company_of(row: &Row) -> Result<Option<CorpId>, Error> {
    match row.get::<String>("corp_id")? {
        corp_id if corp_id.is_empty() => Ok(None),
        corp_id => match CorpId::parse(corp_id) {
            Ok(corp_id) => Ok(Some(corp_id)),
            Err(error) => Err(Error::corrupt("table accounts, corp_id", error)),
        },
    }
}

pub(crate) fn member(row: &Row) -> Result<MemberRef, Error> {
    Ok(MemberRef {
        corp_id: CorpId::parse(row.get::<String>("corp_id")?)
            .map_err(|error| Error::corrupt("table bindings, corp_id", error))?,
        user_id: UserId::parse(row.get::<String>("user_id")?)
            .map_err(|error| Error::corrupt("table bindings, user_id", error))?,
    })
}
