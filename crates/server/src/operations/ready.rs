//! GET /readyz: whether this replica can sign members in now. The answer lists the state of each component, without
//! addresses, paths and causes; those are in the log.
//!
//! An unreachable WeCom does not make a replica unready, because other replicas could not reach it either and existing
//! sessions still work: the component is degraded. An audit file that cannot be written is degraded too, and so is a limit on
//! connections that had to be lowered.

use std::cmp::Ordering;
use std::future::Future;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use wecom_login_model::Timestamp;

use crate::operations::readiness::{Health, Report};
use crate::state::{AppState, Apps, Operations};

/// One report serves all requests within this time.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// A check that takes longer fails.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) async fn readyz(State(app): State<AppState>) -> Response {
    if app.operations.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "stopping", "components": []})))
            .into_response();
    }
    let now = app.config.clock.now();
    // Concurrent requests wait for one report.
    let mut last = app.operations.readiness.0.lock().await;
    let report = match &*last {
        Some((at, report)) if now < *at + FRESH_FOR => report.clone(),
        former => {
            let report = Box::pin(look(&app, now)).await;
            let changed = former.as_ref().is_none_or(|(_, former)| former.is_ready() != report.is_ready());
            if changed && !report.is_ready() {
                tracing::error!(components = report.failed(), "not ready");
            } else if changed && former.is_some() {
                tracing::info!("ready again");
            }
            *last = Some((now, report.clone()));
            report
        }
    };
    drop(last);
    let status = if report.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report.shown())).into_response()
}

async fn look(app: &AppState, now: Timestamp) -> Report {
    let operations = &app.operations;
    let (database, migrations, redis) =
        tokio::join!(database(operations, now), migrations(operations), redis(operations));
    let mut components = vec![("database", database), ("migrations", migrations)];
    components.extend(redis.map(|redis| ("redis", redis)));
    components.extend([
        ("app", instances(&app.apps)),
        ("wecom", wecom(operations)),
        ("audit_log", audit_log(operations)),
        ("connections", connections(app)),
    ]);
    Report(components)
}

/// The result of a check, or a failure if it takes too long.
async fn asked<T>(
    answer: impl Future<Output = Result<T, wecom_login_store::Error>>,
    failed: &'static str,
    judge: impl FnOnce(T) -> Health,
) -> Health {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(answer)) => judge(answer),
        Ok(Err(error)) => {
            tracing::debug!(%error, failed, "a check for /readyz failed");
            Health::Failed(failed)
        }
        Err(_) => Health::Failed("no answer within two seconds"),
    }
}

async fn database(operations: &Operations, now: Timestamp) -> Health {
    asked(operations.store.check_writable(now), "the database cannot be written", |()| Health::Ok).await
}

async fn migrations(operations: &Operations) -> Health {
    asked(operations.store.version(), "the version of the tables cannot be read", |version| {
        match version.found.cmp(&version.expected) {
            Ordering::Equal => Health::Ok,
            Ordering::Greater => Health::Failed("the tables are of a later version of the program"),
            Ordering::Less => Health::Failed("the tables are of an earlier version of the program"),
        }
    })
    .await
}

/// Redis, if it is configured; otherwise states and counters are in the database.
async fn redis(operations: &Operations) -> Option<Health> {
    let values = operations.store.key_value();
    if !values.is_in_redis() {
        return None;
    }
    Some(asked(values.check(), "Redis does not answer", |()| Health::Ok).await)
}

fn instances(apps: &Apps) -> Health {
    match apps.loaded().instances.iter().next() {
        Some(_) => Health::Ok,
        None => Health::Failed("the app has no sign-in instance that works"),
    }
}

fn wecom(operations: &Operations) -> Health {
    if operations.metrics.reaches_wecom() {
        Health::Ok
    } else {
        Health::Degraded("the last call did not reach WeCom")
    }
}

fn audit_log(operations: &Operations) -> Health {
    match &operations.audit_file {
        Some(file) if file.is_failing() => Health::Degraded("the audit file cannot be written"),
        _ => Health::Ok,
    }
}

fn connections(app: &AppState) -> Health {
    let wanted = usize::try_from(app.config.settings.network.max_connections).unwrap_or(usize::MAX);
    if app.operations.connections.most() < wanted {
        Health::Degraded("the limit on open files allows fewer connections than max_connections")
    } else {
        Health::Ok
    }
}
