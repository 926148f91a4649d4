//! Failures on order: what a network or a WeCom under strain does to a call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::chance::Chance;

/// A failure to come. In JSON it is flat: `{"endpoint": "auth/getuserinfo", "kind": "errcode", "code": -1}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Fault {
    /// The call below `/cgi-bin/` that it hits, such as `auth/getuserinfo`; `*` hits every call.
    pub endpoint: String,
    /// The corpid of the company whose calls it hits; without it, those of every company.
    pub corpid: Option<String>,
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
    /// The call is handled (a code is used up), and its answer is held until the faults are cleared.
    HoldAnswer,
    /// An HTTP status with a page of text; the call is not handled.
    Status {
        /// 200 to 599.
        code: u16,
    },
    /// The connection is reset; the call is not handled.
    Reset,
    /// The call is handled (a code is used up), but half of the answer is missing and the connection closes.
    CutBody,
    /// The call is handled, and the last text of this field in the answer ends with what no JSON may hold.
    Damaged {
        /// The field.
        field: DamagedField,
        /// What its text ends with.
        by: Damage,
    },
    /// Text that is no JSON under status 200; the call is not handled.
    WrongJson,
    /// An errcode, before any check; the call is not handled.
    Errcode {
        /// The errcode, such as -1.
        code: i64,
    },
    /// A lower limit instead of WeCom's own: so many calls of the endpoint within a minute, then 45009 for a minute.
    /// It stays until the faults are cleared.
    PerMinute {
        /// Calls of one company.
        limit: u32,
    },
    /// So many calls of the endpoint under way at once, above it 45033. It stays until the faults are cleared.
    Concurrent {
        /// Calls of one company.
        limit: u32,
    },
}

/// The field of an answer that [`FaultKind::Damaged`] hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DamagedField {
    /// The name of a member or department.
    Name,
    /// The identifier of a member.
    Userid,
}

impl DamagedField {
    fn key(self) -> &'static [u8] {
        match self {
            Self::Name => b"\"name\":\"",
            Self::Userid => b"\"userid\":\"",
        }
    }
}

/// What WeCom was seen to put into texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// A character of three bytes, of which the last is missing.
    CutUtf8,
    /// Half an emoji, escaped.
    LoneSurrogate,
    /// A raw backspace.
    ControlCharacter,
}

impl Damage {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::CutUtf8 => b"\xe5\xbc",
            Self::LoneSurrogate => b"\\ud83d",
            Self::ControlCharacter => b"\x08",
        }
    }

    /// Puts it at the end of the last text of `field` in `body`; nothing happens to a body without one.
    pub(crate) fn strike(self, field: DamagedField, body: &mut Vec<u8>) {
        let key = field.key();
        let Some(last) = body.windows(key.len()).rposition(|window| window == key) else { return };
        let begin = last + key.len();
        let Some(long) = body[begin..].iter().position(|byte| *byte == b'"') else { return };
        body.splice(begin + long..begin + long, self.bytes().iter().copied());
    }
}

impl FaultKind {
    /// A limit holds for all calls; everything else hits single ones.
    fn is_limit(self) -> bool {
        matches!(self, Self::PerMinute { .. } | Self::Concurrent { .. })
    }
}

impl Fault {
    /// `kind` for every call of `endpoint` until the faults are cleared.
    pub fn new(endpoint: impl Into<String>, kind: FaultKind) -> Self {
        Self { endpoint: endpoint.into(), corpid: None, kind, times: None, probability: None }
    }

    /// For that many calls only.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// For the calls of that company only.
    pub fn of(mut self, corpid: &str) -> Self {
        self.corpid = Some(corpid.to_owned());
        self
    }

    fn hits(&self, endpoint: &str, corpid: &str) -> bool {
        (self.endpoint == "*" || self.endpoint == endpoint)
            && self.corpid.as_deref().is_none_or(|of| of == corpid)
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    corpid: Option<String>,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<DamagedField>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Damage>,
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
            "hold_answer" => FaultKind::HoldAnswer,
            "status" => FaultKind::Status {
                code: wire
                    .code
                    .and_then(|code| u16::try_from(code).ok())
                    .filter(|code| (200..=599).contains(code))
                    .ok_or_else(|| needs("code, 200 to 599"))?,
            },
            "reset" => FaultKind::Reset,
            "cut_body" => FaultKind::CutBody,
            "damaged" => FaultKind::Damaged {
                field: wire.field.ok_or_else(|| needs("field"))?,
                by: wire.by.ok_or_else(|| needs("by"))?,
            },
            "wrong_json" => FaultKind::WrongJson,
            "errcode" => FaultKind::Errcode { code: wire.code.ok_or_else(|| needs("code"))? },
            "per_minute" => FaultKind::PerMinute { limit: wire.limit.ok_or_else(|| needs("limit"))? },
            "concurrent" => FaultKind::Concurrent { limit: wire.limit.ok_or_else(|| needs("limit"))? },
            _ => {
                return Err(
                    "kind must be latency, hang, hold_answer, status, reset, cut_body, damaged, wrong_json, errcode, \
                            per_minute or concurrent"
                        .to_owned(),
                );
            }
        };
        if kind.is_limit() && (wire.times.is_some() || wire.probability.is_some()) {
            return Err(format!("a fault of kind {} takes no times or probability", wire.kind));
        }
        if wire.times == Some(0) {
            return Err("times must be at least 1".to_owned());
        }
        if wire.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Err("probability must be 0 to 1".to_owned());
        }
        Ok(Self {
            endpoint: wire.endpoint,
            corpid: wire.corpid,
            kind,
            times: wire.times,
            probability: wire.probability,
        })
    }
}

impl From<Fault> for Wire {
    fn from(fault: Fault) -> Self {
        let (field, by) = match fault.kind {
            FaultKind::Damaged { field, by } => (Some(field), Some(by)),
            _ => (None, None),
        };
        let (kind, ms, code, limit) = match fault.kind {
            FaultKind::Latency { ms } => ("latency", Some(ms), None, None),
            FaultKind::Hang => ("hang", None, None, None),
            FaultKind::HoldAnswer => ("hold_answer", None, None, None),
            FaultKind::Status { code } => ("status", None, Some(i64::from(code)), None),
            FaultKind::Reset => ("reset", None, None, None),
            FaultKind::CutBody => ("cut_body", None, None, None),
            FaultKind::Damaged { .. } => ("damaged", None, None, None),
            FaultKind::WrongJson => ("wrong_json", None, None, None),
            FaultKind::Errcode { code } => ("errcode", None, Some(code), None),
            FaultKind::PerMinute { limit } => ("per_minute", None, None, Some(limit)),
            FaultKind::Concurrent { limit } => ("concurrent", None, None, Some(limit)),
        };
        let Fault { endpoint, corpid, times, probability, .. } = fault;
        Self { endpoint, corpid, kind: kind.to_owned(), ms, code, limit, field, by, times, probability }
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
    /// By company and endpoint.
    under_way: HashMap<(Arc<str>, &'static str), usize>,
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
    pub(crate) fn strike(&self, endpoint: &str, corpid: &str) -> Option<FaultKind> {
        let State { faults, chance, .. } = &mut *self.state();
        let at = faults.iter().position(|fault| {
            fault.hits(endpoint, corpid)
                && !fault.kind.is_limit()
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

    /// The limits that were ordered for the company's calls of the endpoint, if any: calls within a minute, calls at once.
    pub(crate) fn limits(&self, endpoint: &str, corpid: &str) -> (Option<u32>, Option<u32>) {
        let state = self.state();
        let kinds =
            || state.faults.iter().filter(|fault| fault.hits(endpoint, corpid)).map(|fault| fault.kind);
        let per_minute = |kind| if let FaultKind::PerMinute { limit } = kind { Some(limit) } else { None };
        let at_once = |kind| if let FaultKind::Concurrent { limit } = kind { Some(limit) } else { None };
        (kinds().find_map(per_minute), kinds().find_map(at_once))
    }

    /// Notes a company's call as under way until the guard is dropped.
    pub(crate) fn enter(&self, corpid: Arc<str>, endpoint: &'static str) -> UnderWay<'_> {
        let mut state = self.state();
        let count = state.under_way.entry((Arc::clone(&corpid), endpoint)).or_default();
        *count += 1;
        UnderWay { at_once: *count, faults: self, corpid, endpoint }
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
    corpid: Arc<str>,
    endpoint: &'static str,
    /// How many of the company's calls of the endpoint were under way when this one came, itself included.
    pub(crate) at_once: usize,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut state = self.faults.state();
        let call = (Arc::clone(&self.corpid), self.endpoint);
        if let Some(count) = state.under_way.get_mut(&call) {
            *count -= 1;
            if *count == 0 {
                state.under_way.remove(&call);
            }
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
