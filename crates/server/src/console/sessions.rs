//! /console/api/sessions: lists and revokes active sessions, for administrators. Answers are envelopes.

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Map, Value, json};
use wecom_login_model::{CorpId, InvalidId, UserId};
use wecom_login_store::{Revoke, SessionsOf};

use super::call::{Console, bad_arguments, known, parsed, text};
use crate::http::body::arguments;
use crate::http::envelope;
use crate::http::error_numbers::NO_SUCH_SESSION;
use crate::http::rejection::Rejection;
use crate::state::AppState;

/// GET ?corpId=&userId=&page=&size=: active sessions, newest first.
pub(crate) async fn list(State(app): State<AppState>, console: Console) -> Result<Response, Rejection> {
    let (page, size) = console.page()?;
    let parameter = |name: &str| console.context.parameter(name);
    let read = || -> Result<_, InvalidId> {
        let corp_id = parameter("corpId").map(CorpId::parse).transpose()?;
        Ok((corp_id, parameter("userId").map(UserId::parse).transpose()?))
    };
    let (corp_id, user_id) = read().map_err(|error| bad_arguments(error.to_string()))?;
    let of = SessionsOf { corp_id: corp_id.as_ref(), user_id: user_id.as_ref() };
    let now = app.config.clock.now();
    let (rows, total) = app.operations.store.live_sessions(of, now, (page - 1) * size, size).await?;
    let data = json!({"rowDatas": rows, "page": page, "size": size, "totalCount": total});
    Ok(envelope::success(&console.context, data))
}

/// POST {id}, {corpId, userId} or {all: true}: revokes the sessions. An id without an active session is 404; a member or
/// `all` without active sessions is a success that revokes none.
pub(crate) async fn revoke(
    State(app): State<AppState>,
    console: Console,
    request: Request,
) -> Result<Response, Rejection> {
    let which = Which::read(&arguments(request).await?)?;
    let (one, revoke) = match &which {
        Which::One(id) => (true, Revoke::One(id)),
        Which::Member(corp_id, user_id) => {
            (false, Revoke::Of(SessionsOf { corp_id: Some(corp_id), user_id: Some(user_id) }))
        }
        Which::All => (false, Revoke::Of(SessionsOf::default())),
    };
    let revoked = app.operations.store.revoke_sessions(revoke, app.config.clock.now()).await?;
    if one && revoked == 0 {
        return Err(Rejection::of(NO_SUCH_SESSION));
    }
    tracing::info!(by = %console.by, revoked, "sessions were revoked");
    Ok(envelope::success(&console.context, json!({"revoked": revoked})))
}

enum Which {
    One(String),
    Member(CorpId, UserId),
    All,
}

impl Which {
    fn read(arguments: &Map<String, Value>) -> Result<Self, Rejection> {
        known(arguments, &["id", "corpId", "userId", "all"])?;
        let has = |name: &str| arguments.contains_key(name);
        let member = has("corpId") || has("userId");
        match (has("id"), member, has("all")) {
            (true, false, false) => Ok(Self::One(text(arguments, "id")?)),
            (false, true, false) => Ok(Self::Member(
                parsed(arguments, "corpId", CorpId::parse)?,
                parsed(arguments, "userId", UserId::parse)?,
            )),
            (false, false, true) if arguments["all"] == Value::Bool(true) => Ok(Self::All),
            _ => Err(bad_arguments("one of id; corpId and userId; all: true")),
        }
    }
}
