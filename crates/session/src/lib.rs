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
    Clock, CorpId, Entropy, Fingerprint, Secret, UserId, alphanumeric, is_token, random_token,
};
use wecom_login_store::{Error, NewSession, Store};

pub use pair::{ACCESS_LIFETIME, AccessToken, Pair, RefreshToken, Refreshed, RetryKey};
pub use wecom_login_store::{EndReason, SessionRow as Session};

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

    /// Begins a session for a member whom WeCom has proved through the redirect that `sign_in` stands for.
    ///
    /// One redirect makes one session: were there one already, it takes the new token. `None` when that one has
    /// ended meanwhile.
    pub async fn begin(
        &self,
        sign_in: Fingerprint,
        corp_id: &CorpId,
        user_id: &UserId,
        instance: &str,
    ) -> Result<Option<(SessionToken, Session)>, Error> {
        let token = SessionToken::generate(&self.entropy);
        let now = self.clock.now();
        let id = alphanumeric(&self.entropy, 22);
        let session = self
            .store
            .begin_session(&NewSession {
                id: &id,
                token_hash: token.fingerprint(),
                sign_in: Some(sign_in),
                corp_id,
                user_id,
                instance,
                created_at: now,
                idle_until: now + self.lifetimes.idle,
                expires_at: now + self.lifetimes.absolute,
            })
            .await?;
        Ok(session.map(|session| (token, session)))
    }

    /// The live session that a redirect has made before, with a new token for it, if there is one.
    ///
    /// This is how a redirect is finished whose first delivery died after it had made the session.
    pub async fn adopt(&self, sign_in: Fingerprint) -> Result<Option<(SessionToken, Session)>, Error> {
        let token = SessionToken::generate(&self.entropy);
        let session = self.store.adopt_session(sign_in, token.fingerprint(), self.clock.now()).await?;
        Ok(session.map(|session| (token, session)))
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
        let (corp, user) = (CorpId::parse("wwA").unwrap(), UserId::parse("zhangsan").unwrap());
        sessions.begin(Fingerprint::of(sign_in), &corp, &user, "auths.loginTypes.Example").await.unwrap()
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
    async fn an_ended_session_stays_ended_and_is_not_adopted() {
        let World { sessions, _folder, .. } = world().await;
        let (token, session) = begin(&sessions, "redirect").await.unwrap();
        assert!(sessions.end(&session, EndReason::Logout).await.unwrap());
        assert_eq!(sessions.check(&token).await.unwrap(), None);
        assert_eq!(sessions.adopt(Fingerprint::of("redirect")).await.unwrap(), None);
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
