//! What is read when Prometheus asks. Counting rows reads whole tables, so it is done at most every fifteen seconds, once
//! for all who ask, and is given up after two: then the numbers are absent, not old.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::Mutex;
use wecom_login_model::Timestamp;
use wecom_login_store::{Backlog, Rows};

use super::Table;
use crate::site::Site;

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

/// Rows, and what waits by company.
type Counted = (Rows, Vec<Backlog>);

#[derive(Debug)]
pub(super) struct Gauges {
    token_age: Family<Instance, Gauge>,
    sessions: Family<State, Gauge>,
    rows: Family<Table, Gauge>,
    connections: Gauge,
    most_connections: Gauge,
    under_way: Gauge,
    events: Family<State, Gauge>,
    event_age: Family<State, Gauge>,
    audit_lines_lost: Gauge,
    database_up: Gauge,
    counted: Mutex<Option<(Timestamp, Option<Counted>)>>,
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
            audit_lines_lost: Gauge::default(),
            database_up: Gauge::default(),
            counted: Mutex::default(),
        };
        let build: Family<Build, Gauge> = Family::default();
        build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
        registry.register("build", "1; the label tells the version", build);
        registry.register_with_unit(
            "access_token_age",
            "Since WeCom issued the access token that this process holds",
            Unit::Seconds,
            this.token_age.clone(),
        );
        registry.register(
            "sessions",
            "Sessions that live, and ended ones that are kept",
            this.sessions.clone(),
        );
        registry.register("rows", "Rows of the database, by table", this.rows.clone());
        registry.register("connections", "Open connections", this.connections.clone());
        registry.register("connections_limit", "Connections that may be open", this.most_connections.clone());
        registry.register("sign_ins_under_way", "Sign-ins under way", this.under_way.clone());
        registry.register(
            "contact_events",
            "Members and departments that contact events ask to be read again",
            this.events.clone(),
        );
        registry.register_with_unit(
            "contact_event_age",
            "Since the oldest event came that waits",
            Unit::Seconds,
            this.event_age.clone(),
        );
        registry.register(
            "audit_lines_lost",
            "Audit events that are not in the audit file, since the start",
            this.audit_lines_lost.clone(),
        );
        registry.register(
            "database_up",
            "1 when the database answered this scrape",
            this.database_up.clone(),
        );
        this
    }

    /// Reads them.
    pub(super) async fn read(&self, site: &Site) {
        let now = site.clock.now();
        self.token_age.clear();
        for instance in site.served().instances.iter() {
            if let Some(issued_at) = instance.client().token_issued_at() {
                let label = Instance { instance: instance.full_name().to_owned() };
                self.token_age.get_or_create(&label).set(whole(now.since(issued_at).as_secs()));
            }
        }
        self.connections.set(whole(site.connections.open() as u64));
        self.most_connections.set(whole(site.connections.most() as u64));
        self.under_way.set(whole(site.login.under_way() as u64));
        self.audit_lines_lost
            .set(whole(site.audit_file.as_ref().map_or(0, crate::audit_file::AuditFile::lost)));
        self.count(site, now).await;
    }

    async fn count(&self, site: &Site, now: Timestamp) {
        // Whoever comes meanwhile waits for the one count.
        let mut counted = self.counted.lock().await;
        let rows = match &*counted {
            Some((at, rows)) if now < *at + FRESH_FOR => rows.clone(),
            _ => {
                let rows = match tokio::time::timeout(PATIENCE, read(site, now)).await {
                    Ok(Ok(rows)) => Some(rows),
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "rows could not be counted for the metrics");
                        None
                    }
                    Err(_) => {
                        tracing::warn!("rows could not be counted for the metrics within two seconds");
                        None
                    }
                };
                *counted = Some((now, rows.clone()));
                rows
            }
        };
        self.database_up.set(i64::from(rows.is_some()));
        self.rows.clear();
        self.sessions.clear();
        self.events.clear();
        self.event_age.clear();
        let Some((rows, backlog)) = rows else { return };
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

async fn read(site: &Site, now: Timestamp) -> Result<Counted, wecom_login_store::Error> {
    Ok((site.store.rows(now).await?, site.store.event_backlog().await?))
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
