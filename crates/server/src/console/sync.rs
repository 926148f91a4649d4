//! /console/api/sync: starts syncs of the organisation, and shows recent runs and held removals. Answers are envelopes.

use std::collections::BTreeSet;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use wecom_login_directory::{SyncError, SyncSource, by_company};
use wecom_login_model::CorpId;
use wecom_login_store::{AppHealth, Held, Run};

use super::call::{Console, bad_arguments, known, text};
use crate::http::body::arguments;
use crate::http::envelope;
use crate::http::error_numbers::{NO_INSTANCE, NOTHING_HELD, SYNC_RUNNING};
use crate::http::rejection::Rejection;
use crate::operations::sync_schedule::{self, SyncNotStarted};
use crate::state::AppState;

const RUNS: i64 = 20;
/// The number of held members that are listed by name, for each app.
const MEMBERS: i64 = 100;

/// GET: recent runs, newest first; held removals; running syncs; apps that WeCom does not answer.
pub(crate) async fn show(State(app): State<AppState>, console: Console) -> Result<Response, Rejection> {
    let sources = app.apps.loaded().instances.sources();
    // Read before the runs, so that a sync that ends in between is shown with its outcome.
    let mut running = Vec::new();
    for corp_id in sources.iter().map(|source| &source.corp_id).collect::<BTreeSet<_>>() {
        if let Some(lease) = app.organisation.directory.running_sync(corp_id).await? {
            running.push(json!({"corpId": corp_id, "holder": lease.label, "since": lease.since}));
        }
    }
    let runs: Vec<Value> = app.operations.store.runs(RUNS).await?.iter().map(run_json).collect();
    let held = app.operations.store.held_removals(MEMBERS).await?;
    let held: Vec<Value> = held.iter().map(|held| held_json(held, &sources)).collect();
    let failing = app.operations.store.failing_apps().await?;
    let failing: Vec<Value> = failing.iter().map(failing_json).collect();
    let shown = json!({"runs": runs, "held": held, "running": running, "failingApps": failing});
    Ok(envelope::success(&console.context, shown))
}

/// POST {instance?, force?}: starts a sync of one instance or of all, and answers once they have started. Syncs of the same
/// company run one after another.
pub(crate) async fn start(
    State(app): State<AppState>,
    console: Console,
    request: Request,
) -> Result<Response, Rejection> {
    let arguments = arguments(request).await?;
    known(&arguments, &["instance", "force"])?;
    let force = match arguments.get("force") {
        None => false,
        Some(Value::Bool(force)) => *force,
        Some(_) => return Err(bad_arguments("force: true, false")),
    };
    let sources = if arguments.contains_key("instance") {
        vec![source(&app, &arguments)?]
    } else {
        app.apps.loaded().instances.sources()
    };
    begin(&app, &console, sources, force).await
}

/// POST {instance}: approves the held removals of the instance's app, and starts a sync, which makes the removals that still
/// apply.
pub(crate) async fn confirm(
    State(app): State<AppState>,
    console: Console,
    request: Request,
) -> Result<Response, Rejection> {
    let arguments = arguments(request).await?;
    known(&arguments, &["instance"])?;
    let source = source(&app, &arguments)?;
    let by = console.by.to_string();
    let approved = app.operations.store.approve_removals(&source.corp_id, &source.agent_id, &by).await?;
    if approved == 0 {
        return Err(Rejection::of(NOTHING_HELD));
    }
    tracing::info!(by, instance = source.instance, approved, "removals were approved");
    begin(&app, &console, vec![source], false).await
}

/// Starts the syncs, those of the same company one after another. Fails if none could start.
async fn begin(
    app: &AppState,
    console: &Console,
    sources: Vec<SyncSource>,
    force: bool,
) -> Result<Response, Rejection> {
    let (mut started, mut not_started, mut problem) = (Vec::new(), Vec::new(), None);
    let begin = |(corp_id, sources): (CorpId, Vec<SyncSource>)| async move {
        let instances = sources.iter().map(|source| source.instance.clone()).collect::<Vec<_>>();
        (corp_id, instances, sync_schedule::begin(app, sources, console.by.to_string(), force).await)
    };
    // At once: whether the sync of a company is running already may take seconds to find out.
    for (corp_id, instances, begun) in join_all(by_company(sources).into_iter().map(begin)).await {
        match begun {
            Ok(()) => started.extend(instances),
            Err(not_begun) => {
                match &not_begun {
                    SyncNotStarted::Running(other) => {
                        tracing::info!(%corp_id, holder = other.label, "a sync is already running");
                    }
                    SyncNotStarted::Failed(refusal) => {
                        tracing::error!(%corp_id, error = %refusal, "a sync could not start");
                    }
                }
                not_started.extend(instances);
                problem = Some(not_begun);
            }
        }
    }
    match problem {
        Some(SyncNotStarted::Running(other)) if started.is_empty() => {
            Err(Rejection::of(SYNC_RUNNING).note(SyncError::Running(other).to_string()))
        }
        Some(SyncNotStarted::Failed(refusal)) if started.is_empty() => {
            Err(Rejection::from(refusal).status(StatusCode::SERVICE_UNAVAILABLE))
        }
        _ => {
            tracing::info!(by = %console.by, force, ?started, "syncs were started");
            let data = json!({"started": started, "notStarted": not_started});
            Ok(envelope::success(&console.context, data))
        }
    }
}

/// The named instance's app as a sync source.
fn source(app: &AppState, arguments: &Map<String, Value>) -> Result<SyncSource, Rejection> {
    let name = text(arguments, "instance")?;
    let instances = &app.apps.loaded().instances;
    let nobody = || Rejection::of(NO_INSTANCE);
    let instance = instances.get(&name).ok_or_else(nobody)?;
    let of_the_app = |source: &SyncSource| {
        source.corp_id == *instance.corp_id() && source.agent_id == *instance.agent_id()
    };
    instances.sources().into_iter().find(of_the_app).ok_or_else(nobody)
}

fn run_json(run: &Run) -> Value {
    json!({
        "id": run.id.number(),
        "instance": run.instance,
        "corpId": run.corp_id,
        "agentId": run.agent_id,
        "startedBy": run.started_by,
        "forced": run.forced,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
        "phase": run.phase.as_str(),
        "outcome": run.outcome.map(wecom_login_store::Outcome::as_str),
        "problem": run.problem,
        "departments": run.departments,
        "seen": run.seen,
        "joined": run.joined,
        "changed": run.changed,
        "cameBack": run.came_back,
        "left": run.left,
        "held": run.held,
    })
}

fn failing_json(app: &AppHealth) -> Value {
    json!({"corpId": app.corp_id, "agentId": app.agent_id, "since": app.failing_since, "problem": app.problem})
}

fn held_json(held: &Held, sources: &[SyncSource]) -> Value {
    let of = |source: &&SyncSource| source.corp_id == held.corp_id && source.agent_id == held.agent_id;
    json!({
        "instance": sources.iter().find(of).map(|source| source.instance.as_str()),
        "corpId": held.corp_id,
        "agentId": held.agent_id,
        "count": held.count,
        "approved": held.approved,
        "since": held.since,
        "members": held.members,
    })
}
