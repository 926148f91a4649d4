//! The record of a state: issued, claimed by one delivery of its redirect, tried, spent.
//!
//! It is kept under the state's fingerprint. Each step is one conditional write of the version that was read, so of many
//! deliveries one claims. A claim that outlives its lease was left by a process that died; the next delivery of the same
//! redirect takes over.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wecom_login_model::{Fingerprint, Secret, Timestamp, UserId};
use wecom_login_store::{Error, KeyValue};

use super::{Again, Binding, Holder, Purpose, STATE_LIFETIME, State};
use crate::Redirect;
use crate::refusal::Settled;

/// How much longer the record of an expired or used state is kept, to begin the sign-in again or to name the case.
pub(crate) const RECORD_KEPT_FOR: Duration = Duration::from_hours(1);
/// Twice what WeCom may take for an exchange, whose bound is the sign-in's budget.
pub(crate) const CLAIM_LEASE: Duration = Duration::from_secs(10);
/// How long a second delivery of a redirect is answered like the first.
pub(crate) const OUTCOME_LIFETIME: Duration = Duration::from_mins(5);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) instance: String,
    /// The fingerprint of the browser; `None` for the library.
    pub(crate) browser: Option<String>,
    pub(crate) return_to: Option<String>,
    pub(crate) restarts: u8,
    #[serde(default)]
    pub(crate) binding: Option<Binding>,
    pub(crate) expires_at: Timestamp,
    pub(crate) phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "camelCase")]
pub(crate) enum Phase {
    /// Nothing has come back yet.
    Issued,
    /// One delivery of `redirect` is exchanging the code, until `until` at the latest. Once WeCom has told who it is, the
    /// code is burnt, and whoever takes over goes on from there.
    Claimed { redirect: String, until: Timestamp, proven: Option<Proven> },
    /// A try of `redirect` came to no outcome; it may be tried again. The code may be burnt, and is if it was `proven`.
    Tried { redirect: String, proven: Option<Proven> },
    /// The redirect has had its outcome, which is told again until `until`.
    Spent { redirect: String, until: Timestamp, outcome: Outcome },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proven {
    pub(crate) user_id: UserId,
    /// A ticket for what the member consented to came with it, and is used up.
    #[serde(default)]
    pub(crate) had_ticket: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub(crate) enum Outcome {
    /// The session, and its token sealed for this redirect.
    SignedIn { session: String, sealed_token: String },
    /// The member is bound; the session goes on.
    Bound { session: String, user_id: UserId },
    /// What no other try can change.
    Refused { settled: Settled },
    /// A library call has used the state.
    UsedByLibrary,
}

/// A record and the version in which it was read.
#[derive(Debug, Clone)]
pub(crate) struct Versioned {
    pub(crate) record: Record,
    pub(crate) version: i64,
}

/// The records of states.
#[derive(Debug, Clone)]
pub(crate) struct States {
    values: KeyValue,
}

fn key(state: &Secret) -> String {
    format!("state/{}", Fingerprint::of(state.expose()).to_hex())
}

impl States {
    pub(crate) fn new(values: KeyValue) -> Self {
        Self { values }
    }

    pub(crate) async fn insert(&self, state: &State, record: &Record, now: Timestamp) -> Result<bool, Error> {
        let kept_until = record.expires_at + RECORD_KEPT_FOR;
        self.values.insert(&key(&Secret::new(state.as_str())), &encode(record), now, kept_until).await
    }

    pub(crate) async fn get(&self, state: &Secret, now: Timestamp) -> Result<Option<Versioned>, Error> {
        let Some(entry) = self.values.get(&key(state), now).await? else { return Ok(None) };
        // A record that a later version of this program wrote is none that this one issued.
        Ok(serde_json::from_str(&entry.value).ok().map(|record| Versioned { record, version: entry.version }))
    }

    /// Moves a record to `phase` if it is still as it was read.
    pub(crate) async fn step(
        &self,
        state: &Secret,
        from: &Versioned,
        phase: Phase,
    ) -> Result<Option<Versioned>, Error> {
        let record = Record { phase, ..from.record.clone() };
        let kept_until = record.expires_at + RECORD_KEPT_FOR;
        let won = self.values.replace(&key(state), from.version, &encode(&record), kept_until).await?;
        Ok(won.then(|| Versioned { record, version: from.version + 1 }))
    }
}

impl Record {
    pub(crate) fn new(instance: &str, holder: Holder<'_>, purpose: Purpose, now: Timestamp) -> Self {
        let browser = match holder {
            Holder::Browser(browser) => Some(browser.fingerprint().to_hex()),
            Holder::Library => None,
        };
        let Purpose { return_to, binding, restarts } = purpose;
        Self {
            instance: instance.to_owned(),
            browser,
            return_to,
            restarts,
            binding,
            expires_at: now + STATE_LIFETIME,
            phase: Phase::Issued,
        }
    }

    /// True when no redirect has proved anybody yet, and any may still.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Issued | Phase::Tried { proven: None, .. })
    }

    /// Whether its sign-in is begun again. One that was to bind is not: only the session that asked for it can.
    pub(crate) fn again(&self) -> Again {
        let broke_off = matches!(
            self.phase,
            Phase::Spent { outcome: Outcome::Refused { settled: Settled::BrokenOff }, .. }
        );
        if self.browser.is_none() || self.binding.is_some() || !(self.is_open() || broke_off) {
            return Again::Never;
        }
        Again::after(self.restarts, Purpose { return_to: self.return_to.clone(), ..Purpose::default() })
    }

    pub(crate) fn belongs_to(&self, redirect: &Redirect) -> bool {
        self.browser.as_deref() == Some(redirect.browser.fingerprint().to_hex().as_str())
    }
}

#[expect(clippy::expect_used, reason = "strings and numbers always have a JSON form")]
fn encode(record: &Record) -> String {
    serde_json::to_string(record).expect("a record has a JSON form")
}
