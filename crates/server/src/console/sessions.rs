//! /console/api/sessions: the live sessions and their revocation, for administrators. Answers are envelopes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use wecom_login_model::{CorpId, InvalidId, UserId};
use wecom_login_store::{Revoke, SessionsOf};

use super::call::{Console, known, text};
use crate::api::arguments;
use crate::problems::{BAD_ARGUMENTS, NO_SUCH_SESSION};
use crate::site::Site;

pub(crate) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/", get(list)).route("/revoke", post(revoke))
}

/// GET ?corpId=&userId=&page=&size=: live sessions, the latest first.
async fn list(State(site): State<Arc<Site>>, console: Console) -> Response {
    let (page, size) = match console.page() {
        Ok(page) => page,
        Err(refused) => return *refused,
    };
    let parameter = |name: &str| console.call.visit.parameter(name);
    let read = || -> Result<_, InvalidId> {
        let corp_id = parameter("corpId").map(CorpId::parse).transpose()?;
        Ok((corp_id, parameter("userId").map(UserId::parse).transpose()?))
    };
    let (corp_id, user_id) = match read() {
        Ok(read) => read,
        Err(error) => return console.bad(BAD_ARGUMENTS, &error.to_string()),
    };
    let of = SessionsOf { corp_id: corp_id.as_ref(), user_id: user_id.as_ref() };
    match site.store.live_sessions(of, console.call.now, (page - 1) * size, size).await {
        Ok((rows, total)) => {
            console.call.success(json!({"rowDatas": rows, "page": page, "size": size, "totalCount": total}))
        }
        Err(error) => console.failed(error),
    }
}

/// POST {id}, {corpId, userId} or {all: true}: ends them. One that does not live is 404; of a member or of all, as many as
/// live are ended, which may be none.
async fn revoke(State(site): State<Arc<Site>>, console: Console, request: Request) -> Response {
    let arguments = match arguments(request).await {
        Ok(arguments) => arguments,
        Err((status, number)) => return console.call.problem(status, number),
    };
    let which = match Which::read(&arguments) {
        Ok(which) => which,
        Err(problem) => return console.bad(BAD_ARGUMENTS, &problem),
    };
    let (one, revoke) = match &which {
        Which::One(id) => (true, Revoke::One(id)),
        Which::Member(corp_id, user_id) => {
            (false, Revoke::Of(SessionsOf { corp_id: Some(corp_id), user_id: Some(user_id) }))
        }
        Which::All => (false, Revoke::Of(SessionsOf::default())),
    };
    match site.store.revoke_sessions(revoke, console.call.now).await {
        Ok(0) if one => console.call.problem(StatusCode::NOT_FOUND, NO_SUCH_SESSION),
        Ok(revoked) => {
            tracing::info!(by = %console.by, revoked, "sessions were revoked");
            console.call.success(json!({"revoked": revoked}))
        }
        Err(error) => console.failed(error),
    }
}

enum Which {
    One(String),
    Member(CorpId, UserId),
    All,
}

impl Which {
    fn read(arguments: &Map<String, Value>) -> Result<Self, String> {
        known(arguments, &["id", "corpId", "userId", "all"])?;
        let has = |name: &str| arguments.contains_key(name);
        let member = has("corpId") || has("userId");
        match (has("id"), member, has("all")) {
            (true, false, false) => Ok(Self::One(text(arguments, "id")?)),
            (false, true, false) => Ok(Self::Member(
                CorpId::parse(text(arguments, "corpId")?).map_err(|error| error.to_string())?,
                UserId::parse(text(arguments, "userId")?).map_err(|error| error.to_string())?,
            )),
            (false, false, true) if arguments["all"] == Value::Bool(true) => Ok(Self::All),
            _ => Err("one of id; corpId and userId; all: true".to_owned()),
        }
    }
}
