//! What becomes of a delivered redirect: one delivery claims the state and exchanges the code, the others are told what came
//! of it.

use std::time::Duration;

use tokio::time::Instant;
use wecom::AuthCode;
use wecom_login_accounts::{Bound, BoundBy, Entry};
use wecom_login_model::{Account, Clock, Fingerprint, Member, MemberRef, Timestamp};
use wecom_login_session::{Session, SessionToken};
use wecom_login_store::Act;

use super::refused;
use crate::refusal::Settled;
use crate::state::{CLAIM_LEASE, OUTCOME_LIFETIME, Outcome, Phase, Proven, Record, Versioned};
use crate::{Binding, Login, Redirect, Refusal, SignedIn};

/// How long a second delivery waits for the first: until its claim has run out, if it must.
const PATIENCE: Duration = Duration::from_secs(12);

impl Login {
    pub(super) async fn deliver(&self, redirect: &Redirect) -> Result<SignedIn, Refusal> {
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
            let (proven, tried_before) = match &read.record.phase {
                Phase::Spent { redirect: spent, until, outcome } => {
                    if *spent != fingerprint.to_hex() {
                        return Err(used(&read.record, redirect));
                    }
                    if now >= *until {
                        return Err(Refusal::StateUsed);
                    }
                    return self.tell_again(redirect, &read.record, outcome).await;
                }
                Phase::Claimed { redirect: other, .. }
                | Phase::Tried { redirect: other, proven: Some(_) }
                    if *other != fingerprint.to_hex() =>
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
                Phase::Claimed { proven, .. } => (proven.clone(), true),
                Phase::Tried { redirect: tried, proven } => (proven.clone(), *tried == fingerprint.to_hex()),
                Phase::Issued => (None, false),
            };
            if now >= read.record.expires_at {
                return Err(Refusal::StateExpired);
            }
            let claim = claimed(fingerprint, now, proven.clone());
            if let Some(claimed) = self.states.step(&redirect.state, &read, claim).await? {
                let delivery = Delivery { redirect, fingerprint, code: &code, claimed, proven, tried_before };
                return self.finish(delivery).await;
            }
        }
    }

    /// Exchanges the code and moves the claimed state to what came of it.
    async fn finish(&self, mut delivery: Delivery<'_>) -> Result<SignedIn, Refusal> {
        let result = match self.begun_before(&delivery).await {
            Ok(Some((token, session))) => Ok(Proof::Began(token, session)),
            Ok(None) => self.exchange(&mut delivery).await,
            Err(refusal) => Err(refusal),
        };
        let Delivery { redirect, fingerprint, claimed, proven, .. } = delivery;
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
                Ok(SignedIn {
                    token: Some(token),
                    session,
                    user,
                    return_to: claimed.record.return_to,
                    again: false,
                })
            }
            Ok(Proof::Bound(session, member)) => {
                let outcome = Outcome::Bound { session: session.id.clone(), user_id: member.user_id.clone() };
                self.states.step(&redirect.state, &claimed, spent(outcome)).await?;
                let user = self.user_info(&member).await?;
                Ok(SignedIn { token: None, session, user, return_to: claimed.record.return_to, again: false })
            }
            Err(Refusal::Settled(settled)) => {
                self.states.step(&redirect.state, &claimed, spent(Outcome::Refused { settled })).await?;
                Err(settled.into())
            }
            Err(refusal) => {
                let phase = Phase::Tried { redirect: fingerprint.to_hex(), proven };
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
        delivery: &Delivery<'_>,
    ) -> Result<Option<(SessionToken, Session)>, Refusal> {
        if delivery.tried_before { Ok(self.sessions.adopt(delivery.fingerprint).await?) } else { Ok(None) }
    }

    async fn exchange(&self, delivery: &mut Delivery<'_>) -> Result<Proof, Refusal> {
        let fingerprint = delivery.fingerprint;
        let instance = &delivery.redirect.instance;
        let calls = instance.client().within(self.budget.clone());
        let (user_id, ticket, lost_ticket) = match &delivery.proven {
            // A ticket is not kept for another try.
            Some(proven) => (proven.user_id.clone(), None, proven.had_ticket),
            None => {
                let (user_id, ticket) = match self.prove(&calls, delivery.code).await {
                    Err(Refusal::Settled(Settled::BadCode)) if delivery.tried_before => {
                        return Err(Settled::BrokenOff.into());
                    }
                    proved => proved?,
                };
                delivery.proven = Some(Proven { user_id: user_id.clone(), had_ticket: ticket.is_some() });
                self.keep_proof(delivery).await?;
                (user_id, ticket, false)
            }
        };
        Act::current()
            .has_proved(MemberRef { corp_id: instance.corp_id().clone(), user_id: user_id.clone() });
        let binding = delivery.claimed.record.binding.as_ref();
        // Whoever has an account already is not looked for, and costs no call more than before.
        let account = self.accounts.of_member(instance.corp_id(), &user_id).await?;
        let looking = account.is_none() && binding.is_none() && instance.policy().bind_by.needs_profile();
        if looking && lost_ticket {
            // What it would have told may decide whose account it is: a new sign-in tells it again.
            return Err(Settled::BrokenOff.into());
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
        match session {
            Some((token, session)) => Ok(Proof::Began(token, session)),
            None => Err(self.without_session(&member).await?),
        }
    }

    /// Why a sign-in got no session: the member was marked as having left after their row was read, or the sign-in has had
    /// one that has ended.
    async fn without_session(&self, member: &Member) -> Result<Refusal, Refusal> {
        let member = self.directory.member(&member.corp_id, &member.user_id).await.map_err(refused)?;
        let left = member.is_some_and(|member| member.left_at.is_some());
        Ok(if left { Settled::Left.into() } else { Refusal::StateUsed })
    }

    /// Writes down whom WeCom has named: the code is burnt, and should this process die, another can go on.
    async fn keep_proof(&self, delivery: &mut Delivery<'_>) -> Result<(), Refusal> {
        let claim = claimed(delivery.fingerprint, self.clock.now(), delivery.proven.clone());
        // A record that has vanished or was taken over meanwhile changes nothing about who it is; and the redirect's
        // fingerprint makes one session in any case.
        if let Some(claimed) = self.states.step(&delivery.redirect.state, &delivery.claimed, claim).await? {
            delivery.claimed = claimed;
        }
        Ok(())
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
                Ok(SignedIn {
                    token: Some(token),
                    session,
                    user,
                    return_to: record.return_to.clone(),
                    again: true,
                })
            }
            Outcome::Bound { session, user_id } => {
                let session = self.sessions.live(session).await?.ok_or(Refusal::StateUsed)?;
                let corp_id = redirect.instance.corp_id();
                let member = self.directory.member(corp_id, user_id).await.map_err(refused)?;
                let user = self.user_info(&member.ok_or_else(|| vanished(&session))?).await?;
                Ok(SignedIn { token: None, session, user, return_to: record.return_to.clone(), again: true })
            }
        }
    }
}

/// One delivery of a redirect, which has claimed its state.
struct Delivery<'a> {
    redirect: &'a Redirect,
    fingerprint: Fingerprint,
    code: &'a AuthCode,
    claimed: Versioned,
    /// Whom WeCom has named, in this delivery or in one before.
    proven: Option<Proven>,
    /// A delivery before came to no outcome that is known.
    tried_before: bool,
}

fn claimed(fingerprint: Fingerprint, now: Timestamp, proven: Option<Proven>) -> Phase {
    Phase::Claimed { redirect: fingerprint.to_hex(), until: now + CLAIM_LEASE, proven }
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
        let open = record.is_open();
        return Err(if open { Refusal::StateOfAnotherBrowser } else { used(record, redirect) });
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
