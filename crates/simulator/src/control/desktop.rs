use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Outcome, bad, company, done, read};
use crate::pages::Desktop;
use crate::world::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    corpid: Option<String>,
    userid: Option<String>,
}

/// GET /_sim/desktop
pub(super) async fn show(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(match &shared.world().desktop {
        Desktop::Absent => json!({"running": false}),
        Desktop::SignedOut => json!({"running": true}),
        Desktop::SignedIn { corpid, userid } => json!({"running": true, "corpid": corpid, "userid": userid}),
    })
}

/// POST /_sim/desktop: the client runs; with a userid that member is signed in to it
pub(super) async fn set(State(shared): State<Arc<Shared>>, body: Bytes) -> Outcome {
    let Body { corpid, userid } = read(&body)?;
    let mut world = shared.world();
    world.desktop = match userid {
        None => Desktop::SignedOut,
        Some(userid) => {
            let company = company(&mut world, corpid.as_deref())?;
            let member = company.member(&userid);
            let userid = member.ok_or_else(|| bad(format!("there is no member {userid:?}")))?.userid.clone();
            Desktop::SignedIn { corpid: company.corpid().to_owned(), userid }
        }
    };
    Ok(done())
}

/// DELETE /_sim/desktop: no client runs
pub(super) async fn remove(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.world().desktop = Desktop::Absent;
    done()
}
