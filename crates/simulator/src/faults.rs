//! Failures on order: what a network or a WeCom under strain does to a call.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::chance::Chance;

/// A failure to come. In JSON it is flat: `{"endpoint": "auth/getuserinfo", "kind": "errcode", "code": -1}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Fault {
    /// The call below `/cgi-bin/` that it hits, such as `auth/getuserinfo`; `*` hits every call.
    pub endpoint: String,
    /// What happens.
    pub kind: FaultKind,
    /// How many calls it hits; without it, every one until the faults are cleared.
    pub times: Option<u32>,
    /// How likely it hits a call, 0 to 1; without it, always.
    pub probability: Option<f64>,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The call is handled this much later (real time, not the simulator's clock).
    Latency {
        /// Milliseconds.
        ms: u64,
    },
    /// The call is held until the faults are cleared, then handled.
    Hang,
    /// An HTTP status with a page of text; the call is not handled.
    Status {
        /// 200 to 599.
        code: u16,
    },
    /// The connection is reset; the call is not handled.
    Reset,
    /// The call is handled (a code is used up), but half of the answer is missing and the connection closes.
    CutBody,
    /// Text that is no JSON under status 200; the call is not handled.
    WrongJson,
    /// An errcode, before any check; the call is not handled.
    Errcode {
        /// The errcode, such as -1.
        code: i64,
    },
}

impl Fault {
    /// `kind` for every call of `endpoint` until the faults are cleared.
    pub fn new(endpoint: impl Into<String>, kind: FaultKind) -> Self {
        Self { endpoint: endpoint.into(), kind, times: None, probability: None }
    }

    /// For that many calls only.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// With that probability (0 to 1).
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }
}

/// A fault as JSON says it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    endpoint: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
}

impl TryFrom<Wire> for Fault {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Self, String> {
        let needs = |key: &str| format!("a fault of kind {} needs {key}", wire.kind);
        let kind = match wire.kind.as_str() {
            "latency" => FaultKind::Latency { ms: wire.ms.ok_or_else(|| needs("ms"))? },
            "hang" => FaultKind::Hang,
            "status" => FaultKind::Status {
                code: wire
                    .code
                    .and_then(|code| u16::try_from(code).ok())
                    .filter(|code| (200..=599).contains(code))
                    .ok_or_else(|| needs("code, 200 to 599"))?,
            },
            "reset" => FaultKind::Reset,
            "cut_body" => FaultKind::CutBody,
            "wrong_json" => FaultKind::WrongJson,
            "errcode" => FaultKind::Errcode { code: wire.code.ok_or_else(|| needs("code"))? },
            _ => {
                return Err(
                    "kind must be latency, hang, status, reset, cut_body, wrong_json or errcode".to_owned()
                );
            }
        };
        if wire.times == Some(0) {
            return Err("times must be at least 1".to_owned());
        }
        if wire.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Err("probability must be 0 to 1".to_owned());
        }
        Ok(Self { endpoint: wire.endpoint, kind, times: wire.times, probability: wire.probability })
    }
}

impl From<Fault> for Wire {
    fn from(fault: Fault) -> Self {
        let (kind, ms, code) = match fault.kind {
            FaultKind::Latency { ms } => ("latency", Some(ms), None),
            FaultKind::Hang => ("hang", None, None),
            FaultKind::Status { code } => ("status", None, Some(i64::from(code))),
            FaultKind::Reset => ("reset", None, None),
            FaultKind::CutBody => ("cut_body", None, None),
            FaultKind::WrongJson => ("wrong_json", None, None),
            FaultKind::Errcode { code } => ("errcode", None, Some(code)),
        };
        let Fault { endpoint, times, probability, .. } = fault;
        Self { endpoint, kind: kind.to_owned(), ms, code, times, probability }
    }
}

/// The failures to come, the calls under way and those that are held.
pub(crate) struct Faults {
    state: Mutex<State>,
    held: watch::Sender<usize>,
    cleared: watch::Sender<u64>,
}

struct State {
    faults: Vec<Fault>,
    under_way: HashMap<&'static str, usize>,
    chance: Chance,
}

impl Faults {
    pub(crate) fn new(chance: Chance) -> Self {
        let state = State { faults: Vec::new(), under_way: HashMap::new(), chance };
        Self { state: Mutex::new(state), held: watch::Sender::new(0), cleared: watch::Sender::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.state().faults.clone()
    }

    /// Forgets all failures to come and lets held calls go on.
    pub(crate) fn clear(&self) {
        self.state().faults.clear();
        self.cleared.send_modify(|count| *count += 1);
    }

    /// The first failure in the list that hits this call; one of its times is used up.
    pub(crate) fn strike(&self, endpoint: &str) -> Option<FaultKind> {
        let State { faults, chance, .. } = &mut *self.state();
        let at = faults.iter().position(|fault| {
            (fault.endpoint == "*" || fault.endpoint == endpoint)
                && fault.probability.is_none_or(|probability| chance.happens(probability))
        })?;
        let kind = faults[at].kind;
        if let Some(times) = &mut faults[at].times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                faults.remove(at);
            }
        }
        Some(kind)
    }

    /// Notes a call as under way until the guard is dropped.
    pub(crate) fn enter(&self, endpoint: &'static str) -> UnderWay<'_> {
        let mut state = self.state();
        let count = state.under_way.entry(endpoint).or_default();
        *count += 1;
        UnderWay { faults: self, endpoint, at_once: *count }
    }

    /// Holds the call until the faults are cleared; a caller who gives up is no longer held.
    pub(crate) async fn hold(&self) {
        let mut cleared = self.cleared.subscribe();
        let _held = Held::new(&self.held);
        let _ = cleared.changed().await;
    }

    pub(crate) fn held_now(&self) -> usize {
        *self.held.borrow()
    }

    pub(crate) async fn held(&self, enough: impl FnMut(&usize) -> bool) {
        let _ = self.held.subscribe().wait_for(enough).await;
    }
}

/// A call under way.
pub(crate) struct UnderWay<'a> {
    faults: &'a Faults,
    endpoint: &'static str,
    /// How many calls of the endpoint were under way when this one came, itself included.
    pub(crate) at_once: usize,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.faults.state().under_way.get_mut(self.endpoint) {
            *count -= 1;
        }
    }
}

struct Held<'a>(&'a watch::Sender<usize>);

impl<'a> Held<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|held| *held += 1);
        Self(count)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|held| *held -= 1);
    }
}
