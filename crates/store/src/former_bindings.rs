//! Bindings that have ended: the member left, or an administrator unbound them. They give no account.
//!
//! WeCom hands the userid of a leaver to the next person who asks for it. A binding of a leaver therefore ends, and becomes one
//! again only in the transaction that begins the session, and only if the name says that it is the same person. All other
//! members with that userid get another account, and administrators see the former one.

use std::time::Duration;

use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;
use wecom_login_model::{AccountId, CorpId, MemberRef, Timestamp, UserId};

use crate::accounts::member;
use crate::database::{Row, Transaction, sql};
use crate::{Error, LeftEvidence};

/// A deleted member with the same name is the same person for this long.
const REHIRED_WITHIN: Duration = Duration::from_hours(30 * 24);

/// What a member who left and came back gets: the setting `rehire`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rehire {
    /// The former account if the name is the same, otherwise what a new member gets.
    #[default]
    SameName,
    /// Nothing: the sign-in is refused until an administrator has bound or unbound the member.
    Confirm,
    /// What a new member gets.
    AlwaysNew,
}

/// Why a binding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum BindingEnd {
    /// No app of the company saw the member any more.
    Unseen,
    /// WeCom said that the member is deleted.
    Deleted,
    /// An administrator unbound the member.
    Unbound,
}

impl BindingEnd {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Deleted => "deleted",
            Self::Unbound => "unbound",
        }
    }

    fn read(row: &Row) -> Result<Self, Error> {
        match row.get::<String>("reason")?.as_str() {
            "unseen" => Ok(Self::Unseen),
            "deleted" => Ok(Self::Deleted),
            "unbound" => Ok(Self::Unbound),
            other => {
                let unknown = std::io::Error::other(format!("unknown reason {other:?}"));
                Err(Error::corrupt("table former_bindings, reason", unknown))
            }
        }
    }
}

impl From<LeftEvidence> for BindingEnd {
    fn from(evidence: LeftEvidence) -> Self {
        match evidence {
            LeftEvidence::Deleted => Self::Deleted,
            LeftEvidence::Unseen => Self::Unseen,
        }
    }
}

/// A member who was bound to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FormerMember {
    /// The member.
    #[serde(flatten)]
    pub member: MemberRef,
    /// Their name at that time; `""` if it is not known.
    pub name: String,
    /// Why the binding ended.
    pub reason: BindingEnd,
    /// When it ended.
    pub ended_at: Timestamp,
    /// True if the member has left, or is back without an account: the next sign-in decides whether it is the same person.
    pub is_undecided: bool,
}

/// An ended binding about which nothing has been decided since.
#[derive(Debug, Clone)]
pub(crate) struct Unsettled {
    pub(crate) account_id: AccountId,
    pub(crate) reason: BindingEnd,
    name: String,
    ended_at: Timestamp,
}

/// Who has come back under the userid of a leaver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returned {
    SamePerson,
    AnotherPerson,
    Unconfirmed,
}

/// The rule of coming back. It decides about the binding of a member who left; one that an administrator ended never wakes.
fn judge(rehire: Rehire, reason: BindingEnd, same_name: bool, away: Duration) -> Returned {
    match (rehire, reason) {
        (_, BindingEnd::Unbound) | (Rehire::AlwaysNew, _) => Returned::AnotherPerson,
        (Rehire::Confirm, _) => Returned::Unconfirmed,
        (Rehire::SameName, BindingEnd::Unseen) if same_name => Returned::SamePerson,
        (Rehire::SameName, BindingEnd::Deleted) if same_name && away <= REHIRED_WITHIN => {
            Returned::SamePerson
        }
        (Rehire::SameName, _) => Returned::AnotherPerson,
    }
}

/// True if both names are the same without case, width and white space. A name that is not known is nobody's.
fn is_same_name(one: &str, other: &str) -> bool {
    let folded = |name: &str| {
        let name: String = name.nfkc().filter(|character| !character.is_whitespace()).collect();
        name.to_lowercase()
    };
    let one = folded(one);
    !one.is_empty() && one == folded(other)
}

/// Decides whether the member who signs in is the person whose binding has ended. Names are those of the rows in this
/// transaction; a row that was not read since a rename tells no name.
pub(crate) async fn returned(
    transaction: &mut Transaction,
    who: &MemberRef,
    former: &Unsettled,
    rehire: Rehire,
    now: Timestamp,
) -> Result<Returned, Error> {
    let row = sql("SELECT name FROM members WHERE corp_id = $1 AND user_key = $2 AND read_at > 0")
        .bind(who.corp_id.as_str())
        .bind(who.user_id.folded())
        .fetch_optional(transaction)
        .await?;
    let name = row.map(|row| row.get::<String>("name")).transpose()?.unwrap_or_default();
    Ok(judge(rehire, former.reason, is_same_name(&former.name, &name), now.since(former.ended_at)))
}

/// The member's ended bindings about which nothing has been decided since, the latest first.
pub(crate) async fn unsettled(
    transaction: &mut Transaction,
    who: &MemberRef,
) -> Result<Vec<Unsettled>, Error> {
    let rows = sql(
        "SELECT account_id, name, reason, ended_at FROM former_bindings
         WHERE corp_id = $1 AND user_key = $2 AND settled_at IS NULL ORDER BY ended_at DESC, account_id DESC",
    )
    .bind(who.corp_id.as_str())
    .bind(who.user_id.folded())
    .fetch_all(transaction)
    .await?;
    let unsettled = |row: &Row| {
        Ok(Unsettled {
            account_id: AccountId(row.get("account_id")?),
            reason: BindingEnd::read(row)?,
            name: row.get("name")?,
            ended_at: Timestamp::from_millis(row.get("ended_at")?),
        })
    };
    rows.iter().map(unsettled).collect()
}

/// Ends the bindings of these members and keeps them as former ones; returns how many there were.
pub(crate) async fn end_bindings(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_keys: &[String],
    reason: BindingEnd,
    now: Timestamp,
) -> Result<u64, Error> {
    let mut keep = sql("INSERT INTO former_bindings
            (corp_id, user_key, user_id, account_id, name, reason, ended_at)
         SELECT b.corp_id, b.user_key, b.user_id, b.account_id, COALESCE(m.name, ''), $1, $2
         FROM bindings AS b LEFT JOIN members AS m ON m.corp_id = b.corp_id AND m.user_key = b.user_key
         WHERE b.corp_id = $3 AND b.user_key IN (")
    .bind(reason.as_str())
    .bind(now.as_millis())
    .bind(corp_id.as_str())
    .once();
    keep.push_list(user_keys);
    keep.push(
        ") ON CONFLICT (corp_id, user_key, account_id) DO UPDATE SET user_id = excluded.user_id,
            name = excluded.name, reason = excluded.reason, ended_at = excluded.ended_at, settled_at = NULL",
    );
    let ended = keep.execute(&mut *transaction).await?;
    if ended > 0 {
        let mut delete =
            sql("DELETE FROM bindings WHERE corp_id = $1 AND user_key IN (").bind(corp_id.as_str()).once();
        delete.push_list(user_keys);
        delete.push(")");
        delete.execute(transaction).await?;
    }
    Ok(ended)
}

/// The part of leaving that concerns accounts: ends the bindings of members who left, erases the record of their consents, and,
/// where WeCom said that they are deleted, suspends their rights as administrators.
///
/// It takes every member that was told as gone, also those who were marked before: a deletion may be told after the member was
/// no longer seen.
pub(crate) async fn leave_accounts(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_keys: &[String],
    evidence: LeftEvidence,
    now: Timestamp,
) -> Result<(), Error> {
    end_bindings(transaction, corp_id, user_keys, evidence.into(), now).await?;
    let about_them = |text: &'static str| {
        let mut statement = sql(text).bind(corp_id.as_str()).once();
        statement.push_list(user_keys);
        statement.push(")");
        statement
    };
    about_them("DELETE FROM consents WHERE corp_id = $1 AND user_key IN (")
        .execute(&mut *transaction)
        .await?;
    // The next person with the userid has given nothing to an app.
    about_them(
        "UPDATE member_visibility SET consented = 0 WHERE corp_id = $1 AND consented <> 0 AND user_key IN (",
    )
    .execute(&mut *transaction)
    .await?;
    if evidence == LeftEvidence::Deleted {
        about_them(
            "UPDATE former_bindings SET reason = 'deleted'
             WHERE corp_id = $1 AND reason = 'unseen' AND settled_at IS NULL AND user_key IN (",
        )
        .execute(&mut *transaction)
        .await?;
        let mut suspend = sql("UPDATE administrators SET suspended_at = $2
             WHERE corp_id = $1 AND suspended_at IS NULL AND user_key IN (")
        .bind(corp_id.as_str())
        .bind(now.as_millis())
        .once();
        suspend.push_list(user_keys);
        suspend.push(")");
        suspend.execute(transaction).await?;
    }
    Ok(())
}

/// The member is bound to this account from now on: nothing about their former bindings is undecided any more. Returns the
/// accounts of leavers that the member did not get.
pub(crate) async fn settle(
    transaction: &mut Transaction,
    who: &MemberRef,
    account_id: AccountId,
    now: Timestamp,
) -> Result<Vec<i64>, Error> {
    sql("DELETE FROM former_bindings WHERE corp_id = $1 AND user_key = $2 AND account_id = $3")
        .bind(who.corp_id.as_str())
        .bind(who.user_id.folded())
        .bind(account_id.0)
        .execute(&mut *transaction)
        .await?;
    let rows = sql("UPDATE former_bindings SET settled_at = $3
         WHERE corp_id = $1 AND user_key = $2 AND settled_at IS NULL RETURNING account_id, reason")
    .bind(who.corp_id.as_str())
    .bind(who.user_id.folded())
    .bind(now.as_millis())
    .fetch_all(transaction)
    .await?;
    let mut accounts = Vec::new();
    for row in &rows {
        if BindingEnd::read(row)? != BindingEnd::Unbound {
            accounts.push(row.get("account_id")?);
        }
    }
    Ok(accounts)
}

/// An administrator says that a member who left does not get the former account again. False if nothing was undecided.
pub(crate) async fn give_up(
    transaction: &mut Transaction,
    who: &MemberRef,
    now: Timestamp,
) -> Result<bool, Error> {
    let settled = sql("UPDATE former_bindings SET settled_at = $3
         WHERE corp_id = $1 AND user_key = $2 AND settled_at IS NULL AND reason <> 'unbound'")
    .bind(who.corp_id.as_str())
    .bind(who.user_id.folded())
    .bind(now.as_millis())
    .execute(transaction)
    .await?;
    Ok(settled > 0)
}

/// A member gets another userid: what is undecided about their former bindings goes with them, and what is undecided about the
/// person who had that userid before is settled. `to` may have a binding by now, which decides.
pub(crate) async fn rename(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    from: &str,
    to: &UserId,
    now: Timestamp,
) -> Result<(), Error> {
    let to_key = to.folded();
    sql("UPDATE former_bindings SET settled_at = $3 WHERE corp_id = $1 AND user_key = $2 AND settled_at IS NULL")
        .bind(corp_id.as_str())
        .bind(&to_key)
        .bind(now.as_millis())
        .execute(&mut *transaction)
        .await?;
    sql("DELETE FROM former_bindings WHERE corp_id = $1 AND user_key = $3 AND account_id IN
            (SELECT account_id FROM former_bindings
             WHERE corp_id = $1 AND user_key = $2 AND settled_at IS NULL)")
    .bind(corp_id.as_str())
    .bind(from)
    .bind(&to_key)
    .execute(&mut *transaction)
    .await?;
    sql("UPDATE former_bindings SET user_key = $3, user_id = $4,
            settled_at = CASE WHEN EXISTS (SELECT 1 FROM bindings WHERE corp_id = $1 AND user_key = $3)
                THEN $5 END
         WHERE corp_id = $1 AND user_key = $2 AND settled_at IS NULL")
    .bind(corp_id.as_str())
    .bind(from)
    .bind(&to_key)
    .bind(to.as_str())
    .bind(now.as_millis())
    .execute(transaction)
    .await?;
    Ok(())
}

/// A row with corp_id, user_id, name, reason, ended_at and settled_at.
pub(crate) fn former_member(row: &Row) -> Result<FormerMember, Error> {
    let reason = BindingEnd::read(row)?;
    Ok(FormerMember {
        member: member(row)?,
        name: row.get("name")?,
        reason,
        ended_at: Timestamp::from_millis(row.get("ended_at")?),
        is_undecided: reason != BindingEnd::Unbound && row.get::<Option<i64>>("settled_at")?.is_none(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn f14_the_rule_of_coming_back() {
        use BindingEnd::{Deleted, Unbound, Unseen};
        use Returned::{AnotherPerson, SamePerson, Unconfirmed};
        for (reason, same_name, days, by_name) in [
            (Unseen, true, 0, SamePerson),
            (Unseen, true, 3_650, SamePerson),
            (Unseen, false, 0, AnotherPerson),
            (Deleted, true, 0, SamePerson),
            (Deleted, true, 30, SamePerson),
            (Deleted, true, 31, AnotherPerson),
            (Deleted, false, 0, AnotherPerson),
            (Unbound, true, 0, AnotherPerson),
        ] {
            let judged = |rehire| judge(rehire, reason, same_name, DAY * days);
            assert_eq!(judged(Rehire::SameName), by_name, "{reason:?} {same_name} {days}");
            let asks = if reason == Unbound { AnotherPerson } else { Unconfirmed };
            assert_eq!(judged(Rehire::Confirm), asks, "{reason:?}");
            assert_eq!(judged(Rehire::AlwaysNew), AnotherPerson);
        }
        assert_eq!(
            judge(Rehire::SameName, Deleted, true, DAY * 30 + Duration::from_millis(1)),
            AnotherPerson
        );
    }

    #[test]
    fn f14_names_are_compared_without_case_width_and_white_space() {
        for (one, other) in [
            ("Zhang San", "ＺＨＡＮＧ　ｓａｎ"),
            ("张三", " 张 三\u{3000}"),
            ("ｶﾅ", "カナ"),
            ("É", "e\u{301}"),
        ] {
            assert!(is_same_name(one, other), "{one} {other}");
        }
        for (one, other) in [("张三", "张三丰"), ("", ""), (" ", "\u{3000}"), ("张三", "")] {
            assert!(!is_same_name(one, other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn f14_another_name_never_wakes_a_binding(
            one in "\\PC{0,12}", other in "\\PC{0,12}", days in 0_u32..4_000, deleted: bool, unbound: bool,
        ) {
            let same = is_same_name(&one, &other);
            prop_assert_eq!(same, is_same_name(&other, &one));
            let reason = match (unbound, deleted) {
                (true, _) => BindingEnd::Unbound,
                (_, true) => BindingEnd::Deleted,
                _ => BindingEnd::Unseen,
            };
            let wakes = judge(Rehire::SameName, reason, same, DAY * days) == Returned::SamePerson;
            prop_assert_eq!(wakes, same && !unbound && (!deleted || days <= 30));
            for rehire in [Rehire::Confirm, Rehire::AlwaysNew] {
                prop_assert_ne!(judge(rehire, reason, same, DAY * days), Returned::SamePerson);
            }
        }
    }
}
