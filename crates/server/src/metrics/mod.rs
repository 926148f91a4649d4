//! GET /metrics: what Prometheus reads. The registry is this server's own, so that servers in one process count apart.
//!
//! Every label has a bounded set of values: instances that the app has, kinds of refusals, endpoints and errcodes that are
//! known. Nothing that a client sends becomes a label, nor does any member.

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

use crate::operations::audit_file::AuditFile;
use gauges::Gauges;
use labels::{Call, Endpoint, Event, SignIn, Sync, Table};

/// The counters of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    sign_ins: Family<SignIn, Counter>,
    calls: Family<Call, Counter>,
    call_seconds: Family<Endpoint, Histogram, fn() -> Histogram>,
    syncs: Family<Sync, Counter>,
    audit_events: Family<Event, Counter>,
    audit_rows_lost: Counter,
    deleted: Family<Table, Counter>,
    pub(crate) gauges: Gauges,
    /// The last call did not reach WeCom.
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
        registry.register("wecom_calls", "Calls of WeCom, by endpoint and errcode", calls.clone());
        registry.register("wecom_call_seconds", "How long calls of WeCom took", call_seconds.clone());
        registry.register("syncs", "Synchronisations with WeCom, by outcome", syncs.clone());
        registry.register("audit_events", "Events of the audit log", audit_events.clone());
        registry.register(
            "audit_rows_lost",
            "Audit events that are not in the database",
            audit_rows_lost.clone(),
        );
        registry.register("deleted_rows", "Rows deleted because they were old", deleted.clone());
        Self {
            registry,
            sign_ins,
            calls,
            call_seconds,
            syncs,
            audit_events,
            audit_rows_lost,
            deleted,
            gauges,
            cut_off: AtomicBool::new(false),
        }
    }

    /// A sign-in came to its end. `outcome` is one of a fixed set of words; `instance` one that the app has, or none.
    pub(crate) fn signed_in(&self, instance: Option<&str>, outcome: &'static str) {
        let instance = instance.unwrap_or_default().to_owned();
        self.sign_ins.get_or_create(&SignIn { instance, outcome }).inc();
    }

    /// An audit event did not come to the database.
    pub(crate) fn lost_audit_row(&self) {
        self.audit_rows_lost.inc();
    }

    /// The janitor has deleted rows.
    pub(crate) fn deleted(&self, table: &'static str, rows: u64) {
        self.deleted.get_or_create(&Table { table }).inc_by(rows);
    }

    /// The figures as OpenMetrics.
    pub(crate) fn open_metrics(&self) -> Option<String> {
        let mut text = String::new();
        encode(&mut text, &self.registry).ok()?;
        Some(text)
    }

    /// The figures in Prometheus' own format.
    pub(crate) fn plain(&self) -> Option<String> {
        Some(text::plain(&self.open_metrics()?))
    }

    /// False when the last call of WeCom did not reach it.
    pub(crate) fn reaches_wecom(&self) -> bool {
        !self.cut_off.load(Ordering::Relaxed)
    }
}

/// Counts audit events, and hands them on to the file.
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
