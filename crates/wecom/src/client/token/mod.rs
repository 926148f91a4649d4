//! The access token of one app (WeCom 91039). It belongs to (company, secret), is valid for about two hours, can be
//! revoked before that, and too many requests for it lock the app out. So it is fetched once for all callers:
//!
//! * [`cache`]: the copy of this process, read without a lock; one fetch at a time, which no caller can cancel;
//! * [`source`]: gets a new token from the shared store, or from WeCom under the store's lease;
//! * [`store`]: the trait through which processes share a token; [`in_process`] implements it in memory.

mod cache;
mod in_process;
mod source;
mod store;

use std::fmt;
use std::time::Duration;

use crate::{CorpId, Entropy, Fingerprint, Secret, Timestamp};

pub(crate) use cache::TokenCache;
pub use in_process::InProcessTokens;
pub(crate) use source::{TokenSource, ask};
pub use store::{LeaseId, StoreFuture, StoredToken, TokenStore, TokenStoreError};

/// The key under which a token is shared: a hash of the API's base URL, the company and the secret. Two apps, or one app
/// before and after a change of its secret, have different keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenKey(Fingerprint);

impl TokenKey {
    pub(crate) fn of(api: &str, corp_id: &CorpId, secret: &Secret) -> Self {
        Self(Fingerprint::of_parts(["wecom access token", api, corp_id.as_str(), secret.expose()]))
    }

    /// 64 hexadecimal digits. They are not secret.
    pub fn to_hex(self) -> String {
        self.0.to_hex()
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({:?})", self.0)
    }
}

/// A token in this process. Its identity is the acquisition and not only the text: WeCom may issue the same text again.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) secret: Secret,
    fingerprint: Fingerprint,
    issued_at: Timestamp,
    expires_at: Timestamp,
    refresh_at: Timestamp,
}

impl AccessToken {
    /// A refresh is due at a random time between 80 % and 90 % of the token's lifetime, so that processes do not
    /// refresh at the same time.
    fn new(stored: StoredToken, entropy: &dyn Entropy) -> Self {
        let life = stored.expires_at.since(stored.issued_at);
        Self {
            fingerprint: Fingerprint::of(stored.token.expose()),
            refresh_at: stored.issued_at + life.mul_f64(0.8 + 0.1 * random_fraction(entropy)),
            issued_at: stored.issued_at,
            expires_at: stored.expires_at,
            secret: stored.token,
        }
    }

    fn is_same_acquisition(&self, stored: &StoredToken) -> bool {
        self.issued_at == stored.issued_at && self.secret == stored.token
    }
}

/// A random number from 0 to 1.
fn random_fraction(entropy: &dyn Entropy) -> f64 {
    let mut bytes = [0_u8; 4];
    entropy.fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}

/// `pause`, randomly shortened by up to a half.
pub(crate) fn jittered(pause: Duration, entropy: &dyn Entropy) -> Duration {
    pause.mul_f64(1.0 - 0.5 * random_fraction(entropy))
}
