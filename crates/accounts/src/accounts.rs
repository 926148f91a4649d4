use std::sync::Arc;

use wecom_login_model::{Account, AccountId, Clock, CorpId, MemberRef, UserId, Username};
use wecom_login_store::{
    AccountRow, AccountRule, AdministratorRow, Bound, BoundBy, Confirmed, Error, MatchOn, Rehire, SessionRow,
    Store,
};

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

/// Contact data that WeCom returned about a member in this sign-in; `""` if it returned none. Never data of an earlier
/// sign-in, and never what a client sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifiedContact {
    /// Mobile number.
    pub mobile: String,
    /// The company's own mailbox.
    pub biz_mail: String,
}

/// What a sign-in does with a member who has no account, for the transaction that decides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDecision {
    find_by: Option<(MatchOn, Option<String>)>,
    barred: Vec<String>,
    register: bool,
    rehire: Rehire,
}

impl AccountDecision {
    /// The decision as the store takes it.
    pub fn rule(&self) -> AccountRule<'_> {
        let find_by = self.find_by.as_ref().map(|(on, value)| (*on, value.as_deref()));
        AccountRule { find_by, barred: &self.barred, register: self.register, rehire: self.rehire }
    }
}

/// How far a session administers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Administration {
    /// The member is not listed in `admins`.
    NotListed,
    /// The session began without an account; a new one has one.
    NoAccount,
    /// The entry stands for another account, or the member was deleted since: `admin confirm` decides.
    Unconfirmed,
    /// The member administers.
    Full,
}

/// The accounts; cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    clock: Arc<dyn Clock>,
    admins: Admins,
    rehire: Rehire,
}

impl Accounts {
    /// The accounts in `store`. No sign-in finds an account of one of the `admins` by itself.
    pub fn new(store: Store, clock: Arc<dyn Clock>, admins: Admins) -> Self {
        Self { store, clock, admins, rehire: Rehire::default() }
    }

    /// With another rule for members who left and came back.
    #[must_use]
    pub fn with_rehire(self, rehire: Rehire) -> Self {
        Self { rehire, ..self }
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

    /// How a proved member without an account gets one.
    ///
    /// An account is found only by an exact value that no other account has. It must be bound to no member: a member who has
    /// it can bind another identity on the page for it. It must not be an administrator's either, which is one that an entry of
    /// `admins` stands for, or one that has a listed member's userId as its name.
    /// `contact` is `None` if WeCom was not asked for contact data, because the member had an account when the sign-in began.
    pub fn decision(
        &self,
        user_id: &UserId,
        policy: Policy,
        contact: Option<&VerifiedContact>,
    ) -> AccountDecision {
        let find_by = match policy.bind_by {
            BindBy::None => None,
            BindBy::UserId => Some((MatchOn::Username, Some(user_id.as_str().to_owned()))),
            BindBy::Mobile => Some((MatchOn::Mobile, contact.map(|contact| contact.mobile.clone()))),
            BindBy::BizMail => Some((MatchOn::Email, contact.map(|contact| contact.biz_mail.clone()))),
        };
        let (barred, register) = (self.admins.usernames(), policy.auto_register);
        AccountDecision { find_by, barred, register, rehire: self.rehire }
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

    /// Binds a member to the account of a session that is active when the binding is written. `None` if the session has
    /// ended or has another account.
    pub async fn bind_in_session(
        &self,
        member: &MemberRef,
        account: AccountId,
        session_id: &str,
    ) -> Result<Option<(Bound, SessionRow)>, Error> {
        let bound = self.store.bind_in_session(member, account, session_id, self.clock.now()).await?;
        if matches!(bound, Some((Bound::Done, _))) {
            tracing::info!(%member, %account, "a member is bound to the account of a session");
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

    /// Unbinds a member for an administrator and ends their sessions; false if they had no account. The account stays, and no
    /// search finds it for this member again. See [`Store::unbind_member`].
    pub async fn unbind(&self, member: &MemberRef) -> Result<bool, Error> {
        let unbound = self.store.unbind_member(member, self.clock.now()).await?;
        if unbound {
            tracing::info!(%member, "a member was unbound from their account");
        }
        Ok(unbound)
    }

    /// Gives every new entry of `admins` its account; see [`Store::hold_administrators`].
    pub async fn hold_administrators(&self) -> Result<(), Error> {
        self.store.hold_administrators(self.admins.members(), self.now()).await
    }

    /// How far a session of this member and account administers.
    pub async fn administration(
        &self,
        corp_id: &CorpId,
        user_id: &UserId,
        account: Option<AccountId>,
    ) -> Result<Administration, Error> {
        if !self.admins.contains(corp_id, user_id) {
            return Ok(Administration::NotListed);
        }
        let Some(account) = account else { return Ok(Administration::NoAccount) };
        let member = MemberRef { corp_id: corp_id.clone(), user_id: user_id.clone() };
        let is_theirs = self.store.is_administrators_account(&member, account).await?;
        Ok(if is_theirs { Administration::Full } else { Administration::Unconfirmed })
    }

    /// The entries of `admins` with their accounts, in their order.
    pub async fn administrators(&self) -> Result<Vec<AdministratorRow>, Error> {
        let rows = self.store.administrators().await?;
        let mut listed = Vec::new();
        for admin in self.admins.members() {
            listed.push(match rows.iter().find(|row| row.member == *admin) {
                Some(row) => row.clone(),
                None => {
                    let bound_to = self.of_member(&admin.corp_id, &admin.user_id).await?;
                    AdministratorRow::new(admin.clone(), bound_to.map(|account| account.username))
                }
            });
        }
        Ok(listed)
    }

    /// Gives the member's entry of `admins` the account that they are bound to now; `None` if there is no such entry.
    pub async fn confirm_administrator(&self, admin: &MemberRef) -> Result<Option<Confirmed>, Error> {
        if !self.admins.contains(&admin.corp_id, &admin.user_id) {
            return Ok(None);
        }
        let confirmed = self.store.confirm_administrator(admin, self.now()).await?;
        if let Confirmed::Done(username) = &confirmed {
            tracing::info!(member = %admin, %username, "an administrator was confirmed");
        }
        Ok(Some(confirmed))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn now(&self) -> wecom_login_model::Timestamp {
        self.clock.now()
    }
}
