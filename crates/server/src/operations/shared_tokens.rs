//! WeCom's access tokens in the key-value store: replicas share one token, and a restart fetches none.
//!
//! It is used with SQLite too: WeCom limits how often an app fetches a token, and a server that is restarted often would be
//! blocked (45009). The token is sealed, and bound to its key in the store. If the store fails, the client fetches a token of
//! its own (see `wecom::TokenStore`).

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wecom::{LeaseId, StoreFuture, StoredToken, TokenKey, TokenStore, TokenStoreError};
use wecom_login_model::{Clock, Fingerprint, Secret, Timestamp};
use wecom_login_store::{Entry, KeyValue, Sealer};

/// Attempts of one write against concurrent writes; more conflicts than that are not a race.
const TRIES: usize = 4;
/// The value of a dropped or returned token. It expires immediately; the empty value protects replicas whose clock is behind.
const NOTHING: &str = "";

/// The token store that replicas share.
#[derive(Debug)]
pub(crate) struct SharedTokens {
    values: KeyValue,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    token: String,
    issued_at: i64,
    expires_at: i64,
}

impl SharedTokens {
    pub(crate) fn new(values: KeyValue, sealer: Sealer, clock: Arc<dyn Clock>) -> Self {
        Self { values, sealer, clock }
    }

    /// The token with its version in the store.
    async fn read(&self, place: &str) -> Result<Option<(StoredToken, i64)>, TokenStoreError> {
        let Some(Entry { value, version, .. }) = self.get(place).await? else { return Ok(None) };
        // A token that does not open was sealed with another key; it counts as absent, and the next token overwrites it.
        let Ok(text) = self.sealer.open(place, &value) else { return Ok(None) };
        let sealed: Sealed = serde_json::from_str(text.expose()).map_err(failed)?;
        let token = StoredToken {
            token: Secret::new(sealed.token),
            issued_at: Timestamp::from_millis(sealed.issued_at),
            expires_at: Timestamp::from_millis(sealed.expires_at),
        };
        Ok(Some((token, version)))
    }

    async fn get(&self, place: &str) -> Result<Option<Entry>, TokenStoreError> {
        let entry = self.values.get(place, self.clock.now()).await.map_err(failed)?;
        Ok(entry.filter(|entry| entry.value != NOTHING))
    }

    async fn put(&self, place: &str, token: &StoredToken) -> Result<(), TokenStoreError> {
        let sealed = Sealed {
            token: token.token.expose().to_owned(),
            issued_at: token.issued_at.as_millis(),
            expires_at: token.expires_at.as_millis(),
        };
        let text = Secret::new(serde_json::to_string(&sealed).map_err(failed)?);
        let value = self.sealer.seal(place, &text).map_err(failed)?;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let written = match self.values.get(place, now).await.map_err(failed)? {
                Some(there) => self.values.replace(place, there.version, &value, token.expires_at).await,
                None => self.values.insert(place, &value, now, token.expires_at).await,
            };
            if written.map_err(failed)? {
                return Ok(());
            }
        }
        Err(TokenStoreError::new("too many concurrent writes"))
    }

    async fn clear(&self, place: &str, version: i64) -> Result<bool, TokenStoreError> {
        self.values.replace(place, version, NOTHING, self.clock.now()).await.map_err(failed)
    }
}

impl TokenStore for SharedTokens {
    fn load(&self, key: TokenKey) -> StoreFuture<'_, Option<StoredToken>> {
        Box::pin(async move { Ok(self.read(&token_place(key)).await?.map(|(token, _)| token)) })
    }

    fn save(&self, key: TokenKey, token: StoredToken) -> StoreFuture<'_, ()> {
        Box::pin(async move { self.put(&token_place(key), &token).await })
    }

    fn drop_if(&self, key: TokenKey, fingerprint: Fingerprint) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let place = token_place(key);
            match self.read(&place).await? {
                Some((token, version)) if token.fingerprint() == fingerprint => {
                    self.clear(&place, version).await
                }
                _ => Ok(false),
            }
        })
    }

    fn lease(&self, key: TokenKey, holder: LeaseId, ttl: Duration) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let (place, now) = (lease_place(key), self.clock.now());
            if self.values.insert(&place, holder.as_str(), now, now + ttl).await.map_err(failed)? {
                return Ok(true);
            }
            Ok(self.get(&place).await?.is_some_and(|entry| entry.value == holder.as_str()))
        })
    }

    fn release(&self, key: TokenKey, holder: LeaseId) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            let place = lease_place(key);
            if let Some(entry) = self.get(&place).await?
                && entry.value == holder.as_str()
            {
                self.clear(&place, entry.version).await?;
            }
            Ok(())
        })
    }
}

fn token_place(key: TokenKey) -> String {
    format!("access-token/{}", key.to_hex())
}

fn lease_place(key: TokenKey) -> String {
    format!("access-token-lease/{}", key.to_hex())
}

fn failed(error: impl Display) -> TokenStoreError {
    TokenStoreError::new(error)
}
