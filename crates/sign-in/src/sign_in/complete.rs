//! The end of a sign-in, after the whole chain of Types has accepted the member: the session, or the binding.

use wecom_login_accounts::{Bound, NoAccount, VerifiedContact};
use wecom_login_model::{Clock as _, Member, MemberRef};
use wecom_login_session::{Begun, Session, SessionStart, SessionToken, SignInOutcome};

use super::outcome_place;
use crate::error::Terminal;
use crate::state::{Claim, OUTCOME_LIFETIME, Phase, Proven};
use crate::{AuthorizationResponse, Binding, Flow, Login, SignInError, UserInfo};

/// A member that WeCom has proved; no session has begun yet. The effect of getLoginCode over HTTP: an own Type may pass it on or
/// drop it, and cannot change it.
pub struct ProvedSignIn {
    pub(super) response: AuthorizationResponse,
    pub(super) claim: Claim,
    pub(super) proven: Option<Proven>,
    pub(super) flow: Flow,
    pub(super) member: Member,
    pub(super) user: UserInfo,
    pub(super) contact: Option<VerifiedContact>,
}

/// A member who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// For the browser's cookie; `None` where the browser's session continues.
    pub token: Option<SessionToken>,
    /// The session.
    pub session: Session,
    /// The value of getLoginCode.
    pub user: UserInfo,
    /// What became of the browser's session.
    pub change: SessionChange,
    /// True if an earlier delivery of the same redirect had this outcome.
    pub replayed: bool,
}

/// What a sign-in made of the browser's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionChange {
    /// A new session began.
    Began,
    /// The session continues: WeCom has proved its member again.
    Continued,
    /// The session continues: the proved member was bound to its account.
    Bound,
}

/// The sessions that the browser has when its sign-in ends; the new session replaces them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Former<'a> {
    /// Their tokens.
    pub tokens: &'a [SessionToken],
    /// The first that is the proved member's, through the same instance, continues.
    pub may_continue: bool,
}

impl ProvedSignIn {
    /// The value of getLoginCode.
    pub fn user(&self) -> &UserInfo {
        &self.user
    }
}

impl std::fmt::Debug for ProvedSignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvedSignIn").field("claim", &self.claim).finish_non_exhaustive()
    }
}

impl Login {
    /// Begins the session of a proved member, or binds them to the account of the session that asked for it. Everything that
    /// decides is decided in one transaction.
    pub async fn complete(&self, proved: ProvedSignIn, former: Former<'_>) -> Result<SignedIn, SignInError> {
        let completed = match &proved.flow.binding {
            Some(binding) => self.bind(&proved, binding).await,
            None => self.begin(&proved, former).await,
        };
        match completed {
            Ok((token, session, change)) => {
                Ok(SignedIn { token, session, user: proved.user, change, replayed: false })
            }
            Err(error) => {
                self.give_back(&proved.claim, proved.proven, &error).await;
                Err(error)
            }
        }
    }

    /// Spends the state of a sign-in that the app's own Type refused after WeCom had proved the member.
    pub async fn refused_by_the_app(
        &self,
        response: &AuthorizationResponse,
    ) -> Result<(), wecom_login_store::Error> {
        let Some(state) = self.read_state(&response.state) else { return Ok(()) };
        self.claims.spend_refused_by_the_app(&state, response.fingerprint(), self.clock.now()).await
    }

    async fn begin(
        &self,
        proved: &ProvedSignIn,
        former: Former<'_>,
    ) -> Result<(Option<SessionToken>, Session, SessionChange), SignInError> {
        let (instance, member) = (&proved.response.instance, &proved.member);
        let redirect = proved.claim.redirect;
        let token = self.sessions.new_token();
        let sealed_token = self
            .sealer
            .seal(&outcome_place(redirect), token.secret())
            .map_err(|error| SignInError::Unforeseen(error.to_string()))?;
        let decision = self.accounts.decision(&member.user_id, instance.policy(), proved.contact.as_ref());
        let until = self.clock.now() + OUTCOME_LIFETIME;
        let start = SessionStart {
            outcome: SignInOutcome { redirect, sealed_token: &sealed_token, until },
            corp_id: &member.corp_id,
            user_id: &member.user_id,
            instance: instance.full_name(),
            agent_id: instance.agent_id(),
            account: decision.rule(),
            former: former.tokens,
            may_continue: former.may_continue,
        };
        match self.sessions.begin(&token, start).await? {
            Begun::New { session, registered } => {
                if registered && let Some(account) = session.account_id {
                    tracing::info!(corp_id = %member.corp_id, %account, "an account was created");
                }
                Ok((Some(token), session, SessionChange::Began))
            }
            Begun::Continued(session) => {
                let outcome = Phase::Continued { session: session.id.clone(), until };
                self.claims.step(&proved.claim, outcome).await?;
                Ok((None, session, SessionChange::Continued))
            }
            Begun::Left => Err(Terminal::Left.into()),
            Begun::Ended => Err(SignInError::StateUsed),
            // The member was unbound while they signed in. A new sign-in searches an account for them.
            Begun::NoAccount(NoAccount::NotAsked) => Err(Terminal::BrokenOff.into()),
            Begun::NoAccount(reason) => Err(Terminal::NoAccount { reason }.into()),
        }
    }

    async fn bind(
        &self,
        proved: &ProvedSignIn,
        binding: &Binding,
    ) -> Result<(Option<SessionToken>, Session, SessionChange), SignInError> {
        let member = &proved.member;
        let who = MemberRef { corp_id: member.corp_id.clone(), user_id: member.user_id.clone() };
        let bound = self.accounts.bind_in_session(&who, binding.account, &binding.session).await?;
        match bound {
            Some((Bound::Done, session)) => {
                let (user_id, until) = (member.user_id.clone(), self.clock.now() + OUTCOME_LIFETIME);
                let outcome = Phase::Bound { session: session.id.clone(), user_id, until };
                self.claims.step(&proved.claim, outcome).await?;
                Ok((None, session, SessionChange::Bound))
            }
            Some((Bound::Elsewhere(_), _)) => Err(Terminal::BoundToAnother.into()),
            Some((Bound::Left, _)) => Err(Terminal::Left.into()),
            Some((Bound::NoAccount, _)) | None => Err(Terminal::SessionGone.into()),
        }
    }
}
