//! A bearer session over HTTP: its pair beside getLoginCode's answer, and POST /session/refresh.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};
use wecom_login_login::Refusal;
use wecom_login_model::Timestamp;
use wecom_login_session::{Pair, RefreshToken, Refreshed, RetryKey};

use crate::api::arguments;
use crate::problem;
use crate::problems::{BAD_ARGUMENTS, NOT_SIGNED_IN, REFRESH_TOKEN_REUSED};
use crate::request::Visit;
use crate::session::refused;
use crate::site::Site;

/// A pair as clients get it. `expiresIn` is the access token's time in seconds.
pub(crate) fn shown(pair: &Pair, now: Timestamp) -> Value {
    json!({
        "accessToken": pair.access.secret().expose(),
        "refreshToken": pair.refresh.secret().expose(),
        "expiresIn": pair.access_until.since(now).as_secs(),
        "tokenType": "Bearer",
    })
}

/// The refresh token in a body, if one is there and can be one of ours.
pub(crate) fn refresh_token(body: &Map<String, Value>) -> Option<RefreshToken> {
    body.get("refreshToken").and_then(Value::as_str).and_then(RefreshToken::parse)
}

/// POST /session/refresh: `{"refreshToken", "retryKey"?}` for the next pair.
pub(crate) async fn refresh(State(site): State<Arc<Site>>, visit: Visit, request: Request) -> Response {
    let body = match arguments(request).await {
        Ok(body) => body,
        Err((status, number)) => return refused(&visit, status, number),
    };
    let retry_key = match body.get("retryKey") {
        None | Some(Value::Null) => None,
        Some(key) => match key.as_str().and_then(RetryKey::parse) {
            Some(key) => Some(key),
            None => return refused(&visit, StatusCode::BAD_REQUEST, BAD_ARGUMENTS),
        },
    };
    if !body.contains_key("refreshToken") {
        return refused(&visit, StatusCode::BAD_REQUEST, BAD_ARGUMENTS);
    }
    let refreshed = match refresh_token(&body) {
        Some(token) => site.sessions.refresh(&token, retry_key.as_ref()).await,
        None => Ok(Refreshed::Unknown),
    };
    match refreshed {
        Ok(Refreshed::Pair(pair, _)) => Json(shown(&pair, site.clock.now())).into_response(),
        Ok(Refreshed::Reused(session)) => {
            tracing::warn!(
                request_id = %visit.request_id,
                session = session.id,
                "a refresh token came twice; its session was ended"
            );
            refused(&visit, StatusCode::UNAUTHORIZED, REFRESH_TOKEN_REUSED)
        }
        Ok(Refreshed::Unknown) => refused(&visit, StatusCode::UNAUTHORIZED, NOT_SIGNED_IN),
        Err(error) => {
            let refusal = Refusal::from(error);
            problem::log(&visit, &refusal);
            refused(&visit, StatusCode::SERVICE_UNAVAILABLE, refusal.code())
        }
    }
}
