use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wecom_login_model::{Account, AccountId, Clock, CorpId, MemberRef, UserId, Username};
use wecom_login_store::{AccountRow, Bound, BoundBy, Error, MatchOn, Matched, Store};

use crate::Admins;

/// By which value of a member their account is found at the first sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BindBy {
    /// Not at all.
    #[default]
    None,
    /// The userId is the account's username.
    UserId,
    /// The mobile number is the account's.
    Mobile,
    /// The company's mailbox is the account's e-mail address.
    BizMail,
}

impl BindBy {
    /// True when the value is one that only a profile or the member's consent tells.
    pub fn needs_profile(self) -> bool {
        matches!(self, Self::Mobile | Self::BizMail)
    }
}

/// What an instance does with a member who has no account yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Makes an account.
    pub auto_register: bool,
    /// Before that, looks for one.
    pub bind_by: BindBy,
}

impl Default for Policy {
    /// Makes one, and looks for none.
    fn default() -> Self {
        Self { auto_register: true, bind_by: BindBy::None }
    }
}

/// What WeCom returned about a member in this very sign-in; `""` was not told. Never what is remembered of another one,
/// and never what a client sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Mobile number.
    pub mobile: String,
    /// The company's own mailbox.
    pub biz_mail: String,
}

/// Why a member has no account and gets none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoAccount {
    /// Nothing is looked for.
    NotLookedFor,
    /// WeCom did not tell the value, or no account has it.
    NoMatch,
    /// Several accounts have it.
    Several,
    /// The account that has it is bound to somebody.
    Taken,
    /// The account that has it is an administrator's.
    Administrators,
}

/// What a sign-in came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The member's account.
    Account(Account),
    /// There is none, and the policy makes none.
    None(NoAccount),
}

/// The accounts; cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    clock: Arc<dyn Clock>,
    admins: Admins,
}

impl Accounts {
    /// The accounts in `store`. No sign-in finds an account of one of the `admins` by itself.
    pub fn new(store: Store, clock: Arc<dyn Clock>, admins: Admins) -> Self {
        Self { store, clock, admins }
    }

    /// The account that the member is bound to.
    pub async fn of_member(&self, corp_id: &CorpId, user_id: &UserId) -> Result<Option<Account>, Error> {
        self.store.account_of_member(corp_id, user_id).await
    }

    /// The account of a number.
    pub async fn get(&self, id: AccountId) -> Result<Option<Account>, Error> {
        self.store.account(id).await
    }

    /// A page of the accounts by number, with their members, and how many there are in all.
    pub async fn list(&self, offset: i64, limit: i64) -> Result<(Vec<AccountRow>, i64), Error> {
        self.store.accounts(offset, limit).await
    }

    /// The account of a member whom WeCom has just proved: the one that they have, or else what the policy gives.
    ///
    /// An account is found only by an exact value that no other account has. It must be bound to nobody: whoever has it
    /// already can bind another member themselves. It must not be an administrator's either, which is one that a listed
    /// member is bound to, or one that has a listed member's userId as its name.
    pub async fn enter(&self, member: &MemberRef, policy: Policy, told: &Told) -> Result<Entry, Error> {
        let now = self.clock.now();
        let (on, value) = match policy.bind_by {
            BindBy::None => (None, ""),
            BindBy::UserId => (Some(MatchOn::Username), member.user_id.as_str()),
            BindBy::Mobile => (Some(MatchOn::Mobile), told.mobile.as_str()),
            BindBy::BizMail => (Some(MatchOn::Email), told.biz_mail.as_str()),
        };
        let none = match on {
            None => match self.store.account_of_member(&member.corp_id, &member.user_id).await? {
                Some(account) => return Ok(Entry::Account(account)),
                None => NoAccount::NotLookedFor,
            },
            Some(on) => match self.store.attach(member, on, value, &self.admins.usernames(), now).await? {
                Matched::Account(account) => return Ok(Entry::Account(account)),
                Matched::None => NoAccount::NoMatch,
                Matched::Several => NoAccount::Several,
                Matched::Taken => NoAccount::Taken,
                Matched::Barred => NoAccount::Administrators,
            },
        };
        if !policy.auto_register {
            return Ok(Entry::None(none));
        }
        let account = self.store.register(member, now).await?;
        tracing::info!(corp_id = %member.corp_id, account = %account.id, looked_for = ?none, "an account was made");
        Ok(Entry::Account(account))
    }

    /// Binds a member to the account of a number.
    pub async fn bind(
        &self,
        member: &MemberRef,
        account: AccountId,
        bound_by: BoundBy,
    ) -> Result<Bound, Error> {
        let bound = self.store.bind_member(member, account, bound_by, self.clock.now()).await?;
        if bound == Bound::Done {
            tracing::info!(%member, %account, ?bound_by, "a member is bound to an account");
        }
        Ok(bound)
    }

    /// Binds a member to the account of a name, for an administrator.
    pub async fn bind_by_name(&self, member: &MemberRef, username: &Username) -> Result<Bound, Error> {
        match self.store.account_named(username).await? {
            Some(account) => self.bind(member, account.id, BoundBy::Administrator).await,
            None => Ok(Bound::NoAccount),
        }
    }

    /// Unties a member from their account and ends their sessions; false when they had none. The account stays.
    pub async fn unbind(&self, member: &MemberRef) -> Result<bool, Error> {
        let unbound = self.store.unbind_member(member, self.clock.now()).await?;
        if unbound {
            tracing::info!(%member, "a member was untied from their account");
        }
        Ok(unbound)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn now(&self) -> wecom_login_model::Timestamp {
        self.clock.now()
    }
}
