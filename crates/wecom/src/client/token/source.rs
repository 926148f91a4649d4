//! Gets a token. With several processes on one store, the order is: use a token that another process has saved;
//! otherwise take the lease and call WeCom; otherwise wait for the process that has the lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::{
    AccessToken, LeaseId, StoreFuture, StoredToken, TokenKey, TokenStore, TokenStoreError, jittered,
};
use crate::client::api::GETTOKEN;
use crate::client::error::Kind;
use crate::client::transport::Request;
use crate::client::{answer, wire};
use crate::{Clock, CorpId, Entropy, Error, Secret, Timestamp, Transport};

/// The lifetime of a lease: a dead holder is replaced after this time.
const LEASE: Duration = Duration::from_secs(6);
/// The holder gives up before its lease ends, so that two processes never fetch at the same time.
const FETCH: Duration = Duration::from_secs(5);
/// The time limit of a store's answer.
const STORE_ANSWER: Duration = Duration::from_secs(1);
const FIRST_POLL: Duration = Duration::from_millis(10);
const LONGEST_POLL: Duration = Duration::from_millis(200);
/// The lifetime in seconds if WeCom's answer has none (WeCom 91039).
const DEFAULT_LIFETIME: i64 = 7200;
const PAUSE_BEFORE_SECOND_TRY: Duration = Duration::from_millis(100);

/// A token to replace.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) token: Arc<AccessToken>,
    /// True if WeCom has rejected it; false if it only expires soon.
    pub(super) rejected: bool,
}

/// Gets the tokens of one app.
#[derive(Debug)]
pub(crate) struct TokenSource {
    pub(crate) key: TokenKey,
    pub(crate) api_base: String,
    pub(crate) corp_id: CorpId,
    pub(crate) secret: Secret,
    pub(crate) transport: Transport,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) store_failed: AtomicBool,
}

#[derive(Deserialize)]
struct GettokenAnswer {
    #[serde(default, deserialize_with = "wire::text")]
    access_token: Option<String>,
    #[serde(default, deserialize_with = "wire::number")]
    expires_in: Option<i64>,
}

impl TokenSource {
    /// A token other than `outgoing`.
    pub(super) async fn obtain(&self, outgoing: Option<&Outgoing>) -> Result<AccessToken, Error> {
        let result = match self.obtain_shared(outgoing).await {
            Ok(result) => {
                self.store_failed.store(false, Ordering::Relaxed);
                result
            }
            Err(failure) => {
                self.report(&failure);
                self.fetch().await
            }
        };
        result.map(|stored| AccessToken::new(stored, &*self.entropy))
    }

    /// The outer error is the store's, the inner one WeCom's.
    async fn obtain_shared(
        &self,
        outgoing: Option<&Outgoing>,
    ) -> Result<Result<StoredToken, Error>, TokenStoreError> {
        let holder = LeaseId::new(&*self.entropy);
        // Waits for at most two holders that die.
        let give_up = Instant::now() + 2 * LEASE;
        let mut poll = FIRST_POLL;
        loop {
            if let Some(token) = self.saved_by_another(outgoing).await? {
                return Ok(Ok(token));
            }
            if ask(self.store.lease(self.key, holder.clone(), LEASE)).await? {
                // The former holder may have saved a token between the two requests.
                let result = match self.saved_by_another(outgoing).await {
                    Ok(Some(token)) => Ok(token),
                    Ok(None) => self.fetch_and_save().await,
                    Err(failure) => {
                        self.report(&failure);
                        self.fetch().await
                    }
                };
                if let Err(failure) = ask(self.store.release(self.key, holder)).await {
                    self.report(&failure);
                }
                return Ok(result);
            }
            if Instant::now() >= give_up {
                return Err(TokenStoreError::new("the lease to fetch a token was never released"));
            }
            tokio::time::sleep(jittered(poll, &*self.entropy)).await;
            poll = (poll * 3 / 2).min(LONGEST_POLL);
        }
    }

    async fn saved_by_another(
        &self,
        outgoing: Option<&Outgoing>,
    ) -> Result<Option<StoredToken>, TokenStoreError> {
        let Some(stored) = ask(self.store.load(self.key)).await? else { return Ok(None) };
        if let Some(outgoing) = outgoing
            && outgoing.token.is_same_acquisition(&stored)
        {
            if outgoing.rejected {
                ask(self.store.drop_if(self.key, outgoing.token.fingerprint)).await?;
            }
            return Ok(None);
        }
        Ok((stored.expires_at > self.clock.now()).then_some(stored))
    }

    async fn fetch_and_save(&self) -> Result<StoredToken, Error> {
        let token = self.fetch().await?;
        if let Err(failure) = ask(self.store.save(self.key, token.clone())).await {
            self.report(&failure);
        }
        Ok(token)
    }

    /// Calls WeCom: twice if it is busy or unavailable, never twice with refused credentials.
    async fn fetch(&self) -> Result<StoredToken, Error> {
        let deadline = Instant::now() + FETCH;
        let first = self.gettoken(deadline).await;
        match first {
            Err(error) if error.is_busy() || (error.is_unavailable() && !error.is_timeout()) => {
                tokio::time::sleep(jittered(PAUSE_BEFORE_SECOND_TRY, &*self.entropy)).await;
                self.gettoken(deadline).await
            }
            other => other,
        }
    }

    async fn gettoken(&self, deadline: Instant) -> Result<StoredToken, Error> {
        let refusals = self.transport.refusals();
        let issued_at = self.clock.now();
        refusals.check_credentials(self.key, issued_at)?;
        let query = [("corpid", self.corp_id.as_str()), ("corpsecret", self.secret.expose())];
        let secrets = [self.secret.expose()];
        let request = Request {
            api: &GETTOKEN,
            base: &self.api_base,
            query: &query,
            body: None,
            deadline: Some(deadline),
            secrets: &secrets,
        };
        let answer: GettokenAnswer =
            answer::exchange(&self.transport, request).await.inspect_err(|error| {
                refusals.note_credentials(self.key, error, self.clock.now());
            })?;
        let Some(token) = answer.access_token else {
            return Err(Error::of_call(GETTOKEN.path, Kind::Incomplete("access_token")));
        };
        let life = u64::try_from(answer.expires_in.unwrap_or(DEFAULT_LIFETIME)).unwrap_or(0);
        let expires_at = issued_at + Duration::from_secs(life);
        Ok(StoredToken { token: Secret::new(token), issued_at, expires_at })
    }

    /// Logs a failure of the store once per outage.
    fn report(&self, failure: &TokenStoreError) {
        if !self.store_failed.swap(true, Ordering::Relaxed) {
            tracing::warn!(%failure, "access tokens are not shared with other processes for now");
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The answer of a shared store, if it comes within a second.
pub(crate) async fn ask<T>(answer: StoreFuture<'_, T>) -> Result<T, TokenStoreError> {
    match tokio::time::timeout(STORE_ANSWER, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(TokenStoreError::new("no answer within a second")),
    }
}
