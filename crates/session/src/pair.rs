//! Token pairs: a session for front ends on another site, whose browsers block our cookie, and for programs.
//!
//! The access token is short-lived and goes with requests; the refresh token is changed for the next pair, and is good
//! once. One that comes a second time was stolen from, or by, whoever sent it, so the session ends (RFC 9700, 4.14.2).
//!
//! One repetition is no theft and can be told apart: a page that is left in the middle of a refresh never sees the answer.
//! A client may send a random retry key with its refresh token. The same token with the same key is answered with the same
//! pair for as long as that has not been refreshed in turn: only who made the request knows its key. For that the pair is
//! derived, not drawn, from the token, the key and a salt; what the database keeps of them yields no token.

use std::fmt;
use std::time::Duration;

use wecom_login_model::{Fingerprint, Secret, TOKEN_LENGTH, Timestamp, alphanumeric, is_token, token_of};
use wecom_login_store::{EndReason, Error, NewPair, PairRow, Rotation};

use crate::{Session, SessionToken, Sessions};

/// How long an access token is good.
pub const ACCESS_LIFETIME: Duration = Duration::from_mins(10);

const ACCESS_PREFIX: &str = "wecom-login-access_";
const REFRESH_PREFIX: &str = "wecom-login-refresh_";

/// Proves a session for ten minutes: `Authorization: Bearer wecom-login-access_...`.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(Secret);

/// Is changed for the next pair, once. All refresh tokens of a session begin alike: by that a spent one is known.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(Secret);

/// What a client sends with its refresh token to be known should it have to ask again: 43 characters of base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct RetryKey(Secret);

impl AccessToken {
    /// Takes what a client sent. `None` when it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(ACCESS_PREFIX).filter(|bits| is_token(bits)).map(|_| Self(Secret::new(text)))
    }

    /// The token itself.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.expose())
    }
}

impl RefreshToken {
    /// Takes what a client sent. `None` when it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let bits = text.strip_prefix(REFRESH_PREFIX)?;
        let (family, own) = bits.split_at_checked(TOKEN_LENGTH)?;
        (is_token(family) && is_token(own)).then(|| Self(Secret::new(text)))
    }

    /// The token itself.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    fn new(family: &str, own: &str) -> Self {
        Self(Secret::new(format!("{REFRESH_PREFIX}{family}{own}")))
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.expose())
    }

    fn family(&self) -> &str {
        &self.0.expose()[REFRESH_PREFIX.len()..REFRESH_PREFIX.len() + TOKEN_LENGTH]
    }
}

impl RetryKey {
    /// Takes what a client sent. `None` when it is no random value of 256 bits.
    pub fn parse(text: &str) -> Option<Self> {
        is_token(text).then(|| Self(Secret::new(text)))
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.expose())
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken")
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken")
    }
}

impl fmt::Debug for RetryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RetryKey")
    }
}

/// What a client is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Goes with requests.
    pub access: AccessToken,
    /// Gets the next pair.
    pub refresh: RefreshToken,
    /// When the access token ends.
    pub access_until: Timestamp,
}

/// What became of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// It was good: the next pair.
    Pair(Pair, Session),
    /// It had been spent before; the session, which lived until now, has ended.
    Reused(Session),
    /// No live session has, or had, such a token.
    Unknown,
}

impl Sessions {
    /// The first pair of a session that has just begun with `token`. The same token gives the same pair, for a client that
    /// lost the answer; `None` when that pair has been refreshed since.
    pub async fn begin_pair(&self, token: &SessionToken, session: &Session) -> Result<Option<Pair>, Error> {
        let derive = |part| derived(part, &[token.secret().expose()]);
        let access = access(&derive("access"));
        let refresh = RefreshToken::new(&derive("family"), &derive("refresh"));
        let now = self.clock.now();
        let new = NewPair {
            session_id: &session.id,
            family: Fingerprint::of(refresh.family()),
            refresh: refresh.fingerprint(),
            access: access.fingerprint(),
            issued_at: now,
            access_until: now + ACCESS_LIFETIME,
        };
        let begun = self.store.begin_pair(&new).await?;
        let pair = |issued_at: Timestamp| Pair { access, refresh, access_until: issued_at + ACCESS_LIFETIME };
        Ok(begun.map(pair))
    }

    /// Changes a refresh token for the next pair; the session's idle end moves.
    pub async fn refresh(
        &self,
        token: &RefreshToken,
        retry_key: Option<&RetryKey>,
    ) -> Result<Refreshed, Error> {
        let now = self.clock.now();
        let salt = alphanumeric(&self.entropy, TOKEN_LENGTH);
        let pair = next(token, retry_key, &salt, now);
        let rotation = Rotation {
            family: Fingerprint::of(token.family()),
            spent: token.fingerprint(),
            refresh: pair.refresh.fingerprint(),
            access: pair.access.fingerprint(),
            retry: retry_key.map(|key| (key.fingerprint(), salt.as_str())),
            issued_at: now,
            access_until: pair.access_until,
        };
        if let Some(session) = self.store.rotate_pair(&rotation).await? {
            return Ok(Refreshed::Pair(pair, self.used(session).await?));
        }
        let Some(row) = self.store.pair_of_family(Fingerprint::of(token.family()), now).await? else {
            return Ok(Refreshed::Unknown);
        };
        match retry_key.filter(|key| asked_the_same(&row, token, key)) {
            Some(key) => {
                let pair = next(token, Some(key), &row.salt, row.issued_at);
                Ok(Refreshed::Pair(pair, self.used(row.session).await?))
            }
            None => {
                self.end(&row.session, EndReason::Reused).await?;
                Ok(Refreshed::Reused(row.session))
            }
        }
    }

    /// The session of an access token, if both live; the session's idle end moves.
    pub async fn check_access(&self, token: &AccessToken) -> Result<Option<Session>, Error> {
        match self.store.session_by_access(token.fingerprint(), self.clock.now()).await? {
            Some(session) => Ok(Some(self.used(session).await?)),
            None => Ok(None),
        }
    }

    /// The live session that a refresh token belongs to, spent or not: for ending it.
    pub async fn of_refresh_token(&self, token: &RefreshToken) -> Result<Option<Session>, Error> {
        let family = Fingerprint::of(token.family());
        let row = self.store.pair_of_family(family, self.clock.now()).await?;
        Ok(row.map(|row| row.session))
    }
}

/// True when the pair is the answer to this very request. Compared are fingerprints of secrets, which a caller cannot
/// approach byte by byte.
fn asked_the_same(row: &PairRow, token: &RefreshToken, key: &RetryKey) -> bool {
    row.spent_hash == token.fingerprint().to_hex() && row.retry_hash == key.fingerprint().to_hex()
}

fn next(token: &RefreshToken, key: Option<&RetryKey>, salt: &str, issued_at: Timestamp) -> Pair {
    let key = key.map_or("", |key| key.0.expose());
    let derive = |part| derived(part, &[token.secret().expose(), key, salt]);
    Pair {
        access: access(&derive("access")),
        refresh: RefreshToken::new(token.family(), &derive("refresh")),
        access_until: issued_at + ACCESS_LIFETIME,
    }
}

fn access(bits: &str) -> AccessToken {
    AccessToken(Secret::new(format!("{ACCESS_PREFIX}{bits}")))
}

/// A key derivation from 256 random bits at least, so that a plain hash over named parts will do.
fn derived(part: &str, from: &[&str]) -> String {
    let parts = ["token pair", part].into_iter().chain(from.iter().copied());
    token_of(Fingerprint::of_parts(parts).as_bytes())
}

#[cfg(test)]
mod tests {
    use wecom_login_model::SeededEntropy;

    use super::*;
    use crate::tests::{World, begin, world};

    async fn pair(sessions: &Sessions) -> (SessionToken, Session, Pair) {
        let (token, session) = begin(sessions, "redirect").await.unwrap();
        let pair = sessions.begin_pair(&token, &session).await.unwrap().unwrap();
        (token, session, pair)
    }

    fn key(seed: u64) -> RetryKey {
        RetryKey::parse(&alphanumeric(&SeededEntropy::new(seed), TOKEN_LENGTH)).unwrap()
    }

    async fn next_pair(sessions: &Sessions, token: &RefreshToken, key: Option<&RetryKey>) -> Pair {
        match sessions.refresh(token, key).await.unwrap() {
            Refreshed::Pair(pair, _) => pair,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn an_access_token_is_good_for_ten_minutes_and_the_next_one_comes_by_refresh() {
        let World { sessions, clock, .. } = &world().await;
        let (_, session, first) = pair(sessions).await;
        let is_good = async |pair: &Pair| sessions.check_access(&pair.access).await.unwrap().is_some();
        clock.advance(Duration::from_millis(599_999));
        let found = sessions.check_access(&first.access).await.unwrap().unwrap();
        assert_eq!(found.id, session.id);
        let second = next_pair(sessions, &first.refresh, None).await;
        assert!(is_good(&first).await && is_good(&second).await, "another tab's access token stays good");
        clock.advance(Duration::from_millis(1));
        assert!(!is_good(&first).await && is_good(&second).await);
        assert_ne!((&first.access, &first.refresh), (&second.access, &second.refresh));
    }

    #[tokio::test]
    async fn a_refresh_token_that_comes_twice_ends_the_session() {
        let World { sessions, .. } = &world().await;
        let (_, session, first) = pair(sessions).await;
        let second = next_pair(sessions, &first.refresh, None).await;
        let third = next_pair(sessions, &second.refresh, None).await;
        let Refreshed::Reused(ended) = sessions.refresh(&first.refresh, None).await.unwrap() else {
            panic!()
        };
        assert_eq!(ended.id, session.id);
        for pair in [&first, &second, &third] {
            assert_eq!(sessions.check_access(&pair.access).await.unwrap(), None);
            assert_eq!(sessions.refresh(&pair.refresh, None).await.unwrap(), Refreshed::Unknown);
        }
    }

    #[tokio::test]
    async fn the_same_request_again_is_known_by_its_key_until_its_answer_is_used() {
        let World { sessions, .. } = &world().await;
        let (_, _, first) = pair(sessions).await;
        let second = next_pair(sessions, &first.refresh, Some(&key(1))).await;
        assert_eq!(next_pair(sessions, &first.refresh, Some(&key(1))).await, second);
        next_pair(sessions, &second.refresh, Some(&key(2))).await;
        let again = sessions.refresh(&first.refresh, Some(&key(1))).await.unwrap();
        assert!(matches!(again, Refreshed::Reused(_)), "its answer has been used: {again:?}");
    }

    #[tokio::test]
    async fn a_key_goes_with_its_own_token() {
        let World { sessions, .. } = &world().await;
        let (_, _, first) = pair(sessions).await;
        let second = next_pair(sessions, &first.refresh, Some(&key(1))).await;
        next_pair(sessions, &second.refresh, Some(&key(2))).await;
        let again = sessions.refresh(&first.refresh, Some(&key(2))).await.unwrap();
        assert!(matches!(again, Refreshed::Reused(_)), "{again:?}");
    }

    #[tokio::test]
    async fn without_the_key_the_same_token_is_stolen() {
        for other in [None, Some(key(2))] {
            let World { sessions, .. } = &world().await;
            let (_, _, first) = pair(sessions).await;
            next_pair(sessions, &first.refresh, Some(&key(1))).await;
            let again = sessions.refresh(&first.refresh, other.as_ref()).await.unwrap();
            assert!(matches!(again, Refreshed::Reused(_)), "{again:?}");
        }
    }

    #[tokio::test]
    async fn a_sign_in_told_again_gives_the_same_pair_until_that_is_refreshed() {
        let World { sessions, .. } = &world().await;
        let (token, session, first) = pair(sessions).await;
        assert_eq!(sessions.begin_pair(&token, &session).await.unwrap(), Some(first.clone()));
        next_pair(sessions, &first.refresh, None).await;
        assert_eq!(sessions.begin_pair(&token, &session).await.unwrap(), None);
    }

    #[tokio::test]
    async fn refreshing_keeps_a_session_alive_until_its_absolute_end() {
        let World { sessions, clock, .. } = &world().await;
        let (_, _, Pair { mut refresh, .. }) = pair(sessions).await;
        for _ in 0..13 {
            clock.advance(Duration::from_hours(12));
            refresh = next_pair(sessions, &refresh, None).await.refresh;
        }
        clock.advance(Duration::from_hours(12));
        assert_eq!(sessions.refresh(&refresh, None).await.unwrap(), Refreshed::Unknown);
    }

    #[tokio::test]
    async fn tokens_end_with_their_session() {
        let World { sessions, .. } = &world().await;
        let (_, session, pair) = pair(sessions).await;
        let found = sessions.of_refresh_token(&pair.refresh).await.unwrap().unwrap();
        assert!(sessions.end(&found, EndReason::Logout).await.unwrap());
        assert_eq!(found.id, session.id);
        assert_eq!(sessions.check_access(&pair.access).await.unwrap(), None);
        assert_eq!(sessions.refresh(&pair.refresh, None).await.unwrap(), Refreshed::Unknown);
        assert_eq!(sessions.of_refresh_token(&pair.refresh).await.unwrap(), None);
    }

    #[tokio::test]
    async fn of_many_refreshes_at_once_one_wins_and_the_session_ends() {
        let World { sessions, .. } = &world().await;
        let (_, _, first) = pair(sessions).await;
        let refreshes = (0..32).map(|_| {
            let (sessions, token) = (sessions.clone(), first.refresh.clone());
            tokio::spawn(async move { sessions.refresh(&token, None).await.unwrap() })
        });
        let (mut pairs, mut reused) = (Vec::new(), 0);
        for refresh in refreshes.collect::<Vec<_>>() {
            match refresh.await.unwrap() {
                Refreshed::Pair(pair, _) => pairs.push(pair),
                Refreshed::Reused(_) => reused += 1,
                Refreshed::Unknown => {}
            }
        }
        assert_eq!(pairs.len(), 1);
        assert!(reused >= 1);
        assert_eq!(sessions.check_access(&pairs[0].access).await.unwrap(), None);
        assert_eq!(sessions.refresh(&pairs[0].refresh, None).await.unwrap(), Refreshed::Unknown);
    }

    #[tokio::test]
    async fn tokens_are_recognised_by_form_and_never_printed() {
        let World { sessions, .. } = &world().await;
        let (token, _, pair) = pair(sessions).await;
        let (access, refresh) = (pair.access.secret().expose(), pair.refresh.secret().expose());
        assert_eq!(AccessToken::parse(access), Some(pair.access.clone()));
        assert_eq!(RefreshToken::parse(refresh), Some(pair.refresh.clone()));
        for other in [refresh, token.secret().expose(), "", ACCESS_PREFIX, &access[..access.len() - 1]] {
            assert_eq!(AccessToken::parse(other), None);
        }
        let wide = format!("{REFRESH_PREFIX}{}", "张".repeat(29));
        for other in [access, token.secret().expose(), "", REFRESH_PREFIX, &wide, &format!("{refresh}a")] {
            assert_eq!(RefreshToken::parse(other), None);
        }
        let printed = format!("{pair:?} {:?}", key(1));
        assert!(![access, refresh].iter().any(|secret| printed.contains(&secret[30..])), "{printed}");
    }
}
