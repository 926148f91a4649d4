//! How processes share a token. Any key-value store with expiry can implement the trait: a value, a conditional delete,
//! and a lease.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::{Entropy, Fingerprint, Secret, Timestamp, alphanumeric};

use super::TokenKey;

/// The result of a method of [`TokenStore`].
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, TokenStoreError>> + Send + 'a>>;

/// A store through which the processes of one installation share access tokens. An implementation must encrypt the
/// token at rest.
///
/// If the store fails, or takes longer than a second, the client fetches a token for itself.
pub trait TokenStore: Send + Sync + fmt::Debug + 'static {
    /// The token under `key`, if there is one. It may be expired; the client checks it.
    fn load(&self, key: TokenKey) -> StoreFuture<'_, Option<StoredToken>>;

    /// Stores `token` and replaces the former one.
    fn save(&self, key: TokenKey, token: StoredToken) -> StoreFuture<'_, ()>;

    /// Deletes the token under `key` if its text has this fingerprint, atomically: a newer token stays. True if a token
    /// was deleted.
    fn drop_if(&self, key: TokenKey, fingerprint: Fingerprint) -> StoreFuture<'_, bool>;

    /// Takes the lease to fetch a token for `key`, for at most `ttl`. True if `holder` has it now; false if another
    /// holder has it. A lease that is not released expires by itself.
    fn lease(&self, key: TokenKey, holder: LeaseId, ttl: Duration) -> StoreFuture<'_, bool>;

    /// Releases the lease if `holder` still has it.
    fn release(&self, key: TokenKey, holder: LeaseId) -> StoreFuture<'_, ()>;
}

/// A shared access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// The token, up to 512 bytes (WeCom 91039).
    pub token: Secret,
    /// When it was requested.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl StoredToken {
    /// The fingerprint that [`TokenStore::drop_if`] compares.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.token.expose())
    }
}

/// One attempt to fetch a token: the holder of a lease. 22 random letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseId(String);

impl LeaseId {
    /// A new, unique one.
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self(alphanumeric(entropy, 22))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A failure of a shared store. Its text is logged, so it must not contain a token.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the shared store failed: {0}")]
pub struct TokenStoreError(String);

impl TokenStoreError {
    /// With a reason for the log.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}
