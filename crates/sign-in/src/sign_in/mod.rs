mod complete;
mod deliver;
mod proof;

pub use complete::{Former, ProvedSignIn, SessionChange, SignedIn};
pub use deliver::Delivery;
pub(crate) use proof::refused;

use std::sync::Arc;

use tokio_util::task::TaskTracker;
use wecom::{AuthCode, Budget};
use wecom_login_accounts::{Accounts, Admins};
use wecom_login_directory::Directory;
use wecom_login_model::{Clock, ContactFields, Entropy, Fingerprint, Member, Secret, Timestamp};
use wecom_login_session::{Session, Sessions};
use wecom_login_store::{Act, Sealer, Store};

use self::proof::MemberLookup;
use crate::error::Terminal;
use crate::state::Claims;
use crate::{
    Attempts, Flow, FlowCookie, Instance, LoginConfig, Purpose, Restart, SignInError, State, StateOwner,
    UserInfo, Visitor,
};

/// Issues states, exchanges codes, begins sessions; cheap to clone.
#[derive(Debug, Clone)]
pub struct Login {
    claims: Claims,
    sessions: Sessions,
    directory: Directory,
    accounts: Accounts,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    budget: Budget,
    store: Store,
    tasks: TaskTracker,
    attempts: Attempts,
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
        let claims = Claims::new(store.key_value());
        let attempts = Attempts::new("code", store, clock.clone());
        let (tasks, store) = (TaskTracker::new(), store.clone());
        Self { claims, sessions, directory, accounts, sealer, clock, entropy, budget, store, tasks, attempts }
    }

    /// With these accounts, which know the administrators.
    #[must_use]
    pub fn with_accounts(self, accounts: Accounts) -> Self {
        Self { accounts, ..self }
    }

    /// Issues a state for one sign-in. Nothing is stored: what the sign-in carries comes back in its flow cookie, `None` if it
    /// carries nothing.
    pub fn issue(
        &self,
        instance: &Instance,
        owner: StateOwner<'_>,
        flow: &Flow,
        restarts: u8,
    ) -> Result<(State, Option<FlowCookie>), SignInError> {
        let says = (Purpose::from(flow), restarts);
        let now = self.clock.now();
        let state = State::issue(&self.sealer, &self.entropy, instance.full_name(), owner, says, now);
        let cookie = (!flow.is_empty()).then(|| flow.seal(&self.sealer, &state)).transpose();
        let cookie = cookie.map_err(|error| SignInError::Unforeseen(error.to_string()))?;
        Ok((state, cookie))
    }

    /// getLoginConfig: what a page needs to build the sign-in link.
    pub fn login_config(
        &self,
        instance: &Instance,
        owner: StateOwner<'_>,
    ) -> Result<LoginConfig, SignInError> {
        let (state, _) = self.issue(instance, owner, &Flow::default(), 0)?;
        Ok(LoginConfig::new(instance, &state))
    }

    /// Reads a state as it came back; `None` if it was not issued here, or so long ago that nothing is known of it.
    pub fn read_state(&self, state: &Secret) -> Option<State> {
        let now = self.clock.now();
        State::read(&self.sealer, state).filter(|state| now < state.recognised_until())
    }

    /// What the visitor's sign-in carries; `None` if it carries nothing, or the visitor's cookie is not of this state.
    pub fn flow(&self, state: &State, visitor: &Visitor) -> Option<Flow> {
        let own = visitor.browser.as_ref().is_some_and(|browser| state.is_of(StateOwner::Browser(browser)));
        let id = state.flow_id();
        // Another page of the host may have planted a cookie of the same name.
        let mut values = visitor.flows.iter().filter(|(flow, _)| own && *flow == id).map(|(_, value)| value);
        values.find_map(|value| Flow::open(&self.sealer, state, value))
    }

    /// Whether a sign-in restarts whose state expired or was [lost](SignInError::StateLost), whose browser brought no cookie, or
    /// which was [interrupted](Terminal::BrokenOff).
    pub async fn restart(&self, state: &State) -> Result<Restart, wecom_login_store::Error> {
        if state.purpose() != Purpose::SignIn || state.is_of(StateOwner::Library) {
            return Ok(Restart::No);
        }
        Ok(match self.claims.get(state, self.clock.now()).await? {
            Some(read) if !read.record.phase.may_restart() => Restart::No,
            _ => state.restart(),
        })
    }

    /// Runs a sign-in to its end, also when its caller goes away; [`Login::finished`] waits for it.
    pub async fn track<T: Send + 'static>(
        &self,
        sign_in: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, SignInError> {
        let sign_in = self.tasks.spawn(Act::current().scope(sign_in));
        sign_in.await.map_err(|error| SignInError::Unforeseen(format!("the sign-in broke off: {error}")))
    }

    /// The number of sign-ins in progress.
    pub fn in_progress(&self) -> usize {
        self.tasks.len()
    }

    /// Waits until no sign-in is in progress, those included whose browser has gone away.
    pub async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// getLoginCode of the library: who it is, without a session. A state is optional; a given one must have been
    /// issued to the library for this instance, and is used up.
    pub async fn identify(
        &self,
        instance: &Instance,
        code: &str,
        state: Option<&str>,
    ) -> Result<UserInfo, SignInError> {
        let calls = instance.client().within(self.budget.clone());
        let Ok(auth_code) = AuthCode::parse(code) else {
            // WeCom reports a wrong company or secret before it checks the code.
            calls.access_token().await.map_err(SignInError::of_wecom)?;
            return Err(Terminal::BadCode.into());
        };
        if let Some(state) = state.filter(|state| !state.is_empty()) {
            self.spend_library_state(instance, &Secret::new(state)).await?;
        }
        let (user_id, ticket) = self.prove(&calls, &auth_code, None).await?;
        let app = (instance.corp_id(), instance.agent_id());
        let known = self.directory.known_member(app, &user_id).await.map_err(refused)?;
        let fresh = known.filter(|known| self.directory.is_fresh(known, instance.user_fresh_for()));
        let lookup = MemberLookup { user_id: &user_id, ticket: ticket.as_ref(), fresh, is_search: false };
        Ok(self.member(&calls, instance, lookup).await?.1)
    }

    /// What getLoginCode would give of a member of the local copy, through the app of the session.
    pub async fn user_info_of(&self, session: &Session) -> Result<Option<UserInfo>, SignInError> {
        let (corp_id, user_id) = (&session.corp_id, &session.user_key);
        let member = match &session.agent_id {
            Some(agent_id) => self.directory.member_for_app((corp_id, agent_id), user_id).await,
            // Of a session from before the upgrade: what every app may give out.
            None => self.directory.member(corp_id, user_id).await.map(|member| {
                member
                    .map(|member| Member { profile: member.profile.only(ContactFields::default()), ..member })
            }),
        };
        match member.map_err(refused)? {
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

    async fn spend_library_state(&self, instance: &Instance, state: &Secret) -> Result<(), SignInError> {
        let state = self.read_state(state).ok_or(SignInError::StateUnknown)?;
        if !state.is_for(instance.full_name()) || !state.is_of(StateOwner::Library) {
            return Err(SignInError::StateUnknown);
        }
        let now = self.clock.now();
        if now >= state.expires_at() {
            return Err(SignInError::StateExpired);
        }
        if self.claims.spend_for_library(&state, now).await? { Ok(()) } else { Err(SignInError::StateUsed) }
    }
}

/// The place for which the token of a redirect's session is sealed.
fn outcome_place(redirect: Fingerprint) -> String {
    format!("outcome/{}", redirect.to_hex())
}
