use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Outcome, Refused, bad, company, done, missing, patched, read};
use crate::company::ContactSync;
use crate::events::{Callback, CallbackRefused, Receiver, Rule};
use crate::world::Shared;

type World = State<Arc<Shared>>;

/// `?corpid=`; without it the first company is meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Where {
    corpid: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setting {
    url: String,
    token: String,
    aes_key: String,
    #[serde(default)]
    rule: Rule,
}

/// The company meant, if it has that receiver.
pub(super) fn corpid(shared: &Shared, given: Option<&str>, receiver: Receiver) -> Result<String, Refused> {
    let mut world = shared.world();
    let company = company(&mut world, given)?;
    match receiver {
        Receiver::App(agentid) if company.app(agentid).is_none() => {
            Err(missing(format!("there is no app {agentid}")))
        }
        _ => Ok(company.corpid().to_owned()),
    }
}

async fn save(shared: &Shared, at: &Where, receiver: Receiver, body: &Bytes) -> Outcome {
    let Setting { url, token, aes_key, rule } = read(body)?;
    let corpid = corpid(shared, at.corpid.as_deref(), receiver)?;
    let callback = Callback { url, token, aes_key, rule };
    match callback.verify(shared, &corpid).await {
        Ok(()) => {
            shared.world().callbacks.insert((corpid, receiver), callback);
            Ok(Json(json!({"saved": true})))
        }
        Err(CallbackRefused::NotVerified(reason)) => {
            Ok(Json(json!({"saved": false, "errcode": 40057, "reason": reason})))
        }
        Err(refused) => Err(bad(refused.to_string())),
    }
}

fn show(shared: &Shared, at: &Where, receiver: Receiver) -> Outcome {
    let corpid = corpid(shared, at.corpid.as_deref(), receiver)?;
    let world = shared.world();
    let callback = world.callbacks.get(&(corpid, receiver));
    let callback = callback.ok_or_else(|| missing("there is no callback setting"))?;
    Ok(Json(json!({"url": callback.url, "rule": callback.rule})))
}

fn remove(shared: &Shared, at: &Where, receiver: Receiver) -> Outcome {
    let corpid = corpid(shared, at.corpid.as_deref(), receiver)?;
    shared.world().callbacks.remove(&(corpid, receiver));
    Ok(done())
}

/// PUT /_sim/apps/{agentid}/callback: 接收消息, saved after the check of the address
pub(super) async fn save_app(
    State(shared): World,
    Path(agentid): Path<u64>,
    Query(at): Query<Where>,
    body: Bytes,
) -> Outcome {
    save(&shared, &at, Receiver::App(agentid), &body).await
}

/// GET /_sim/apps/{agentid}/callback
pub(super) async fn app(State(shared): World, Path(agentid): Path<u64>, Query(at): Query<Where>) -> Outcome {
    show(&shared, &at, Receiver::App(agentid))
}

/// DELETE /_sim/apps/{agentid}/callback
pub(super) async fn remove_app(
    State(shared): World,
    Path(agentid): Path<u64>,
    Query(at): Query<Where>,
) -> Outcome {
    remove(&shared, &at, Receiver::App(agentid))
}

/// PUT /_sim/contact-sync/callback: 接收事件服务器, saved after the check of the address
pub(super) async fn save_sync(State(shared): World, Query(at): Query<Where>, body: Bytes) -> Outcome {
    save(&shared, &at, Receiver::ContactSync, &body).await
}

/// GET /_sim/contact-sync/callback
pub(super) async fn sync(State(shared): World, Query(at): Query<Where>) -> Outcome {
    show(&shared, &at, Receiver::ContactSync)
}

/// DELETE /_sim/contact-sync/callback
pub(super) async fn remove_sync(State(shared): World, Query(at): Query<Where>) -> Outcome {
    remove(&shared, &at, Receiver::ContactSync)
}

/// Contact sync without its secret.
fn shown(sync: &ContactSync) -> Json<Value> {
    Json(json!({"trusted_ips": sync.trusted_ips, "reads_details": sync.reads_details}))
}

/// GET /_sim/contact-sync
pub(super) async fn contact_sync(State(shared): World, Query(at): Query<Where>) -> Outcome {
    Ok(shown(company(&mut shared.world(), at.corpid.as_deref())?.contact_sync()))
}

/// PATCH /_sim/contact-sync
pub(super) async fn edit_contact_sync(State(shared): World, Query(at): Query<Where>, body: Bytes) -> Outcome {
    let mut world = shared.world();
    let company = company(&mut world, at.corpid.as_deref())?;
    company.put_contact_sync(patched(company.contact_sync(), &body)?);
    Ok(shown(company.contact_sync()))
}
