//! /console/api/sync: syncs of the organisation, the last runs, and removals that wait for an administrator. Answers are
//! envelopes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};
use wecom_login_directory::{SyncError, Viewer};
use wecom_login_element::Code;
use wecom_login_model::CorpId;
use wecom_login_store::{Held, Run};

use super::call::{Console, known, text};
use crate::api::arguments;
use crate::organisation::{self, NotBegun};
use crate::problem;
use crate::problems::{BAD_ARGUMENTS, NO_INSTANCE, NOTHING_HELD, SYNC_RUNNING, explain};
use crate::site::Site;

const RUNS: i64 = 20;
/// Held members that are told by name, for each app.
const MEMBERS: i64 = 100;

pub(crate) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/", get(show).post(start)).route("/confirm", post(confirm))
}

/// GET: the last runs, newest first; the removals on hold; and who is at a sync now.
async fn show(State(site): State<Arc<Site>>, console: Console) -> Response {
    match overview(&site).await {
        Ok(overview) => console.call.success(overview),
        Err(error) => console.failed(error),
    }
}

async fn overview(site: &Site) -> Result<Value, wecom_login_store::Error> {
    let viewers = site.served().instances.viewers();
    // Before the runs, so that one that is not under way any more is told with what came of it.
    let mut running = Vec::new();
    for corp_id in viewers.iter().map(|viewer| &viewer.corp_id).collect::<BTreeSet<_>>() {
        if let Some(lease) = organisation::running(site, corp_id, site.clock.now()).await? {
            running.push(json!({"corpId": corp_id, "holder": lease.label, "since": lease.since}));
        }
    }
    let runs: Vec<Value> = site.store.runs(RUNS).await?.iter().map(run_json).collect();
    let held: Vec<Value> =
        site.store.held_removals(MEMBERS).await?.iter().map(|held| held_json(held, &viewers)).collect();
    Ok(json!({"runs": runs, "held": held, "running": running}))
}

/// POST {instance?, force?}: begins a sync of one instance, or of every one, and answers when they are under way; of one
/// company they follow one another.
async fn start(State(site): State<Arc<Site>>, console: Console, request: Request) -> Response {
    let arguments = match arguments(request).await {
        Ok(arguments) => arguments,
        Err((status, number)) => return console.call.problem(status, number),
    };
    if let Err(problem) = known(&arguments, &["instance", "force"]) {
        return console.bad(BAD_ARGUMENTS, &problem);
    }
    let force = match arguments.get("force") {
        None => false,
        Some(Value::Bool(force)) => *force,
        Some(_) => return console.bad(BAD_ARGUMENTS, "force: true, false"),
    };
    let mut viewers = site.served().instances.viewers();
    if arguments.contains_key("instance") {
        match viewer(&site, text(&arguments, "instance")) {
            Ok(viewer) => viewers = vec![viewer],
            Err(Refused::Bad(problem)) => return console.bad(BAD_ARGUMENTS, &problem),
            Err(Refused::Nobody) => return console.call.problem(StatusCode::NOT_FOUND, NO_INSTANCE),
        }
    }
    begin(&site, &console, viewers, force).await
}

/// POST {instance}: approves the removals of the instance's app that are on hold, and begins a sync, which makes those of
/// them that are still to be made.
async fn confirm(State(site): State<Arc<Site>>, console: Console, request: Request) -> Response {
    let arguments = match arguments(request).await {
        Ok(arguments) => arguments,
        Err((status, number)) => return console.call.problem(status, number),
    };
    if let Err(problem) = known(&arguments, &["instance"]) {
        return console.bad(BAD_ARGUMENTS, &problem);
    }
    let viewer = match viewer(&site, text(&arguments, "instance")) {
        Ok(viewer) => viewer,
        Err(Refused::Bad(problem)) => return console.bad(BAD_ARGUMENTS, &problem),
        Err(Refused::Nobody) => return console.call.problem(StatusCode::NOT_FOUND, NO_INSTANCE),
    };
    let by = console.by.to_string();
    match site.store.approve_removals(&viewer.corp_id, &viewer.agent_id, &by).await {
        Ok(0) => console.call.problem(StatusCode::NOT_FOUND, NOTHING_HELD),
        Ok(approved) => {
            tracing::info!(by, instance = viewer.instance, approved, "removals were approved");
            begin(&site, &console, vec![viewer], false).await
        }
        Err(error) => console.failed(error),
    }
}

/// Begins the syncs, of each company one after another. What could be begun in no company is refused.
async fn begin(site: &Arc<Site>, console: &Console, viewers: Vec<Viewer>, force: bool) -> Response {
    let mut companies: BTreeMap<CorpId, Vec<Viewer>> = BTreeMap::new();
    for viewer in viewers {
        companies.entry(viewer.corp_id.clone()).or_default().push(viewer);
    }
    let (mut started, mut not_started, mut problem) = (Vec::new(), Vec::new(), None);
    for (corp_id, viewers) in companies {
        let instances = viewers.iter().map(|viewer| viewer.instance.clone()).collect::<Vec<_>>();
        match organisation::begin(site, viewers, console.by.to_string(), force).await {
            Ok(()) => started.extend(instances),
            Err(not_begun) => {
                match &not_begun {
                    NotBegun::Running(other) => {
                        tracing::info!(%corp_id, holder = other.label, "a sync is under way already");
                    }
                    NotBegun::Failed(refusal) => problem::log(&console.call.visit, refusal),
                }
                not_started.extend(instances);
                problem = Some(not_begun);
            }
        }
    }
    match problem {
        Some(NotBegun::Running(other)) if started.is_empty() => {
            let language = console.call.visit.language;
            let meaning = explain(SYNC_RUNNING).meaning.text(language);
            let reason = format!("{meaning} ({})", SyncError::Running(other));
            console.call.answer_code(StatusCode::CONFLICT, &Code::new(SYNC_RUNNING, reason))
        }
        Some(NotBegun::Failed(refusal)) if started.is_empty() => {
            console.call.problem(StatusCode::SERVICE_UNAVAILABLE, refusal.code())
        }
        _ => {
            tracing::info!(by = %console.by, force, ?started, "syncs were begun");
            console.call.success(json!({"started": started, "notStarted": not_started}))
        }
    }
}

enum Refused {
    Bad(String),
    Nobody,
}

/// The app of the instance of that full name, as it looks at its company.
fn viewer(site: &Site, name: Result<String, String>) -> Result<Viewer, Refused> {
    let name = name.map_err(Refused::Bad)?;
    let instances = &site.served().instances;
    let instance = instances.get(&name).ok_or(Refused::Nobody)?;
    let of_the_app =
        |viewer: &Viewer| viewer.corp_id == *instance.corp_id() && viewer.agent_id == *instance.agent_id();
    instances.viewers().into_iter().find(of_the_app).ok_or(Refused::Nobody)
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

fn held_json(held: &Held, viewers: &[Viewer]) -> Value {
    let of = |viewer: &&Viewer| viewer.corp_id == held.corp_id && viewer.agent_id == held.agent_id;
    json!({
        "instance": viewers.iter().find(of).map(|viewer| viewer.instance.as_str()),
        "corpId": held.corp_id,
        "agentId": held.agent_id,
        "count": held.count,
        "approved": held.approved,
        "since": held.since,
        "members": held.members,
    })
}
