//! API keys: 256 random bits behind a prefix by which people and secret scanners know them. The database keeps their
//! SHA-256, so that a stolen database opens nothing.

use std::fmt;
use std::sync::Arc;

use wecom_login_model::{Clock, Entropy, Fingerprint, Secret, is_token, random_token};
use wecom_login_store::{ApiKeyRow, Error, Store};

const PREFIX: &str = "wecom-login-key_";

/// A key as a program sends it: `Authorization: Bearer wecom-login-key_...`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// Takes what a client sent. `None` when it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(PREFIX).filter(|bits| is_token(bits)).map(|_| Self(Secret::new(text)))
    }

    fn generate(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(format!("{PREFIX}{}", random_token(entropy))))
    }

    /// The key itself, to be shown once.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey")
    }
}

/// A name that no key can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name must be 1 to 64 letters, digits, ., - or _")]
pub struct InvalidName;

/// Makes, checks and removes API keys; cheap to clone.
#[derive(Debug, Clone)]
pub struct ApiKeys {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl ApiKeys {
    /// The keys in `store`.
    pub fn new(store: Store, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { store, clock, entropy }
    }

    /// What a key may be called.
    pub fn check_name(name: &str) -> Result<(), InvalidName> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let named = (1..=64).contains(&name.len()) && name.bytes().all(word);
        if named { Ok(()) } else { Err(InvalidName) }
    }

    /// Makes a key; `None` when the name is taken. This is the only time that the key is known.
    pub async fn add(&self, name: &str) -> Result<Option<ApiKey>, Error> {
        let key = ApiKey::generate(&self.entropy);
        let added = self.store.add_api_key(name, Fingerprint::of(key.0.expose()), self.clock.now()).await?;
        Ok(added.then_some(key))
    }

    /// The keys, by name.
    pub async fn list(&self) -> Result<Vec<ApiKeyRow>, Error> {
        self.store.api_keys().await
    }

    /// Removes a key, which counts no more from now on; false when there is none of that name.
    pub async fn remove(&self, name: &str) -> Result<bool, Error> {
        self.store.remove_api_key(name, self.clock.now()).await
    }

    /// Which key this is, if it is one. That it was used is kept, to the hour.
    pub async fn check(&self, key: &ApiKey) -> Result<Option<ApiKeyRow>, Error> {
        self.store.use_api_key(Fingerprint::of(key.0.expose()), self.clock.now()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wecom_login_model::SeededEntropy;

    #[test]
    fn keys_are_known_by_their_form_and_never_printed() {
        let key = ApiKey::generate(&SeededEntropy::new(1));
        assert_eq!(ApiKey::parse(key.secret().expose()), Some(key.clone()));
        assert_ne!(key, ApiKey::generate(&SeededEntropy::new(2)));
        assert_eq!(format!("{key:?}"), "ApiKey");
        let bits = "a".repeat(43);
        for text in ["", PREFIX, &bits, &format!("{PREFIX}{bits}a"), &format!("{PREFIX}{}=", &bits[1..])] {
            assert_eq!(ApiKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_plain() {
        assert_eq!(ApiKeys::check_name("billing-2"), Ok(()));
        for name in ["", "a b", "张三", &"a".repeat(65), "a\nb"] {
            assert_eq!(ApiKeys::check_name(name), Err(InvalidName));
        }
    }
}
