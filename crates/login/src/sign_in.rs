use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wecom::{AuthCode, Budget, Calls, Identity};
use wecom_login_accounts::{Accounts, Admins, Bound, BoundBy, Entry, Told};
use wecom_login_directory::Directory;
use wecom_login_model::{
    Account, Clock, Entropy, Fingerprint, Member, MemberRef, MemberStatus, Secret, UserId,
};
use wecom_login_session::{EndReason, Session, SessionToken, Sessions};
use wecom_login_store::{Consent, Sealer, Store};

use crate::refusal::Settled;
use crate::state::{CLAIM_LEASE, OUTCOME_LIFETIME, Outcome, Phase, Proven, Record, States, Versioned};
use crate::{Binding, BrowserId, Holder, Instance, LoginConfig, Redirect, Refusal, Restart, State, UserInfo};

/// A sign-in is begun again by itself at most this often.
const MAX_RESTARTS: u8 = 2;
/// How long a second delivery waits for the first; longer than a sign-in's budget.
const PATIENCE: Duration = Duration::from_secs(8);

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
        Self { states, sessions, directory, accounts, sealer, clock, entropy, budget }
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
        return_to: Option<String>,
        restarts: u8,
    ) -> Result<State, wecom_login_store::Error> {
        let now = self.clock.now();
        let state = State::generate(&self.entropy);
        let record = Record::new(instance.full_name(), holder, return_to, restarts, now);
        self.states.insert(&state, &record, now).await?;
        Ok(state)
    }

    /// Issues a state for a sign-in that binds whoever it proves to an account, for a live session of that account.
    pub async fn issue_binding_state(
        &self,
        instance: &Instance,
        holder: Holder<'_>,
        return_to: Option<String>,
        binding: Binding,
    ) -> Result<State, wecom_login_store::Error> {
        let now = self.clock.now();
        let state = State::generate(&self.entropy);
        let record = Record::new(instance.full_name(), holder, return_to, 0, now);
        self.states.insert(&state, &Record { binding: Some(binding), ..record }, now).await?;
        Ok(state)
    }

    /// getLoginConfig: what a page needs to build the sign-in link.
    pub async fn login_config(
        &self,
        instance: &Instance,
        holder: Holder<'_>,
    ) -> Result<LoginConfig, wecom_login_store::Error> {
        let state = self.issue_state(instance, holder, None, 0).await?;
        Ok(LoginConfig::new(instance, &state))
    }

    /// What is needed to begin again a sign-in whose state expired, or whose browser brought no cookie.
    ///
    /// `Ok(None)` when it has been begun again twice, or when the state is not one that waits for its redirect: then
    /// there is nothing to begin again, only something to explain. A sign-in that was to bind is not begun again either:
    /// only the session that asked for it can.
    pub async fn restart(&self, state: &Secret) -> Result<Option<Restart>, wecom_login_store::Error> {
        let Some(Versioned { record, .. }) = self.states.get(state, self.clock.now()).await? else {
            return Ok(None);
        };
        let waiting = record.browser.is_some() && record.phase == Phase::Issued && record.binding.is_none();
        Ok((waiting && record.restarts < MAX_RESTARTS).then(|| Restart {
            instance: record.instance,
            return_to: record.return_to,
            restarts: record.restarts + 1,
        }))
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

    /// True when the state waits for its redirect and its sign-in has been begun again as often as it may be.
    pub async fn restarts_are_used_up(&self, state: &Secret) -> Result<bool, wecom_login_store::Error> {
        let record = self.states.get(state, self.clock.now()).await?.map(|versioned| versioned.record);
        Ok(record.is_some_and(|record| record.phase == Phase::Issued && record.restarts >= MAX_RESTARTS))
    }

    /// Finishes a sign-in over HTTP: the redirect itself, or getLoginCode from the browser's page.
    ///
    /// The same redirect delivered again gives the same session as long as that lives, for 5 minutes. The work goes on
    /// when the caller goes away: browsers abandon a redirect and deliver it again, and the code works once.
    pub async fn sign_in(&self, redirect: Redirect) -> Result<SignedIn, Refusal> {
        let login = self.clone();
        let work = tokio::spawn(async move { login.deliver(&redirect).await });
        work.await.unwrap_or_else(|error| Err(Refusal::Unforeseen(format!("the sign-in broke off: {error}"))))
    }

    /// getLoginCode of the library: who it is, without a session. A state is optional; a given one must have been
    /// issued to the library for this instance, and is used up.
    pub async fn identify(
        &self,
        instance: &Instance,
        code: &str,
        state: Option<&str>,
    ) -> Result<UserInfo, Refusal> {
        let auth_code = AuthCode::parse(code).map_err(|_| Settled::BadCode)?;
        if let Some(state) = state.filter(|state| !state.is_empty()) {
            self.spend_library_state(instance, &Secret::new(state)).await?;
        }
        let calls = instance.client().within(self.budget.clone());
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

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    async fn deliver(&self, redirect: &Redirect) -> Result<SignedIn, Refusal> {
        let code = AuthCode::parse(redirect.code.expose()).map_err(|_| Settled::BadCode)?;
        if redirect.state.is_empty() {
            return Err(Refusal::StateMissing);
        }
        let fingerprint = redirect.fingerprint();
        let patience = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(10);
        loop {
            let now = self.clock.now();
            let Some(read) = self.states.get(&redirect.state, now).await? else {
                return Err(Refusal::StateUnknown);
            };
            check_holder(&read.record, redirect)?;
            let proven = match &read.record.phase {
                Phase::Spent { redirect: spent, until, outcome } => {
                    if *spent != fingerprint.to_hex() {
                        return Err(used(&read.record, redirect));
                    }
                    if now >= *until {
                        return Err(Refusal::StateUsed);
                    }
                    return self.tell_again(redirect, &read.record, outcome).await;
                }
                Phase::Claimed { redirect: claimed, .. } | Phase::Proven { redirect: claimed, .. }
                    if *claimed != fingerprint.to_hex() =>
                {
                    return Err(used(&read.record, redirect));
                }
                Phase::Claimed { until, .. } if now < *until => {
                    if Instant::now() >= patience {
                        return Err(Refusal::StillUnderWay);
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(200));
                    continue;
                }
                Phase::Claimed { proven, .. } => proven.clone(),
                Phase::Proven { proven, .. } => Some(proven.clone()),
                Phase::Issued => None,
            };
            if now >= read.record.expires_at {
                return Err(Refusal::StateExpired);
            }
            let took_over = matches!(read.record.phase, Phase::Claimed { .. });
            let claim = Phase::Claimed {
                redirect: fingerprint.to_hex(),
                until: now + CLAIM_LEASE,
                proven: proven.clone(),
            };
            if let Some(claimed) = self.states.step(&redirect.state, &read, claim).await? {
                return self.finish(redirect, fingerprint, &code, claimed, proven, took_over).await;
            }
        }
    }

    /// Exchanges the code and moves the claimed state to what came of it.
    async fn finish(
        &self,
        redirect: &Redirect,
        fingerprint: Fingerprint,
        code: &AuthCode,
        claimed: Versioned,
        mut proven: Option<Proven>,
        took_over: bool,
    ) -> Result<SignedIn, Refusal> {
        let result = match self.begun_before(fingerprint, took_over).await {
            Ok(Some((token, session))) => Ok(Proof::Began(token, session)),
            Ok(None) => {
                let binding = claimed.record.binding.as_ref();
                self.exchange(redirect, fingerprint, code, binding, &mut proven).await
            }
            Err(refusal) => Err(refusal),
        };
        let spent = |outcome| Phase::Spent {
            redirect: fingerprint.to_hex(),
            until: self.clock.now() + OUTCOME_LIFETIME,
            outcome,
        };
        match result {
            Ok(Proof::Began(token, session)) => {
                let sealed_token = self
                    .sealer
                    .seal(&place(fingerprint), token.secret())
                    .map_err(|error| Refusal::Unforeseen(error.to_string()))?;
                let outcome = Outcome::SignedIn { session: session.id.clone(), sealed_token };
                self.states.step(&redirect.state, &claimed, spent(outcome)).await?;
                let user = self.user_info_of(&session).await?.ok_or_else(|| vanished(&session))?;
                Ok(SignedIn { token: Some(token), session, user, return_to: claimed.record.return_to })
            }
            Ok(Proof::Bound(session, member)) => {
                let outcome = Outcome::Bound { session: session.id.clone(), user_id: member.user_id.clone() };
                self.states.step(&redirect.state, &claimed, spent(outcome)).await?;
                let user = self.user_info(&member).await?;
                Ok(SignedIn { token: None, session, user, return_to: claimed.record.return_to })
            }
            Err(Refusal::Settled(settled)) => {
                self.states.step(&redirect.state, &claimed, spent(Outcome::Refused { settled })).await?;
                Err(settled.into())
            }
            Err(refusal) => {
                let phase = match proven {
                    Some(proven) => Phase::Proven { redirect: fingerprint.to_hex(), proven },
                    None => Phase::Issued,
                };
                // Should this fail too, the claim's lease runs out.
                if let Err(error) = self.states.step(&redirect.state, &claimed, phase).await {
                    tracing::warn!(%error, "a state stays claimed until its lease runs out");
                }
                Err(refusal)
            }
        }
    }

    /// The session that a delivery has begun which died before it could tell.
    async fn begun_before(
        &self,
        fingerprint: Fingerprint,
        took_over: bool,
    ) -> Result<Option<(SessionToken, Session)>, Refusal> {
        if took_over { Ok(self.sessions.adopt(fingerprint).await?) } else { Ok(None) }
    }

    async fn exchange(
        &self,
        redirect: &Redirect,
        fingerprint: Fingerprint,
        code: &AuthCode,
        binding: Option<&Binding>,
        proven: &mut Option<Proven>,
    ) -> Result<Proof, Refusal> {
        let instance = &redirect.instance;
        let calls = instance.client().within(self.budget.clone());
        // A ticket is not kept for another try.
        let (user_id, ticket, lost_ticket) = match proven {
            Some(proven) => (proven.user_id.clone(), None, proven.had_ticket),
            None => {
                let (user_id, ticket) = self.prove(&calls, code).await?;
                (user_id, ticket, false)
            }
        };
        *proven = Some(Proven { user_id: user_id.clone(), had_ticket: ticket.is_some() || lost_ticket });
        // Whoever has an account already is not looked for, and costs no call more than before.
        let account = self.accounts.of_member(instance.corp_id(), &user_id).await?;
        let looking = account.is_none() && binding.is_none() && instance.policy().bind_by.needs_profile();
        if looking && lost_ticket {
            // What it would have told may decide whose account it is: a new sign-in tells it again.
            return Err(Refusal::StateUsed);
        }
        let (member, told) = self.member(&calls, instance, &user_id, ticket.as_ref(), looking).await?;
        if let Some(binding) = binding {
            return self.bind(binding, account, member).await;
        }
        if account.is_none() {
            let who = MemberRef { corp_id: member.corp_id.clone(), user_id: member.user_id.clone() };
            if let Entry::None(reason) = self.accounts.enter(&who, instance.policy(), &told).await? {
                return Err(Settled::NoAccount { reason }.into());
            }
        }
        let session =
            self.sessions.begin(fingerprint, &member.corp_id, &member.user_id, instance.full_name()).await?;
        let (token, session) = session.ok_or(Refusal::StateUsed)?;
        Ok(Proof::Began(token, session))
    }

    /// Binds the proven member to the account whose session asked for it.
    async fn bind(
        &self,
        binding: &Binding,
        account: Option<Account>,
        member: Member,
    ) -> Result<Proof, Refusal> {
        let session = self.sessions.live(&binding.session).await?;
        let session = session.filter(|session| session.account_id == Some(binding.account));
        let session = session.ok_or(Settled::SessionGone)?;
        if account.is_some_and(|account| account.id != binding.account) {
            return Err(Settled::BoundToAnother.into());
        }
        let who = MemberRef { corp_id: member.corp_id.clone(), user_id: member.user_id.clone() };
        match self.accounts.bind(&who, binding.account, BoundBy::Member).await? {
            Bound::Done => Ok(Proof::Bound(session, Box::new(member))),
            Bound::Elsewhere(_) => Err(Settled::BoundToAnother.into()),
            Bound::NoAccount => Err(Settled::SessionGone.into()),
        }
    }

    /// Whose code it is (one call, auth/getuserinfo).
    async fn prove(&self, calls: &Calls, code: &AuthCode) -> Result<(UserId, Option<Secret>), Refusal> {
        match calls.identify(code).await {
            Ok(Identity::Member { user_id, user_ticket }) => Ok((user_id, user_ticket)),
            Ok(Identity::NonMember { .. }) => Err(Settled::NotAMember.into()),
            // What WeCom may name besides is none of ours either.
            Ok(_) => Err(Settled::MemberOfAnotherCompany.into()),
            Err(error) if error.is_bad_code() => Err(Settled::BadCode.into()),
            Err(error) => Err(Refusal::WeCom(error)),
        }
    }

    /// The member's row, read from WeCom unless it is fresh, if they may sign in. With a ticket, what the member has
    /// consented to give away is read at the same time.
    ///
    /// When an account is being `looking` for, WeCom is asked in any case: what it returns now counts, not what the row
    /// remembers; and a sign-in fails if it cannot be asked.
    async fn member(
        &self,
        calls: &Calls,
        instance: &Instance,
        user_id: &UserId,
        ticket: Option<&Secret>,
        looking: bool,
    ) -> Result<(Member, Told), Refusal> {
        let corp_id = instance.corp_id();
        let row = async {
            let fresh_for = instance.user_fresh_for();
            match self.directory.fresh_member(corp_id, user_id, fresh_for).await? {
                Some(member) if !looking => Ok((member, Told::default())),
                _ => {
                    let (member, profile) = self.directory.read_told(calls, corp_id, user_id).await?;
                    Ok((member, Told { mobile: profile.mobile, biz_mail: profile.biz_mail }))
                }
            }
        };
        let (row, consent) = tokio::join!(row, self.consent(calls, instance, user_id, ticket));
        let (mut member, mut told) = row.map_err(refused)?;
        let consent = match consent {
            Ok(consent) => consent,
            Err(error) if looking => return Err(refused(error)),
            Err(error) => {
                // It is a gain, not a condition.
                tracing::warn!(instance = instance.full_name(), %error, "what the member consented to was not read");
                None
            }
        };
        if let Some(consent) = consent {
            let saved = self.directory.save_consent(corp_id, user_id, &consent).await.map_err(refused)?;
            member = saved.unwrap_or(member);
            for (told, given) in [(&mut told.mobile, consent.mobile), (&mut told.biz_mail, consent.biz_mail)]
            {
                if !given.is_empty() {
                    *told = given;
                }
            }
        }
        match member.profile.status {
            Some(MemberStatus::Disabled) => Err(Settled::Disabled.into()),
            Some(MemberStatus::Left) => Err(Settled::Left.into()),
            _ => Ok((member, told)),
        }
    }

    /// What the member has consented to give away, if a ticket came.
    async fn consent(
        &self,
        calls: &Calls,
        instance: &Instance,
        user_id: &UserId,
        ticket: Option<&Secret>,
    ) -> Result<Option<Consent>, wecom_login_directory::Error> {
        match ticket {
            Some(ticket) => self.directory.read_consent(calls, instance.corp_id(), user_id, ticket).await,
            None => Ok(None),
        }
    }

    pub(crate) async fn user_info(&self, member: &Member) -> Result<UserInfo, Refusal> {
        let departments = &member.profile.departments;
        let names = self.directory.department_names(&member.corp_id, departments).await.map_err(refused)?;
        Ok(UserInfo::new(member, names))
    }

    /// Answers a second delivery like the first, as long as the session lives.
    async fn tell_again(
        &self,
        redirect: &Redirect,
        record: &Record,
        outcome: &Outcome,
    ) -> Result<SignedIn, Refusal> {
        match outcome {
            Outcome::Refused { settled } => Err((*settled).into()),
            Outcome::UsedByLibrary => Err(Refusal::StateUsed),
            Outcome::SignedIn { session, sealed_token } => {
                let session = self.sessions.live(session).await?.ok_or(Refusal::StateUsed)?;
                let token = self
                    .sealer
                    .open(&place(redirect.fingerprint()), sealed_token)
                    .ok()
                    .and_then(|secret| SessionToken::parse(secret.expose()))
                    .ok_or(Refusal::StateUsed)?;
                let user = self.user_info_of(&session).await?.ok_or_else(|| vanished(&session))?;
                Ok(SignedIn { token: Some(token), session, user, return_to: record.return_to.clone() })
            }
            Outcome::Bound { session, user_id } => {
                let session = self.sessions.live(session).await?.ok_or(Refusal::StateUsed)?;
                let corp_id = redirect.instance.corp_id();
                let member = self.directory.member(corp_id, user_id).await.map_err(refused)?;
                let user = self.user_info(&member.ok_or_else(|| vanished(&session))?).await?;
                Ok(SignedIn { token: None, session, user, return_to: record.return_to.clone() })
            }
        }
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

/// What a redirect has proved came to.
#[derive(Debug)]
enum Proof {
    /// A session of the member.
    Began(SessionToken, Session),
    /// The member is bound to the account of this session.
    Bound(Session, Box<Member>),
}

/// The state must have been issued to this browser for this instance.
fn check_holder(record: &Record, redirect: &Redirect) -> Result<(), Refusal> {
    if record.instance != redirect.instance.full_name() {
        return Err(Refusal::StateUnknown);
    }
    if record.browser.is_none() {
        return Err(Refusal::StateOfLibrary);
    }
    if !record.belongs_to(redirect) {
        return Err(match record.phase {
            Phase::Issued => Refusal::StateOfAnotherBrowser,
            _ => used(record, redirect),
        });
    }
    Ok(())
}

/// What a redirect is told whose state was used by another one: another browser gets WeCom's number for a used code.
fn used(record: &Record, redirect: &Redirect) -> Refusal {
    if record.belongs_to(redirect) { Refusal::StateUsed } else { Settled::BadCode.into() }
}

fn place(fingerprint: Fingerprint) -> String {
    format!("outcome/{}", fingerprint.to_hex())
}

fn vanished(session: &Session) -> Refusal {
    Refusal::Unforeseen(format!("session {} is of a member whom the local copy does not know", session.id))
}

pub(crate) fn refused(error: wecom_login_directory::Error) -> Refusal {
    match error {
        wecom_login_directory::Error::WeCom(error) if error.is_outside_scope() => {
            Settled::OutsideScope { errcode: error.errcode().unwrap_or_default() }.into()
        }
        wecom_login_directory::Error::WeCom(error) => Refusal::WeCom(error),
        wecom_login_directory::Error::Store(error) => Refusal::Store(error),
    }
}
