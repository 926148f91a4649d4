use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::codes::number;
use super::input::{Outcome, bad, company, done, patched, read, read_list};
use crate::faults::Fault;
use crate::grants::{Holder, Person};
use crate::world::Shared;

/// GET /_sim/calls
pub(super) async fn calls(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({"calls": shared.world().calls}))
}

/// DELETE /_sim/calls
pub(super) async fn reset_calls(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.world().calls.clear();
    done()
}

/// GET /_sim/faults
pub(super) async fn faults(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({"faults": shared.faults.list(), "held": shared.faults.held_now()}))
}

/// POST /_sim/faults: one or a list
pub(super) async fn add_faults(State(shared): State<Arc<Shared>>, body: Bytes) -> Outcome {
    let faults: Vec<Fault> = read_list(&body)?;
    for fault in &faults {
        if fault.endpoint != "*" && crate::api::endpoint(&fault.endpoint).is_none() {
            return Err(bad(format!("there is no endpoint {:?}", fault.endpoint)));
        }
        if let Some(corpid) = &fault.corpid
            && shared.world().company(corpid).is_none()
        {
            return Err(bad(format!("there is no company {corpid:?}")));
        }
    }
    for fault in faults {
        shared.faults.add(fault);
    }
    Ok(done())
}

/// DELETE /_sim/faults
pub(super) async fn clear_faults(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.faults.clear();
    done()
}

/// GET /_sim/clock
pub(super) async fn clock(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({"now": shared.clock.now().secs()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

/// POST /_sim/clock
pub(super) async fn advance(State(shared): State<Arc<Shared>>, body: Bytes) -> Outcome {
    let Advance { advance_seconds } = read(&body)?;
    shared.clock.advance(Duration::from_secs(advance_seconds));
    Ok(clock(State(shared)).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenAction {
    action: String,
    corpid: Option<String>,
    agentid: Option<Value>,
}

/// POST /_sim/tokens: of all apps, of one company's, or of one app
pub(super) async fn tokens(State(shared): State<Arc<Shared>>, body: Bytes) -> Outcome {
    let TokenAction { action, corpid, agentid } = read(&body)?;
    let agentid = agentid.as_ref().map(number).transpose()?;
    let now = shared.clock.now();
    let mut world = shared.world();
    let corpid = match (corpid, agentid) {
        (None, None) => None,
        (corpid, _) => Some(company(&mut world, corpid.as_deref())?.corpid().to_owned()),
    };
    let chosen = |holder: &Holder| {
        corpid.as_deref().is_none_or(|corpid| *holder.corpid == *corpid)
            && agentid.is_none_or(|agentid| holder.agentid() == Some(agentid))
    };
    match action.as_str() {
        "expire" => world.tokens.expire(now, chosen),
        "revoke" => world.tokens.revoke(chosen),
        "rotate" => world.tokens.rotate(chosen),
        _ => return Err(bad("action must be expire, revoke or rotate")),
    }
    Ok(done())
}

/// GET /_sim/behaviour
pub(super) async fn behaviour(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!(shared.world().behaviour))
}

/// PATCH /_sim/behaviour
pub(super) async fn behave(State(shared): State<Arc<Shared>>, body: Bytes) -> Outcome {
    let mut world = shared.world();
    let behaviour = patched(&world.behaviour, &body)?;
    if ![60_111, 60_011].contains(&behaviour.outside_scope) {
        return Err(bad("outside_scope must be 60111 or 60011"));
    }
    if !(1..=10).contains(&behaviour.callback_copies) {
        return Err(bad("callback_copies must be 1 to 10"));
    }
    world.behaviour = behaviour;
    Ok(Json(json!(world.behaviour)))
}

/// POST /_sim/device: whose client opens the OAuth page
pub(super) async fn device(State(shared): State<Arc<Shared>>, body: Bytes) -> Outcome {
    let person: Person = read(&body)?;
    shared.world().device.set(Some(person));
    Ok(done())
}

/// DELETE /_sim/device
pub(super) async fn no_device(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.world().device.set(None);
    done()
}

/// POST /_sim/reset
pub(super) async fn reset(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.reset();
    done()
}
