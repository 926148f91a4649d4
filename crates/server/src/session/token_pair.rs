use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::Value;
use wecom_login_session::{Refreshed, RetryKey};

use crate::http::body::arguments;
use crate::http::error_numbers::{BAD_ARGUMENTS, NOT_SIGNED_IN, REFRESH_TOKEN_REUSED};
use crate::http::rejection::Rejection;
use crate::http::request::Context;
use crate::session::pair_body::{refresh_token, shown};
use crate::state::AppState;

/// POST /session/refresh: exchanges `{"refreshToken", "retryKey"?}` for the next token pair.
pub(crate) async fn refresh(
    State(app): State<AppState>,
    Extension(context): Context,
    request: Request,
) -> Result<Response, Rejection> {
    let body = arguments(request).await?;
    let retry_key = match body.get("retryKey") {
        None | Some(Value::Null) => None,
        Some(key) => {
            let key = key.as_str().and_then(RetryKey::parse);
            Some(key.ok_or_else(|| Rejection::of(BAD_ARGUMENTS))?)
        }
    };
    if !body.contains_key("refreshToken") {
        return Err(Rejection::of(BAD_ARGUMENTS));
    }
    let refreshed = match refresh_token(&body) {
        Some(token) => app.identity.sessions.refresh(&token, retry_key.as_ref()).await?,
        None => Refreshed::Unknown,
    };
    match refreshed {
        Refreshed::Pair(pair, _) => Ok(Json(shown(&pair, app.config.clock.now())).into_response()),
        Refreshed::Reused(session) => {
            tracing::warn!(
                request_id = %context.request_id,
                session = session.id,
                "a refresh token was used twice; its session has ended"
            );
            Err(Rejection::of(REFRESH_TOKEN_REUSED))
        }
        Refreshed::Unknown => Err(Rejection::of(NOT_SIGNED_IN)),
    }
}
