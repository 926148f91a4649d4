use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::callbacks::corpid;
use super::codes::number;
use super::input::{Outcome, Refused, done, missing, read};
use crate::events::{self, Receiver};
use crate::world::Shared;

type World = State<Arc<Shared>>;

/// GET /_sim/events
pub(super) async fn list(State(shared): World) -> Json<Value> {
    Json(json!({"holding": shared.pusher.holding(), "events": shared.pusher.events()}))
}

/// DELETE /_sim/events: forgets them; deliveries end
pub(super) async fn forget(State(shared): World) -> Json<Value> {
    shared.pusher.reset();
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    corpid: Option<String>,
    agentid: Option<Value>,
    xml: String,
}

/// POST /_sim/events: any text, encrypted and pushed like an event
pub(super) async fn push(State(shared): World, body: Bytes) -> Outcome {
    let own: Own = read(&body)?;
    let agentid = own.agentid.as_ref().map(number).transpose()?;
    let receiver = agentid.map_or(Receiver::ContactSync, Receiver::App);
    let corpid = corpid(&shared, own.corpid.as_deref(), receiver)?;
    if !shared.world().callbacks.contains_key(&(corpid.clone(), receiver)) {
        return Err(Refused(StatusCode::CONFLICT, "there is no callback setting to push to".to_owned()));
    }
    Ok(Json(json!({"id": events::push(&shared, &corpid, receiver, own.xml)})))
}

/// POST /_sim/events/hold: events are kept until they are released
pub(super) async fn hold(State(shared): World) -> Json<Value> {
    shared.pusher.hold();
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    ids: Option<Vec<u64>>,
}

/// POST /_sim/events/release: those ids in that order, as often as they are named; or all, and no more are held
pub(super) async fn release(State(shared): World, body: Bytes) -> Outcome {
    let Chosen { ids } = if body.is_empty() { Chosen { ids: None } } else { read(&body)? };
    let Some(ids) = ids else {
        events::release(&shared);
        return Ok(done());
    };
    let known = shared.pusher.events();
    if let Some(id) = ids.iter().find(|id| known.iter().all(|event| event.id != **id)) {
        return Err(missing(format!("there is no event {id}")));
    }
    for id in ids {
        events::send(&shared, id);
    }
    Ok(done())
}

/// POST /_sim/events/settle: answers when nothing is on its way
pub(super) async fn settle(State(shared): World) -> Json<Value> {
    shared.pusher.settled().await;
    list(State(shared)).await
}
