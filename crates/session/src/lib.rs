//! Sessions: who is signed in, proven by an opaque token.
//!
//! A browser shows a token in a cookie, or a front end elsewhere a pair of tokens in a header (`pair`).
//!
//! A token is 256 random bits. The database keeps its SHA-256, so a stolen database opens no session. A session
//! ends when it is not used for a while, when it is old, or when somebody ends it; each is checked at every use.

mod pair;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wecom_login_model::{
    AgentId, Clock, CorpId, Entropy, Fingerprint, Secret, UserId, alphanumeric, is_token, random_token,
};
use wecom_login_store::{Error, FormerSessions, NewSession, Store};

pub use pair::{ACCESS_LIFETIME, AccessToken, Pair, RefreshToken, Refreshed, RetryKey};
pub use wecom_login_store::{
    AccountRule, Begun, EndReason, KeptOutcome, SessionRow as Session, SignInOutcome,
};

/// The idle end is written at most this often, so that reading does not write.
const TOUCH_INTERVAL: Duration = Duration::from_mins(1);

/// What a browser shows to be the one that signed in: 43 characters of base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(Secret);

impl SessionToken {
    /// Takes what a client sent. `None` when it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        is_token(text).then(|| Self(Secret::new(text)))
    }

    /// The token itself: for a cookie, or sealed for a second delivery of one redirect.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    fn generate(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(random_token(entropy)))
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.expose())
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken")
    }
}

/// How long sessions live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Without use.
    pub idle: Duration,
    /// In any case.
    pub absolute: Duration,
}

impl Default for Lifetimes {
    /// A day without use, a week in any case.
    fn default() -> Self {
        Self { idle: Duration::from_hours(24), absolute: Duration::from_hours(7 * 24) }
    }
}

/// The sign-in that a session begins with.
#[derive(Debug, Clone, Copy)]
pub struct SessionStart<'a> {
    /// The redirect and its outcome.
    pub outcome: SignInOutcome<'a>,
    /// The company.
    pub corp_id: &'a CorpId,
    /// The member that WeCom proved.
    pub user_id: &'a UserId,
    /// The instance.
    pub instance: &'a str,
    /// Its app.
    pub agent_id: &'a AgentId,
    /// How a member without an account gets one.
    pub account: AccountRule<'a>,
    /// The tokens of the browser's former sessions.
    pub former: &'a [SessionToken],
    /// The first former session of the same member through the same instance continues.
    pub may_continue: bool,
}

/// Issues, checks and ends sessions; cheap to clone.
#[derive(Debug, Clone)]
pub struct Sessions {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    lifetimes: Lifetimes,
}

impl Sessions {
    /// Sessions in `store`.
    pub fn new(store: Store, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, lifetimes: Lifetimes) -> Self {
        Self { store, clock, entropy, lifetimes }
    }

    /// A token for a session that is about to begin.
    pub fn new_token(&self) -> SessionToken {
        SessionToken::generate(&self.entropy)
    }

    /// Begins a session with `token`, in one transaction with everything that decides it; see [`Store::begin_session`].
    pub async fn begin(&self, token: &SessionToken, start: SessionStart<'_>) -> Result<Begun, Error> {
        let now = self.clock.now();
        let id = alphanumeric(&self.entropy, 22);
        let former: Vec<Fingerprint> = start.former.iter().map(SessionToken::fingerprint).collect();
        let former = FormerSessions { token_hashes: &former, may_continue: start.may_continue };
        let new = NewSession {
            id: &id,
            token_hash: token.fingerprint(),
            sign_in: Some(start.outcome),
            corp_id: start.corp_id,
            user_id: start.user_id,
            instance: start.instance,
            agent_id: start.agent_id,
            created_at: now,
            idle_until: now + self.lifetimes.idle,
            expires_at: now + self.lifetimes.absolute,
            account: start.account,
            former: Some(former),
        };
        self.store.begin_session(&new).await
    }

    /// The outcome that an earlier delivery of a redirect has had; `None` if it made no session.
    pub async fn outcome_of(&self, redirect: Fingerprint) -> Result<Option<KeptOutcome>, Error> {
        self.store.outcome_of(redirect, self.clock.now()).await
    }

    /// The session of a token, if it lives; its idle end moves.
    pub async fn check(&self, token: &SessionToken) -> Result<Option<Session>, Error> {
        match self.store.session_by_token(token.fingerprint(), self.clock.now()).await? {
            Some(session) => Ok(Some(self.used(session).await?)),
            None => Ok(None),
        }
    }

    /// The session, whose idle end moves.
    async fn used(&self, mut session: Session) -> Result<Session, Error> {
        let now = self.clock.now();
        let idle_until = now + self.lifetimes.idle;
        if idle_until.since(session.idle_until) >= TOUCH_INTERVAL {
            self.store.touch_session(&session.id, idle_until).await?;
            session.idle_until = idle_until;
        }
        Ok(session)
    }

    /// The session of an id, if it lives.
    pub async fn live(&self, id: &str) -> Result<Option<Session>, Error> {
        self.store.session_by_id(id, self.clock.now()).await
    }

    /// Ends the session; false when it had ended before.
    pub async fn end(&self, session: &Session, reason: EndReason) -> Result<bool, Error> {
        self.store.end_session(&session.id, self.clock.now(), reason).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wecom_login_model::{ManualClock, SeededEntropy, Timestamp};
    use wecom_login_store::Rehire;

    pub(crate) struct World {
        pub(crate) sessions: Sessions,
        pub(crate) clock: ManualClock,
        _folder: tempfile::TempDir,
    }

    pub(crate) async fn world() -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
        let clock = ManualClock::at(Timestamp::from_millis(1_800_000_000_000));
        let entropy = Arc::new(SeededEntropy::new(3));
        let sessions = Sessions::new(store, Arc::new(clock.clone()), entropy, Lifetimes::default());
        World { sessions, clock, _folder: folder }
    }

    pub(crate) async fn begin(sessions: &Sessions, sign_in: &str) -> Option<(SessionToken, Session)> {
        let (corp_id, user_id) = (CorpId::parse("wwA").unwrap(), UserId::parse("zhangsan").unwrap());
        let token = sessions.new_token();
        let until = sessions.clock.now() + Duration::from_mins(5);
        let start = SessionStart {
            outcome: SignInOutcome { redirect: Fingerprint::of(sign_in), sealed_token: "sealed", until },
            corp_id: &corp_id,
            user_id: &user_id,
            instance: "auths.loginTypes.Example",
            agent_id: &AgentId::parse("7").unwrap(),
            account: AccountRule { find_by: None, barred: &[], register: true, rehire: Rehire::SameName },
            former: &[],
            may_continue: false,
        };
        match sessions.begin(&token, start).await.unwrap() {
            Begun::New { session, .. } => Some((token, session)),
            Begun::Ended => None,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn use_keeps_a_session_alive_until_its_absolute_end() {
        let World { sessions, clock, _folder } = world().await;
        let (token, session) = begin(&sessions, "redirect").await.unwrap();
        for _ in 0..(7 * 24 / 12 - 1) {
            clock.advance(Duration::from_hours(12));
            assert_eq!(sessions.check(&token).await.unwrap().unwrap().id, session.id);
        }
        clock.advance(Duration::from_hours(12));
        assert_eq!(sessions.check(&token).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_day_without_use_ends_it() {
        let World { sessions, clock, _folder } = world().await;
        let (token, _) = begin(&sessions, "redirect").await.unwrap();
        clock.advance(Duration::from_hours(24));
        assert_eq!(sessions.check(&token).await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_ended_session_stays_ended_and_its_redirect_begins_no_other() {
        let World { sessions, _folder, .. } = world().await;
        let (token, session) = begin(&sessions, "redirect").await.unwrap();
        assert!(sessions.end(&session, EndReason::Logout).await.unwrap());
        assert_eq!(sessions.check(&token).await.unwrap(), None);
        let kept = sessions.outcome_of(Fingerprint::of("redirect")).await.unwrap().unwrap();
        assert_eq!(kept.session, None);
        assert_eq!(begin(&sessions, "redirect").await, None);
    }

    #[test]
    fn tokens_are_recognised_by_form_and_never_printed() {
        let token = SessionToken::generate(&SeededEntropy::new(1));
        assert_eq!(SessionToken::parse(token.secret().expose()), Some(token.clone()));
        assert_eq!(format!("{token:?}"), "SessionToken");
        for text in ["", "short", &"a".repeat(44), &"=".repeat(43), &"张".repeat(14)] {
            assert_eq!(SessionToken::parse(text), None);
        }
    }
}
