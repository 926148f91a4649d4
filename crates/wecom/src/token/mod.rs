//! The access token of one app (WeCom 91039). It belongs to (company, secret), lives about two hours, may be taken
//! back before that, and asking for it too often locks the app out. So it is fetched once for everyone:
//!
//! * [`cache`]: the process's copy, read without a lock; one fetch at a time, which no caller can cancel;
//! * [`source`]: where a new one comes from: the shared store, or WeCom under the store's lease;
//! * [`store`]: the trait that other processes share it through, and the in-process implementation.

mod cache;
mod in_process;
mod source;
mod store;

use std::fmt;
use std::time::Duration;

use wecom_login_model::{CorpId, Entropy, Fingerprint, Secret, Timestamp};

pub(crate) use cache::TokenCache;
pub use in_process::InProcessTokens;
pub(crate) use source::TokenSource;
pub use store::{LeaseId, StoreFuture, StoredToken, TokenStore, TokenStoreError};

/// Under which a token is shared: a hash of the API's base, the company and the secret, so that two apps, or one
/// app before and after its secret changed, never meet.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenKey(Fingerprint);

impl TokenKey {
    pub(crate) fn of(api: &str, corp_id: &CorpId, secret: &Secret) -> Self {
        Self(Fingerprint::of_parts(["wecom access token", api, corp_id.as_str(), secret.expose()]))
    }

    /// 64 hexadecimal digits; not secret.
    pub fn to_hex(self) -> String {
        self.0.to_hex()
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({:?})", self.0)
    }
}

/// A token as the process holds it. Which acquisition it is counts, not only its text: WeCom may hand out the same
/// text again.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) secret: Secret,
    fingerprint: Fingerprint,
    issued_at: Timestamp,
    expires_at: Timestamp,
    refresh_at: Timestamp,
}

impl AccessToken {
    /// Refresh is due between 80 % and 90 % of the token's life, by chance, so that processes do not ask at once.
    fn new(stored: StoredToken, entropy: &dyn Entropy) -> Self {
        let life = stored.expires_at.since(stored.issued_at);
        Self {
            fingerprint: Fingerprint::of(stored.token.expose()),
            refresh_at: stored.issued_at + life.mul_f64(0.8 + 0.1 * chance(entropy)),
            issued_at: stored.issued_at,
            expires_at: stored.expires_at,
            secret: stored.token,
        }
    }

    fn is_same_acquisition(&self, stored: &StoredToken) -> bool {
        self.issued_at == stored.issued_at && self.secret == stored.token
    }
}

/// A number from 0 to 1.
pub(crate) fn chance(entropy: &dyn Entropy) -> f64 {
    let mut bytes = [0_u8; 4];
    entropy.fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}

/// `pause`, shortened by chance by up to a half.
pub(crate) fn jittered(pause: Duration, entropy: &dyn Entropy) -> Duration {
    pause.mul_f64(1.0 - 0.5 * chance(entropy))
}
