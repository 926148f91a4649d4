//! GET /metrics, for Prometheus. Each server has a registry of its own, so that servers in one process count separately.
//!
//! Every label has a bounded set of values: the app's instances, kinds of refusals, known endpoints and errcodes. Values that
//! a client sends and members are never labels.

mod calls;
pub(crate) mod gauges;
mod labels;
mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use wecom_login_store::{AuditEntry, AuditEvent, AuditSink};

use crate::http::client_address::ProxyFault;
use crate::operations::audit_file::AuditFile;
use gauges::Gauges;
use labels::{Call, Endpoint, Event, SignIn, Sync, Table};

/// The metrics of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    sign_ins: Family<SignIn, Counter>,
    calls: Family<Call, Counter>,
    call_seconds: Family<Endpoint, Histogram, fn() -> Histogram>,
    syncs: Family<Sync, Counter>,
    audit_events: Family<Event, Counter>,
    audit_rows_lost: Counter,
    administration_refused: Counter,
    deleted: Family<Table, Counter>,
    untrusted_forwarded: Counter,
    unreadable_forwarded: Counter,
    pub(crate) gauges: Gauges,
    /// True if the last call did not reach WeCom.
    cut_off: AtomicBool,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("wecom_login");
        let (sign_ins, calls) = (Family::<SignIn, Counter>::default(), Family::<Call, Counter>::default());
        let (syncs, deleted) = (Family::<Sync, Counter>::default(), Family::<Table, Counter>::default());
        let (audit_events, audit_rows_lost) = (Family::<Event, Counter>::default(), Counter::default());
        let seconds: fn() -> Histogram = || Histogram::new(exponential_buckets(0.01, 2.0, 11));
        let call_seconds = Family::<Endpoint, _, _>::new_with_constructor(seconds);
        let gauges = Gauges::register(&mut registry);
        registry.register("sign_ins", "Sign-ins that came back from WeCom, by outcome", sign_ins.clone());
        registry.register("wecom_calls", "Calls to WeCom, by endpoint and errcode", calls.clone());
        registry.register("wecom_call_seconds", "Duration of calls to WeCom", call_seconds.clone());
        registry.register("syncs", "Syncs, by outcome", syncs.clone());
        registry.register("audit_events", "Events of the audit log", audit_events.clone());
        registry.register(
            "audit_rows_lost",
            "Audit events missing from the database",
            audit_rows_lost.clone(),
        );
        let administration_refused = Counter::default();
        registry.register(
            "administration_refused",
            "Requests for administrators that were refused",
            administration_refused.clone(),
        );
        registry.register("deleted_rows", "Expired rows that were deleted", deleted.clone());
        let (untrusted_forwarded, unreadable_forwarded) = (Counter::default(), Counter::default());
        registry.register(
            "untrusted_forwarded",
            "Requests with X-Forwarded-For from a private address that is not in trusted_proxies",
            untrusted_forwarded.clone(),
        );
        registry.register(
            "unreadable_forwarded",
            "Requests of clients whose address a trusted proxy reports in no readable form",
            unreadable_forwarded.clone(),
        );
        Self {
            registry,
            sign_ins,
            calls,
            call_seconds,
            syncs,
            audit_events,
            audit_rows_lost,
            administration_refused,
            deleted,
            untrusted_forwarded,
            unreadable_forwarded,
            gauges,
            cut_off: AtomicBool::new(false),
        }
    }

    /// Counts a sign-in that has ended. `outcome` is one of a fixed set of words; `instance` is one of the app's, or none.
    pub(crate) fn signed_in(&self, instance: Option<&str>, outcome: &'static str) {
        let instance = instance.unwrap_or_default().to_owned();
        self.sign_ins.get_or_create(&SignIn { instance, outcome }).inc();
    }

    /// Counts an audit event that could not be written to the database.
    pub(crate) fn lost_audit_row(&self) {
        self.audit_rows_lost.inc();
    }

    /// Counts a request for administrators that was refused.
    pub(crate) fn refused_administration(&self) {
        self.administration_refused.inc();
    }

    /// Counts rows that the janitor has deleted.
    pub(crate) fn deleted(&self, table: &'static str, rows: u64) {
        self.deleted.get_or_create(&Table { table }).inc_by(rows);
    }

    /// Counts a request that shows a fault of a proxy's set-up.
    pub(crate) fn faulty_proxy(&self, fault: &ProxyFault) {
        match fault {
            ProxyFault::Untrusted { .. } => self.untrusted_forwarded.inc(),
            ProxyFault::Unreadable { .. } => self.unreadable_forwarded.inc(),
        };
    }

    /// The metrics in the OpenMetrics format.
    pub(crate) fn open_metrics(&self) -> Option<String> {
        let mut text = String::new();
        encode(&mut text, &self.registry).ok()?;
        Some(text)
    }

    /// The metrics in Prometheus' own text format.
    pub(crate) fn plain(&self) -> Option<String> {
        Some(text::plain(&self.open_metrics()?))
    }

    /// False if the last call did not reach WeCom.
    pub(crate) fn reaches_wecom(&self) -> bool {
        !self.cut_off.load(Ordering::Relaxed)
    }
}

/// Counts audit events, and passes them to the audit file.
#[derive(Debug)]
pub(crate) struct CountingSink {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) file: Option<AuditFile>,
}

impl AuditSink for CountingSink {
    fn written(&self, entry: &AuditEntry) {
        self.metrics.audit_events.get_or_create(&Event { event: entry.event.clone() }).inc();
        if entry.event == AuditEvent::Sync.as_str() {
            let instance = entry.instance.clone().unwrap_or_default();
            self.metrics.syncs.get_or_create(&Sync { instance, outcome: entry.outcome.clone() }).inc();
        }
        if let Some(file) = &self.file {
            file.written(entry);
        }
    }
}
