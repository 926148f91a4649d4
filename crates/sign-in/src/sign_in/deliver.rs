//! The delivery of a redirect: one delivery claims the state and exchanges the code, the others get its outcome.

use std::time::Duration;

use tokio::time::Instant;
use wecom::AuthCode;
use wecom_login_model::{Clock as _, Fingerprint, MemberRef};
use wecom_login_session::{KeptOutcome, Session, SessionToken};
use wecom_login_store::Act;

use super::complete::{ProvedSignIn, SessionChange, SignedIn};
use super::proof::MemberLookup;
use super::refused;
use crate::error::Terminal;
use crate::state::{Claim, ClaimStep, Phase, Proven, Read};
use crate::{Attempt, AuthorizationResponse, Flow, Login, Purpose, SignInError, State, StateOwner, UserInfo};

/// How long a second delivery waits for the first: until its claim has run out, if it must.
const PATIENCE: Duration = Duration::from_secs(12);
/// A second delivery looks after the first in pauses from `.0` to `.1`.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// What a redirect came to before its session.
#[derive(Debug)]
pub enum Delivery {
    /// WeCom has proved the member. [`Login::complete`] begins the session.
    Proved(Box<ProvedSignIn>),
    /// An earlier delivery of the same redirect had this outcome.
    Replayed(Box<SignedIn>),
}

/// A delivery that holds the claim of its state.
struct Exchange<'a> {
    response: &'a AuthorizationResponse,
    claim: Claim,
    code: &'a AuthCode,
    flow: Flow,
    /// `None` if WeCom has named the member before.
    attempt: Option<Attempt>,
    /// The member that WeCom has named, in this delivery or in one before.
    proven: Option<Proven>,
    /// A delivery before came to no outcome that is known.
    tried_before: bool,
}

impl Login {
    /// Exchanges the code of a redirect, or of a page's getLoginCode, for the member; the same redirect delivered again gets the
    /// same outcome for 5 minutes, while its session is active.
    ///
    /// Run it with [`Login::complete`] as one [tracked](Login::track) task: browsers abandon a redirect and deliver it again,
    /// and the code works once.
    pub async fn deliver(&self, response: &AuthorizationResponse) -> Result<Delivery, SignInError> {
        let code = AuthCode::parse(response.code.expose()).map_err(|_| Terminal::BadCode)?;
        let (state, flow) = self.accept(response).await?;
        let redirect = response.fingerprint();
        let deadline = Instant::now() + PATIENCE;
        let mut pause = PAUSES.0;
        let mut is_held = false;
        loop {
            let is_expired = || self.clock.now() >= state.expires_at();
            let mut refused = None;
            if !is_held && !is_expired() {
                // Before the claim: an attempt that waits or is refused writes nothing. The state may expire while it waits.
                match self.attempts.admit(&response.visitor.attempter).await {
                    Ok(_) if is_expired() => {}
                    Ok(attempt) => match self.claims.claim(&state, redirect, self.clock.now()).await? {
                        ClaimStep::Won(claim) => {
                            let exchange = Exchange {
                                response,
                                claim,
                                code: &code,
                                flow,
                                attempt: Some(attempt),
                                proven: None,
                                tried_before: false,
                            };
                            return self.exchange(exchange).await;
                        }
                        ClaimStep::Lost => return Err(SignInError::StateLost),
                        ClaimStep::Held => is_held = true,
                    },
                    // The outcome of an earlier delivery takes from no allowance.
                    Err(error) => refused = Some(error),
                }
            }
            let now = self.clock.now();
            let Some(read) = self.claims.get(&state, now).await? else {
                if let Some(refused) = refused {
                    return Err(refused.into());
                }
                if is_expired() {
                    return Err(SignInError::StateExpired);
                }
                is_held = false;
                continue;
            };
            let (proven, tried_before) = match self.held(response, redirect, &read).await? {
                Held::Replayed(signed_in) => return Ok(Delivery::Replayed(signed_in)),
                Held::InProgress if Instant::now() >= deadline => return Err(SignInError::StillInProgress),
                Held::InProgress => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                    continue;
                }
                Held::Abandoned { proven, tried_before } => (proven, tried_before),
            };
            let attempt = match proven {
                None => Some(self.attempts.admit(&response.visitor.attempter).await?),
                Some(_) => None,
            };
            if is_expired() {
                return Err(SignInError::StateExpired);
            }
            let now = self.clock.now();
            if let Some(claim) = self.claims.take_over(&state, &read, redirect, proven.clone(), now).await? {
                let code = &code;
                let exchange = Exchange { response, claim, code, flow, attempt, proven, tried_before };
                return self.exchange(exchange).await;
            }
        }
    }

    /// Checks what the state itself says: issued here, for this instance, to this browser; and opens its flow.
    async fn accept(&self, response: &AuthorizationResponse) -> Result<(State, Flow), SignInError> {
        if response.state.is_empty() {
            return Err(SignInError::StateMissing);
        }
        let state = self.read_state(&response.state).ok_or(SignInError::StateUnknown)?;
        if !state.is_for(response.instance.full_name()) {
            return Err(SignInError::StateUnknown);
        }
        if state.is_of(StateOwner::Library) {
            return Err(SignInError::StateOfLibrary);
        }
        let visitor = &response.visitor;
        let own = visitor.browser.as_ref().is_some_and(|browser| state.is_of(StateOwner::Browser(browser)));
        if !own {
            // Another browser learns no more than that the code is used.
            let claimed = self.claims.get(&state, self.clock.now()).await?;
            return Err(match claimed {
                Some(read) if !read.record.phase.is_open() => Terminal::BadCode.into(),
                _ => SignInError::StateOfAnotherBrowser,
            });
        }
        match (state.purpose(), self.flow(&state, visitor)) {
            (Purpose::SignIn, flow) => {
                Ok((state, flow.map(|flow| Flow { binding: None, ..flow }).unwrap_or_default()))
            }
            (Purpose::Bind, Some(flow)) if flow.binding.is_some() => Ok((state, flow)),
            (Purpose::Bind, _) => Err(SignInError::BindingLost),
        }
    }

    /// What a claimed state means for this redirect.
    async fn held(
        &self,
        response: &AuthorizationResponse,
        redirect: Fingerprint,
        read: &Read,
    ) -> Result<Held, SignInError> {
        let (now, record) = (self.clock.now(), &read.record);
        if record.redirect != redirect.to_hex() {
            // The state may serve another code as long as it has named nobody.
            return match &record.phase {
                phase if phase.is_open() => Ok(Held::Abandoned { proven: None, tried_before: false }),
                _ => Err(SignInError::StateUsed),
            };
        }
        match &record.phase {
            Phase::Refused { terminal, until } if now < *until => Err((*terminal).into()),
            Phase::Refused { .. } | Phase::RefusedByTheApp | Phase::UsedByLibrary => {
                Err(SignInError::StateUsed)
            }
            Phase::Bound { until, .. } | Phase::Continued { until, .. } if now >= *until => {
                Err(SignInError::StateUsed)
            }
            Phase::Bound { session, user_id, .. } => {
                let (session, instance) = (self.active(session).await?, &response.instance);
                let app = (instance.corp_id(), instance.agent_id());
                let user = self.user_info_by_id(app, user_id).await?;
                Ok(Held::replay(SessionChange::Bound, None, session, user))
            }
            Phase::Continued { session, .. } => {
                let session = self.active(session).await?;
                let app = (response.instance.corp_id(), response.instance.agent_id());
                let user = self.user_info_by_id(app, &session.user_key).await?;
                Ok(Held::replay(SessionChange::Continued, None, session, user))
            }
            Phase::Claimed { .. } | Phase::Tried { .. } => {
                if let Some(kept) = self.sessions.outcome_of(redirect).await? {
                    return self.replay(response, redirect, kept).await;
                }
                Ok(match &record.phase {
                    Phase::Claimed { until, .. } if now < *until => Held::InProgress,
                    Phase::Claimed { proven, .. } | Phase::Tried { proven } => {
                        Held::Abandoned { proven: proven.clone(), tried_before: true }
                    }
                    _ => Held::Abandoned { proven: None, tried_before: true },
                })
            }
        }
    }

    async fn active(&self, session: &str) -> Result<Session, SignInError> {
        self.sessions.live(session).await?.ok_or(SignInError::StateUsed)
    }

    /// The session that an earlier delivery has begun, while it is active and its token is still given out.
    async fn replay(
        &self,
        response: &AuthorizationResponse,
        redirect: Fingerprint,
        kept: KeptOutcome,
    ) -> Result<Held, SignInError> {
        let (Some(session), Some(sealed)) = (kept.session, kept.sealed_token) else {
            return Err(SignInError::StateUsed);
        };
        let token = self.sealer.open(&super::outcome_place(redirect), &sealed).ok();
        let token = token.and_then(|secret| SessionToken::parse(secret.expose()));
        let token = token.ok_or(SignInError::StateUsed)?;
        let app = (response.instance.corp_id(), response.instance.agent_id());
        let user = self.user_info_by_id(app, &session.user_key).await?;
        Ok(Held::replay(SessionChange::Began, Some(token), session, user))
    }

    /// Exchanges the code, and writes down what came of it unless that is a member.
    async fn exchange(&self, mut exchange: Exchange<'_>) -> Result<Delivery, SignInError> {
        match self.prove_member(&mut exchange).await {
            Ok(proved) => Ok(Delivery::Proved(Box::new(proved))),
            Err(error) => {
                let Exchange { claim, proven, .. } = exchange;
                self.give_back(&claim, proven, &error).await;
                Err(error)
            }
        }
    }

    async fn prove_member(&self, exchange: &mut Exchange<'_>) -> Result<ProvedSignIn, SignInError> {
        let instance = &exchange.response.instance;
        let calls = instance.client().within(self.budget.clone());
        let (user_id, ticket, lost_ticket) = match &exchange.proven {
            // A ticket is not kept for another try.
            Some(proven) => (proven.user_id.clone(), None, proven.had_ticket),
            None => {
                // After a try that broke off, the code may be refused because that try has used it.
                let attempt = exchange.attempt.take();
                let (counted, _uncounted) =
                    if exchange.tried_before { (None, attempt) } else { (attempt, None) };
                let (user_id, ticket) = match self.prove(&calls, exchange.code, counted).await {
                    Err(SignInError::Terminal(Terminal::BadCode)) if exchange.tried_before => {
                        return Err(Terminal::BrokenOff.into());
                    }
                    proved => proved?,
                };
                let had_ticket = ticket.is_some();
                exchange.proven = Some(Proven { user_id: user_id.clone(), had_ticket });
                (user_id, ticket, false)
            }
        };
        let (corp_id, agent_id) = (instance.corp_id(), instance.agent_id());
        Act::current().has_proved(MemberRef { corp_id: corp_id.clone(), user_id: user_id.clone() });
        let known = self.directory.known_member((corp_id, agent_id), &user_id).await.map_err(refused)?;
        let has_account = known.as_ref().is_some_and(|known| known.has_account);
        let is_search = !has_account
            && exchange.claim.state.purpose() == Purpose::SignIn
            && instance.policy().bind_by.needs_profile();
        if is_search && lost_ticket {
            // The ticket may decide whose account it is. A new sign-in brings a new ticket.
            return Err(Terminal::BrokenOff.into());
        }
        let fresh =
            known.filter(|known| !is_search && self.directory.is_fresh(known, instance.user_fresh_for()));
        if fresh.is_none() || ticket.is_some() {
            self.keep_proof(exchange).await?;
        }
        let lookup = MemberLookup { user_id: &user_id, ticket: ticket.as_ref(), fresh, is_search };
        let (member, user, contact) = self.member(&calls, instance, lookup).await?;
        // The ticket that was lost may have told more.
        let contact = contact.filter(|_| !lost_ticket);
        Ok(ProvedSignIn {
            response: exchange.response.clone(),
            claim: exchange.claim.clone(),
            proven: exchange.proven.clone(),
            flow: exchange.flow.clone(),
            member,
            user,
            contact,
        })
    }

    /// Stores the member that WeCom has named before WeCom is asked again: the code is used up, and if this process dies, another
    /// can continue.
    async fn keep_proof(&self, exchange: &mut Exchange<'_>) -> Result<(), SignInError> {
        let Some(proven) = &exchange.proven else { return Ok(()) };
        // A record that was taken over meanwhile changes nothing about who it is; and the redirect's fingerprint makes one
        // session in any case.
        if let Some(claim) = self.claims.keep_proof(&exchange.claim, proven, self.clock.now()).await? {
            exchange.claim = claim;
        }
        Ok(())
    }

    /// Ends the claim of a delivery that came to no session: a terminal refusal spends the state, after any other error the same
    /// browser may try again.
    pub(super) async fn give_back(&self, claim: &Claim, proven: Option<Proven>, error: &SignInError) {
        let phase = match error {
            SignInError::Terminal(terminal) => Phase::refused(*terminal, self.clock.now()),
            SignInError::StateUsed => return,
            _ => Phase::Tried { proven },
        };
        // Should this fail too, the claim's lease runs out.
        if let Err(error) = self.claims.step(claim, phase).await {
            tracing::warn!(%error, "a state stays claimed until its lease runs out");
        }
    }
}

/// What a claimed state means for a delivery.
enum Held {
    Replayed(Box<SignedIn>),
    InProgress,
    Abandoned { proven: Option<Proven>, tried_before: bool },
}

impl Held {
    fn replay(change: SessionChange, token: Option<SessionToken>, session: Session, user: UserInfo) -> Self {
        Self::Replayed(Box::new(SignedIn { token, session, user, change, replayed: true }))
    }
}
