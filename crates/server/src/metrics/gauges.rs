//! Gauges, read when Prometheus scrapes. Counting rows reads whole tables, so rows are counted at most every fifteen seconds,
//! once for all scrapes. A count that takes more than two seconds is abandoned; the numbers are then absent, not stale.
//! `database_up` has a check of its own, because a database with many rows to count is not down.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::Mutex;
use wecom_login_model::Timestamp;
use wecom_login_store::{Backlog, Rows, Store};

use super::labels::Table;

const FRESH_FOR: Duration = Duration::from_secs(15);
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Instance {
    instance: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

/// Rows by table, the backlog of contact events by company, and the apps that WeCom does not answer.
type Counted = (Rows, Vec<Backlog>, usize);

/// The sources of the gauges.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) now: Timestamp,
    /// The instances that have an access token, with the time at which WeCom issued it.
    pub(crate) token_times: Vec<(String, Timestamp)>,
    /// Open connections, and their limit.
    pub(crate) connections: (usize, usize),
    pub(crate) sign_ins_under_way: usize,
    pub(crate) audit_lines_lost: u64,
    pub(crate) store: &'a Store,
}

#[derive(Debug)]
pub(crate) struct Gauges {
    token_age: Family<Instance, Gauge>,
    sessions: Family<State, Gauge>,
    rows: Family<Table, Gauge>,
    connections: Gauge,
    most_connections: Gauge,
    under_way: Gauge,
    events: Family<State, Gauge>,
    event_age: Family<State, Gauge>,
    apps_failing: Gauge,
    audit_lines_lost: Gauge,
    database_up: Gauge,
    last: Mutex<Option<(Timestamp, bool, Option<Counted>)>>,
}

impl Gauges {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let this = Self {
            token_age: Family::default(),
            sessions: Family::default(),
            rows: Family::default(),
            connections: Gauge::default(),
            most_connections: Gauge::default(),
            under_way: Gauge::default(),
            events: Family::default(),
            event_age: Family::default(),
            apps_failing: Gauge::default(),
            audit_lines_lost: Gauge::default(),
            database_up: Gauge::default(),
            last: Mutex::default(),
        };
        let build: Family<Build, Gauge> = Family::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("build", "Always 1; the label has the version", build);
        registry.register_with_unit(
            "access_token_age",
            "Age of the WeCom access token that this process holds",
            Unit::Seconds,
            this.token_age.clone(),
        );
        registry.register("sessions", "Sessions, active and ended", this.sessions.clone());
        registry.register("rows", "Rows of the database, by table", this.rows.clone());
        registry.register("connections", "Open connections", this.connections.clone());
        registry.register("connections_limit", "Limit on open connections", this.most_connections.clone());
        registry.register("sign_ins_under_way", "Sign-ins in progress", this.under_way.clone());
        registry.register(
            "contact_events",
            "Members and departments that contact events have queued for reading",
            this.events.clone(),
        );
        registry.register_with_unit(
            "contact_event_age",
            "Age of the oldest waiting event",
            Unit::Seconds,
            this.event_age.clone(),
        );
        registry.register(
            "apps_failing",
            "Apps that WeCom does not answer, or that are not configured any more",
            this.apps_failing.clone(),
        );
        registry.register(
            "audit_lines_lost",
            "Audit events missing from the audit file, since the start",
            this.audit_lines_lost.clone(),
        );
        registry.register("database_up", "1 when the database answers", this.database_up.clone());
        this
    }

    /// Reads all gauges.
    pub(crate) async fn read(&self, sources: Sources<'_>) {
        let Sources { now, store, .. } = sources;
        self.token_age.clear();
        for (instance, issued_at) in sources.token_times {
            self.token_age.get_or_create(&Instance { instance }).set(whole(now.since(issued_at).as_secs()));
        }
        let (open, most) = sources.connections;
        self.connections.set(whole(open as u64));
        self.most_connections.set(whole(most as u64));
        self.under_way.set(whole(sources.sign_ins_under_way as u64));
        self.audit_lines_lost.set(whole(sources.audit_lines_lost));
        // Concurrent scrapes wait for one count.
        let mut last = self.last.lock().await;
        let (up, counted) = match &*last {
            Some((at, up, counted)) if now < *at + FRESH_FOR => (*up, counted.clone()),
            _ => {
                let (up, counted) = tokio::join!(is_up(store), count(store, now));
                *last = Some((now, up, counted.clone()));
                (up, counted)
            }
        };
        drop(last);
        self.show(up, counted, now);
    }

    fn show(&self, up: bool, counted: Option<Counted>, now: Timestamp) {
        self.database_up.set(i64::from(up));
        self.rows.clear();
        self.sessions.clear();
        self.events.clear();
        self.event_age.clear();
        let Some((rows, backlog, failing)) = counted else { return };
        self.apps_failing.set(whole(failing as u64));
        for (state, count) in
            [("live", rows.live_sessions), ("ended", rows.sessions.saturating_sub(rows.live_sessions))]
        {
            self.sessions.get_or_create(&State { state }).set(count);
        }
        for (table, count) in [
            ("members", rows.members),
            ("departments", rows.departments),
            ("accounts", rows.accounts),
            ("bindings", rows.bindings),
            ("key_values", rows.key_values),
            ("audit_events", rows.audit_events),
            ("outbox", rows.outbox),
        ] {
            self.rows.get_or_create(&Table { table }).set(count);
        }
        let (waiting, aside) = (State { state: "waiting" }, State { state: "set_aside" });
        self.events.get_or_create(&waiting).set(backlog.iter().map(|company| company.waiting).sum());
        self.events.get_or_create(&aside).set(backlog.iter().map(|company| company.set_aside).sum());
        let oldest = backlog.iter().filter_map(|company| company.since).min();
        let age = oldest.map_or(0, |oldest| whole(now.since(oldest).as_secs()));
        self.event_age.get_or_create(&waiting).set(age);
    }
}

async fn is_up(store: &Store) -> bool {
    matches!(tokio::time::timeout(PATIENCE, store.check()).await, Ok(Ok(())))
}

async fn count(store: &Store, now: Timestamp) -> Option<Counted> {
    let counted = async {
        Ok((store.rows(now).await?, store.event_backlog().await?, store.failing_apps().await?.len()))
    };
    let problem: wecom_login_store::Error = match tokio::time::timeout(PATIENCE, counted).await {
        Ok(Ok(counted)) => return Some(counted),
        Ok(Err(error)) => error,
        Err(_) => {
            tracing::warn!("rows could not be counted for the metrics within two seconds");
            return None;
        }
    };
    tracing::warn!(error = %problem, "rows could not be counted for the metrics");
    None
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_has_much_to_count_is_not_down() {
        let gauges = Gauges::register(&mut Registry::default());
        let (now, members) = (Timestamp::from_millis(0), Table { table: "members" });
        let rows = Rows { members: 7, ..Rows::default() };
        gauges.show(true, Some((rows, Vec::new(), 0)), now);
        assert_eq!((gauges.database_up.get(), gauges.rows.get_or_create(&members).get()), (1, 7));
        gauges.show(true, None, now);
        assert_eq!(gauges.database_up.get(), 1);
        assert!(gauges.rows.get(&members).is_none(), "absent, not old");
        gauges.show(false, None, now);
        assert_eq!(gauges.database_up.get(), 0);
    }
}
