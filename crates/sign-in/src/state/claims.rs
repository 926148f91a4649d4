//! The claims of states: of many deliveries of a redirect one claims its state and exchanges the code.
//!
//! A claim is the first thing that is written of a sign-in, under the state's hash: one conditional step. Each later step is a
//! conditional write of the version that was read. A claim that outlives its lease was left by a process that died; the next
//! delivery of the same redirect takes over. The session itself is the outcome of a successful sign-in, so success writes
//! nothing here.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wecom_login_model::{Fingerprint, Timestamp, UserId};
use wecom_login_store::{Claimed, Error, KeyValue};

use super::State;
use crate::error::Terminal;

/// Twice what WeCom may take for an exchange, whose bound is the sign-in's budget.
const CLAIM_LEASE: Duration = Duration::from_secs(10);
/// How long a second delivery of a redirect gets the outcome of the first.
pub(crate) const OUTCOME_LIFETIME: Duration = Duration::from_mins(5);

/// What is kept of a claimed state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The fingerprint of the redirect that claimed it.
    pub(crate) redirect: String,
    #[serde(flatten)]
    pub(crate) phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "camelCase")]
pub(crate) enum Phase {
    /// A delivery exchanges the code, until `until` at the latest; afterwards the session of this redirect, if there is one, is
    /// its outcome. `proven` is written only where another call of WeCom follows.
    Claimed { until: Timestamp, proven: Option<Proven> },
    /// A try came to no outcome; it may be tried again. The code may be used up, and is if a member was `proven`.
    Tried { proven: Option<Proven> },
    /// Another try cannot change the refusal. Later deliveries get it until `until`.
    Refused { terminal: Terminal, until: Timestamp },
    /// The member was bound to the account of this session, which continues.
    Bound { session: String, user_id: UserId, until: Timestamp },
    /// WeCom proved the member of this session again, which continues.
    Continued { session: String, until: Timestamp },
    /// The app's own Type refused the member.
    RefusedByTheApp,
    /// A library call used the state.
    UsedByLibrary,
}

/// The member whom WeCom named. The code is used up; a delivery that takes over continues from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proven {
    pub(crate) user_id: UserId,
    /// A ticket for what the member consented to came with it, and is used up.
    #[serde(default)]
    pub(crate) had_ticket: bool,
}

/// The claim that a delivery holds.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) state: State,
    pub(crate) redirect: Fingerprint,
    version: i64,
}

/// What became of an attempt to claim.
#[derive(Debug)]
pub(crate) enum ClaimStep {
    /// This delivery holds the claim.
    Won(Claim),
    /// Another delivery has, or had, it.
    Held,
    /// Claims were lost since the state was issued.
    Lost,
}

/// A record and the version in which it was read.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) record: Record,
    version: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Claims {
    values: KeyValue,
}

impl Claims {
    pub(crate) fn new(values: KeyValue) -> Self {
        Self { values }
    }

    /// Claims a state that nobody has claimed.
    pub(crate) async fn claim(
        &self,
        state: &State,
        redirect: Fingerprint,
        now: Timestamp,
    ) -> Result<ClaimStep, Error> {
        self.write_first(state, redirect, Phase::leased(now, None), now).await
    }

    /// Spends a state of the library; false if it was used before. Lost claims count as used.
    pub(crate) async fn spend_for_library(&self, state: &State, now: Timestamp) -> Result<bool, Error> {
        let step = self.write_first(state, Fingerprint::of(""), Phase::UsedByLibrary, now).await?;
        Ok(matches!(step, ClaimStep::Won(_)))
    }

    async fn write_first(
        &self,
        state: &State,
        redirect: Fingerprint,
        phase: Phase,
        now: Timestamp,
    ) -> Result<ClaimStep, Error> {
        let record = encode(&Record { redirect: redirect.to_hex(), phase });
        let claimed =
            self.values.claim(&key(state), &record, state.issued_at(), now, state.recognised_until()).await?;
        Ok(match claimed {
            Claimed::Won(version) => ClaimStep::Won(Claim { state: state.clone(), redirect, version }),
            Claimed::Held => ClaimStep::Held,
            Claimed::Lost => ClaimStep::Lost,
        })
    }

    pub(crate) async fn get(&self, state: &State, now: Timestamp) -> Result<Option<Read>, Error> {
        let Some(entry) = self.values.get(&key(state), now).await? else { return Ok(None) };
        // A record that another version of this program wrote says only that the state is used.
        let used = |_| Record { redirect: String::new(), phase: Phase::RefusedByTheApp };
        let record = serde_json::from_str(&entry.value).unwrap_or_else(used);
        Ok(Some(Read { record, version: entry.version }))
    }

    /// Takes over the claim of a delivery that died or came to no outcome; `None` if another delivery was faster.
    pub(crate) async fn take_over(
        &self,
        state: &State,
        from: &Read,
        redirect: Fingerprint,
        proven: Option<Proven>,
        now: Timestamp,
    ) -> Result<Option<Claim>, Error> {
        let claim = Claim { state: state.clone(), redirect, version: from.version };
        self.step(&claim, Phase::leased(now, proven)).await
    }

    /// Writes down whom WeCom has named, and extends the lease. `None` if the claim was taken over.
    pub(crate) async fn keep_proof(
        &self,
        claim: &Claim,
        proven: &Proven,
        now: Timestamp,
    ) -> Result<Option<Claim>, Error> {
        self.step(claim, Phase::leased(now, Some(proven.clone()))).await
    }

    /// Moves the record to `phase` if the claim still holds.
    pub(crate) async fn step(&self, claim: &Claim, phase: Phase) -> Result<Option<Claim>, Error> {
        let record = encode(&Record { redirect: claim.redirect.to_hex(), phase });
        let until = claim.state.recognised_until();
        let won = self.values.replace(&key(&claim.state), claim.version, &record, until).await?;
        Ok(won.then(|| Claim { version: claim.version + 1, ..claim.clone() }))
    }

    /// Spends the state of a sign-in that the app's own Type refused, if its redirect still holds the claim.
    pub(crate) async fn spend_refused_by_the_app(
        &self,
        state: &State,
        redirect: Fingerprint,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(read) = self.get(state, now).await? else { return Ok(()) };
        if read.record.redirect != redirect.to_hex() || !matches!(read.record.phase, Phase::Claimed { .. }) {
            return Ok(());
        }
        let claim = Claim { state: state.clone(), redirect, version: read.version };
        self.step(&claim, Phase::RefusedByTheApp).await.map(drop)
    }
}

impl Phase {
    fn leased(now: Timestamp, proven: Option<Proven>) -> Self {
        Self::Claimed { until: now + CLAIM_LEASE, proven }
    }

    pub(crate) fn refused(terminal: Terminal, now: Timestamp) -> Self {
        Self::Refused { terminal, until: now + OUTCOME_LIFETIME }
    }

    /// True when no redirect has proved anybody yet, and any may still.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Tried { proven: None })
    }

    /// True when the sign-in may begin again although its state was claimed.
    pub(crate) fn may_restart(&self) -> bool {
        self.is_open() || matches!(self, Self::Refused { terminal: Terminal::BrokenOff, .. })
    }
}

fn key(state: &State) -> String {
    format!("state/{}", state.fingerprint().to_hex())
}

#[expect(clippy::expect_used, reason = "strings and numbers always have a JSON form")]
fn encode(record: &Record) -> String {
    serde_json::to_string(record).expect("a record has a JSON form")
}
