//! Calls within a budget: adds the token, tries again where that is safe, and ends at the deadline.

mod agent;
mod departments;
mod identity;
mod list_id;
mod listing;
mod members;
mod tags;

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::Instant;

pub use agent::Agent;
pub use departments::{Department, DepartmentNode};
pub use identity::{AuthCode, Identity, InvalidAuthCode, UserDetail};
pub use list_id::{Membership, MembershipPage};
pub use listing::Listing;
pub use members::{SimpleUser, User};
pub use tags::Tag;

use crate::client::answer;
use crate::client::api::{Api, GETTOKEN};
use crate::client::error::Kind;
use crate::client::token::{AccessToken, TokenSource, jittered};
use crate::client::transport::Request;
use crate::{Budget, Client, Error, Secret};

/// Calls to WeCom that share one [`Budget`]; made by [`Client::within`]. Clones share the deadline.
#[derive(Debug, Clone)]
pub struct Calls {
    client: Client,
    budget: Budget,
    deadline: Option<Instant>,
}

/// The parameters of one call, without the token.
struct Parameters<'a> {
    query: &'a [(&'static str, &'a str)],
    body: Option<String>,
    /// The parts of them that no error may contain.
    secrets: &'a [&'a str],
}

impl<'a> Parameters<'a> {
    fn query(query: &'a [(&'static str, &'a str)]) -> Self {
        Self { query, body: None, secrets: &[] }
    }
}

/// The tries of one call so far.
#[derive(Default)]
struct Tries {
    replaced_token: bool,
    reconnected: bool,
    busy: u32,
    paused: Duration,
}

impl Calls {
    pub(crate) fn new(client: Client, budget: Budget) -> Self {
        let deadline = budget.total.map(|total| Instant::now() + total);
        Self { client, budget, deadline }
    }

    /// The app's access token (WeCom 91039): the current one in well under a microsecond, or a new one. Keep it on the
    /// server, and do not keep it for long: WeCom may revoke it.
    pub async fn access_token(&self) -> Result<Secret, Error> {
        if let Some(token) = self.client.inner().tokens.at_hand() {
            return Ok(token.secret.clone());
        }
        let mut tries = Tries::default();
        loop {
            match self.token().await {
                Ok(token) => return Ok(token.secret.clone()),
                Err(error) => self.wait_or_give_up(&GETTOKEN, error, &mut tries).await?,
            }
        }
    }

    fn source(&self) -> &TokenSource {
        self.client.inner().tokens.source()
    }

    async fn token(&self) -> Result<Arc<AccessToken>, Error> {
        let fetch = self.client.inner().tokens.get();
        match self.deadline {
            None => fetch.await,
            Some(deadline) => tokio::time::timeout_at(deadline, fetch)
                .await
                .unwrap_or_else(|_| Err(Error::of_call(GETTOKEN.path, Kind::TimedOut))),
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        api: &'static Api,
        parameters: Parameters<'_>,
    ) -> Result<T, Error> {
        let source = self.source();
        let refusals = source.transport.refusals();
        let mut tries = Tries::default();
        loop {
            refusals.check_address(source.key, source.clock.now())?;
            self.wait_for_quota(api, &mut tries).await?;
            let token = match self.token().await {
                Ok(token) => token,
                Err(error) => {
                    self.wait_or_give_up(&GETTOKEN, error, &mut tries).await?;
                    continue;
                }
            };
            match self.try_once(api, &parameters, &token).await {
                Ok(answer) => return Ok(answer),
                // WeCom checks the token first and consumes no code, so a second try is safe for every call. If it
                // fails as well, a new token does not help.
                Err(error) if error.is_token_invalid() && !tries.replaced_token => {
                    tries.replaced_token = true;
                    self.client.inner().tokens.reject(&token);
                }
                Err(error) => {
                    refusals.note_address(source.key, &error, source.clock.now());
                    self.wait_or_give_up(api, error, &mut tries).await?;
                }
            }
        }
    }

    /// Background work waits until its company has quota for this call, within its patience. Calls of a sign-in are
    /// only counted.
    async fn wait_for_quota(&self, api: &'static Api, tries: &mut Tries) -> Result<(), Error> {
        let source = self.source();
        let quota = source.transport.quota();
        let company = (source.api_base.as_str(), &source.corp_id);
        let Some(patience) = self.budget.patience else {
            quota.note(company, api.path);
            return Ok(());
        };
        while let Err(pause) = quota.reserve(company, api.path).await {
            tries.paused += pause;
            let free_at = Instant::now() + pause;
            if tries.paused > patience || self.deadline.is_some_and(|deadline| free_at >= deadline) {
                return Err(Error::of_call(api.path, Kind::NoCallsLeft(pause)));
            }
            tokio::time::sleep_until(free_at).await;
        }
        Ok(())
    }

    async fn try_once<T: DeserializeOwned>(
        &self,
        api: &'static Api,
        parameters: &Parameters<'_>,
        token: &AccessToken,
    ) -> Result<T, Error> {
        let mut query = Vec::with_capacity(parameters.query.len() + 1);
        query.push(("access_token", token.secret.expose()));
        query.extend_from_slice(parameters.query);
        let mut secrets = vec![token.secret.expose(), self.source().secret.expose()];
        secrets.extend_from_slice(parameters.secrets);
        let request = Request {
            api,
            base: self.client.endpoints().api(),
            query: &query,
            body: parameters.body.clone(),
            deadline: self.deadline,
            secrets: &secrets,
        };
        answer::exchange(&self.source().transport, request).await
    }

    /// Returns after a pause if the call may be tried again, otherwise fails with `error`.
    async fn wait_or_give_up(&self, api: &Api, error: Error, tries: &mut Tries) -> Result<(), Error> {
        let Some(pause) = self.pause_before_next_try(api, &error, tries) else { return Err(error) };
        if self.deadline.is_some_and(|deadline| Instant::now() + pause >= deadline) {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn pause_before_next_try(&self, api: &Api, error: &Error, tries: &mut Tries) -> Option<Duration> {
        let in_background = self.budget.patience.is_some();
        // A fetch of the token has already been tried twice.
        let of_token = error.call() == Some(GETTOKEN.path);
        if error.is_busy() || (in_background && error.is_rate_limited()) {
            if !in_background && (of_token || tries.busy >= 1) {
                return None;
            }
            let pause = jittered(self.growing_pause(tries.busy), &*self.source().entropy);
            tries.busy += 1;
            tries.paused += pause;
            return (self.budget.patience.is_none_or(|patience| tries.paused <= patience)).then_some(pause);
        }
        let lost = error.is_unavailable() && !error.is_timeout();
        let repeatable = error.is_unreached() || !api.consumes;
        if lost && repeatable && !of_token && !tries.reconnected {
            tries.reconnected = true;
            return Some(jittered(self.budget.first_pause.min(RECONNECT), &*self.source().entropy));
        }
        None
    }

    fn growing_pause(&self, times: u32) -> Duration {
        let factor = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
        self.budget.first_pause.saturating_mul(factor).min(self.budget.longest_pause)
    }
}

/// The pause before the second try after a lost connection.
const RECONNECT: Duration = Duration::from_millis(100);
