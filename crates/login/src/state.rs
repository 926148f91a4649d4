//! The state of a sign-in: issued, claimed by one delivery of its redirect, proven, spent.
//!
//! A record is kept under the state's fingerprint. Each step is one conditional write of the version that was read,
//! so of many deliveries one claims. A claim that outlives its lease was left by a process that died; the next
//! delivery of the same redirect takes over.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wecom_login_model::{AccountId, Entropy, Fingerprint, Secret, Timestamp, UserId, alphanumeric};
use wecom_login_store::{Error, KeyValue};

use crate::refusal::Settled;
use crate::{BrowserId, Redirect};

/// How long a sign-in may take from its link to its redirect.
pub(crate) const STATE_LIFETIME: Duration = Duration::from_mins(10);
/// How much longer the record of an expired or used state is kept, to restart the sign-in or to name the case.
const RECORD_KEPT_FOR: Duration = Duration::from_hours(1);
/// Longer than any exchange of a code can take.
pub(crate) const CLAIM_LEASE: Duration = Duration::from_secs(15);
/// How long a second delivery of a redirect is answered like the first.
pub(crate) const OUTCOME_LIFETIME: Duration = Duration::from_mins(5);

/// A state: 32 characters of a-zA-Z0-9, which both sign-in links carry unharmed (WeCom 91022).
#[derive(Clone, PartialEq, Eq)]
pub struct State(String);

impl State {
    const LENGTH: usize = 32;

    pub(crate) fn generate(entropy: &dyn Entropy) -> Self {
        Self(alphanumeric(entropy, Self::LENGTH))
    }

    /// The text that goes into the link.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

/// For whom a state is issued.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    /// A browser; only it can use the state.
    Browser(&'a BrowserId),
    /// A call of the library; never valid over HTTP.
    Library,
}

/// What a sign-in was begun for that is to bind whoever it proves, instead of signing them in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The account to bind to.
    pub account: AccountId,
    /// The live session of that account, in the same browser, that asked for it.
    pub session: String,
}

/// What is needed to begin a sign-in again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// The instance.
    pub instance: String,
    /// Where the member wanted to go.
    pub return_to: Option<String>,
    /// How often the sign-in has been begun again, this time included.
    pub restarts: u8,
}

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
    /// One delivery of `redirect` is exchanging the code, until `until` at the latest.
    Claimed { redirect: String, until: Timestamp, proven: Option<Proven> },
    /// WeCom has told who it is, and has burnt the code; what came after failed and may be tried again.
    Proven { redirect: String, proven: Proven },
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
    pub(crate) fn new(
        instance: &str,
        holder: Holder<'_>,
        return_to: Option<String>,
        restarts: u8,
        now: Timestamp,
    ) -> Self {
        let browser = match holder {
            Holder::Browser(browser) => Some(browser.fingerprint().to_hex()),
            Holder::Library => None,
        };
        let expires_at = now + STATE_LIFETIME;
        Self {
            instance: instance.to_owned(),
            browser,
            return_to,
            restarts,
            binding: None,
            expires_at,
            phase: Phase::Issued,
        }
    }

    pub(crate) fn belongs_to(&self, redirect: &Redirect) -> bool {
        self.browser.as_deref() == Some(redirect.browser.fingerprint().to_hex().as_str())
    }
}

#[expect(clippy::expect_used, reason = "strings and numbers always have a JSON form")]
fn encode(record: &Record) -> String {
    serde_json::to_string(record).expect("a record has a JSON form")
}
