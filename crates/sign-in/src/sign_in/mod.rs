mod delivery;
mod proof;
mod under_way;

pub(crate) use proof::refused;

use std::sync::Arc;

use wecom::{AuthCode, Budget};
use wecom_login_accounts::{Accounts, Admins};
use wecom_login_directory::Directory;
use wecom_login_model::{Clock, Entropy, Secret, Timestamp};
use wecom_login_session::{EndReason, Session, SessionToken, Sessions};
use wecom_login_store::{Act, Sealer, Store};

use self::under_way::UnderWay;
use crate::refusal::Settled;
use crate::state::{Outcome, Phase, Record, States};
use crate::{Again, BrowserId, Holder, Instance, LoginConfig, Purpose, Redirect, Refusal, State, UserInfo};

/// A member who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// For the browser's cookie. `None` when the member was bound to the account of the session that the browser has:
    /// that session goes on, and is nobody else's than before.
    pub token: Option<SessionToken>,
    /// The session.
    pub session: Session,
    /// What getLoginCode gives.
    pub user: UserInfo,
    /// Where the member wanted to go, as it was kept with the state.
    pub return_to: Option<String>,
    /// True when an earlier delivery of the same redirect has been told the same.
    pub again: bool,
}

/// Issues states, exchanges codes, begins sessions; cheap to clone.
#[derive(Debug, Clone)]
pub struct Login {
    states: States,
    sessions: Sessions,
    directory: Directory,
    accounts: Accounts,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    budget: Budget,
    store: Store,
    under_way: UnderWay,
}

impl Login {
    /// The sign-in over `store`. `budget` bounds one sign-in's calls of WeCom.
    pub fn new(
        store: &Store,
        sessions: Sessions,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        budget: Budget,
    ) -> Self {
        let directory = Directory::new(store.clone(), clock.clone());
        let accounts = Accounts::new(store.clone(), clock.clone(), Admins::default());
        let states = States::new(store.key_value());
        let under_way = UnderWay::default();
        let store = store.clone();
        Self { states, sessions, directory, accounts, sealer, clock, entropy, budget, store, under_way }
    }

    /// With these accounts, which know the administrators.
    #[must_use]
    pub fn with_accounts(self, accounts: Accounts) -> Self {
        Self { accounts, ..self }
    }

    /// Issues a state for one sign-in.
    pub async fn issue_state(
        &self,
        instance: &Instance,
        holder: Holder<'_>,
        purpose: Purpose,
    ) -> Result<State, wecom_login_store::Error> {
        let now = self.clock.now();
        let name = instance.full_name();
        let state = State::issue(&self.sealer, &self.entropy, name, holder, &purpose, now);
        self.states.insert(&state, &Record::new(name, holder, purpose, now), now).await?;
        Ok(state)
    }

    /// getLoginConfig: what a page needs to build the sign-in link.
    pub async fn login_config(
        &self,
        instance: &Instance,
        holder: Holder<'_>,
    ) -> Result<LoginConfig, wecom_login_store::Error> {
        let state = self.issue_state(instance, holder, Purpose::default()).await?;
        Ok(LoginConfig::new(instance, &state))
    }

    /// Whether a sign-in is begun again whose state expired, whose browser brought no cookie, or which
    /// [broke off](crate::Settled::BrokenOff).
    pub async fn again(&self, state: &Secret) -> Result<Again, wecom_login_store::Error> {
        let read = self.states.get(state, self.clock.now()).await?;
        Ok(read.map_or(Again::Never, |versioned| versioned.record.again()))
    }

    /// The same for a state that nothing is kept of: what was kept is lost if the state carries our mark. Where the member
    /// wanted to go is lost with it.
    pub fn again_if_lost(&self, state: &Secret, instance: &Instance, browser: &BrowserId) -> Again {
        State::lost(&self.sealer, state, instance.full_name(), browser, self.clock.now())
    }

    /// For which instance a state was issued to a browser, and where its member wants to go; `None` for a state that
    /// is none of ours, or no longer.
    pub async fn meant_for(
        &self,
        state: &Secret,
    ) -> Result<Option<(String, Option<String>)>, wecom_login_store::Error> {
        let read = self.states.get(state, self.clock.now()).await?;
        Ok(read.map(|versioned| (versioned.record.instance, versioned.record.return_to)))
    }

    /// Finishes a sign-in over HTTP: the redirect itself, or getLoginCode from the browser's page.
    ///
    /// The same redirect delivered again gives the same session as long as that lives, for 5 minutes. The work goes on
    /// when the caller goes away: browsers abandon a redirect and deliver it again, and the code works once.
    pub async fn sign_in(&self, redirect: Redirect) -> Result<SignedIn, Refusal> {
        let login = self.clone();
        let place = self.under_way.enter();
        let work = tokio::spawn(Act::current().scope(async move {
            let delivered = login.deliver(&redirect).await;
            drop(place);
            delivered
        }));
        work.await.unwrap_or_else(|error| Err(Refusal::Unforeseen(format!("the sign-in broke off: {error}"))))
    }

    /// How many sign-ins are under way.
    pub fn under_way(&self) -> usize {
        self.under_way.count()
    }

    /// Waits until no sign-in is under way, those included whose browser has gone away.
    pub async fn finished(&self) {
        self.under_way.finished().await;
    }

    /// getLoginCode of the library: who it is, without a session. A state is optional; a given one must have been
    /// issued to the library for this instance, and is used up.
    pub async fn identify(
        &self,
        instance: &Instance,
        code: &str,
        state: Option<&str>,
    ) -> Result<UserInfo, Refusal> {
        let calls = instance.client().within(self.budget.clone());
        let Ok(auth_code) = AuthCode::parse(code) else {
            // As WeCom has it: a wrong company or secret is told before the code is looked at.
            calls.access_token().await.map_err(Refusal::WeCom)?;
            return Err(Settled::BadCode.into());
        };
        if let Some(state) = state.filter(|state| !state.is_empty()) {
            self.spend_library_state(instance, &Secret::new(state)).await?;
        }
        let (user_id, ticket) = self.prove(&calls, &auth_code).await?;
        let (member, _) = self.member(&calls, instance, &user_id, ticket.as_ref(), false).await?;
        self.user_info(&member).await
    }

    /// Takes back the session of a sign-in that the app's own Type refused after WeCom had proved the member. Nobody
    /// has its token yet; it must not stand in the list of sessions either.
    pub async fn withdraw(
        &self,
        state: &Secret,
        browser: &BrowserId,
    ) -> Result<(), wecom_login_store::Error> {
        let Some(read) = self.states.get(state, self.clock.now()).await? else { return Ok(()) };
        let own = read.record.browser.as_deref() == Some(browser.fingerprint().to_hex().as_str());
        if let (true, Phase::Spent { outcome: Outcome::SignedIn { session, .. }, .. }) =
            (own, &read.record.phase)
            && let Some(session) = self.sessions.live(session).await?
        {
            self.sessions.end(&session, EndReason::Refused).await?;
        }
        Ok(())
    }

    /// What getLoginCode would give of a member of the local copy.
    pub async fn user_info_of(&self, session: &Session) -> Result<Option<UserInfo>, Refusal> {
        match self.directory.member(&session.corp_id, &session.user_key).await.map_err(refused)? {
            Some(member) => Ok(Some(self.user_info(&member).await?)),
            None => Ok(None),
        }
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    async fn spend_library_state(&self, instance: &Instance, state: &Secret) -> Result<(), Refusal> {
        let now = self.clock.now();
        let read = self.states.get(state, now).await?.ok_or(Refusal::StateUnknown)?;
        if read.record.instance != instance.full_name() || read.record.browser.is_some() {
            return Err(Refusal::StateUnknown);
        }
        if read.record.phase != Phase::Issued {
            return Err(Refusal::StateUsed);
        }
        if now >= read.record.expires_at {
            return Err(Refusal::StateExpired);
        }
        let spent = Phase::Spent { redirect: String::new(), until: now, outcome: Outcome::UsedByLibrary };
        match self.states.step(state, &read, spent).await? {
            Some(_) => Ok(()),
            None => Err(Refusal::StateUsed),
        }
    }
}
