//! How processes share a token. The trait is small enough for any key-value store with expiry: a value, a
//! conditional delete, and a lease.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use wecom_login_model::{Entropy, Fingerprint, Secret, Timestamp, alphanumeric};

use super::TokenKey;

/// What a [`TokenStore`] answers with.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, TokenStoreError>> + Send + 'a>>;

/// A place where the processes of one installation share access tokens. Who implements it seals the token at
/// rest.
///
/// A store that fails, or takes longer than a second, stops nobody: the client then fetches a token on its own.
pub trait TokenStore: Send + Sync + fmt::Debug + 'static {
    /// The token under `key`, if there is one. An expired one may be returned; it is not used.
    fn load(&self, key: TokenKey) -> StoreFuture<'_, Option<StoredToken>>;

    /// Puts `token` in place of whatever was there.
    fn save(&self, key: TokenKey, token: StoredToken) -> StoreFuture<'_, ()>;

    /// Drops the token under `key` if its text has this fingerprint, in one step: a token that came meanwhile
    /// stays. True if something was dropped.
    fn drop_if(&self, key: TokenKey, fingerprint: Fingerprint) -> StoreFuture<'_, bool>;

    /// Takes the right to fetch a token for `key`, for the time `ttl` at most. True if `holder` has it now; false
    /// while another one has it. A lease that was not released ends by itself, which heals a dead holder.
    fn lease(&self, key: TokenKey, holder: LeaseId, ttl: Duration) -> StoreFuture<'_, bool>;

    /// Gives the right back, if `holder` still has it.
    fn release(&self, key: TokenKey, holder: LeaseId) -> StoreFuture<'_, ()>;
}

/// An access token as it is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// The token, up to 512 bytes (WeCom 91039).
    pub token: Secret,
    /// When it was asked for.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl StoredToken {
    /// The fingerprint by which [`TokenStore::drop_if`] knows it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.token.expose())
    }
}

/// One attempt to fetch a token: the holder of a lease. 22 random letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseId(String);

impl LeaseId {
    /// A new one that nobody else has.
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self(alphanumeric(entropy, 22))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a store could not do it. Its text goes to the log: it must hold no token.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the store of access tokens failed: {0}")]
pub struct TokenStoreError(String);

impl TokenStoreError {
    /// With a reason for the log.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}
