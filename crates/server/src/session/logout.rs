use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};
use wecom_login_pages::SignedOutPage;
use wecom_login_session::{EndReason, Session};
use wecom_login_sign_in::SignInError;

use crate::http::body::{arguments, is_json};
use crate::http::page;
use crate::http::rejection::Rejection;
use crate::http::request::Context;
use crate::http::visitor::sessions_of;
use crate::session::pair_body::refresh_token;
use crate::sign_in::links;
use crate::state::{AppState, Identity};

/// POST /logout: ends the session, and with it every copy of its cookie or tokens. A client with a token pair may name its
/// session by `{"refreshToken"}`, which outlives the access token; cookies are then ignored.
///
/// If the session cannot be ended the answer is an error, so that members do not believe that they are signed out.
pub(crate) async fn logout(
    State(app): State<AppState>,
    Extension(context): Context,
    request: Request,
) -> Result<Response, Rejection> {
    let body = if is_json(request.headers()) { arguments(request).await? } else { Map::new() };
    let named = body.contains_key("refreshToken");
    let by_cookie = !named && context.bearer.is_none();
    let sessions = if named {
        of_refresh_token(&app.identity, &body).await?.into_iter().collect()
    } else {
        sessions_of(&app.identity, &context).await?
    };
    for session in sessions {
        app.identity.sessions.end(&session, EndReason::Logout).await?;
    }
    let mut response = if context.takes_html() {
        let page = SignedOutPage { sign_in_url: &links::login(None, None) };
        let chrome = page::chrome_at(&app.config.settings, &context, links::HOME);
        page::html(StatusCode::OK, page.html(&chrome))
    } else {
        Json(json!({})).into_response()
    };
    if by_cookie {
        response.headers_mut().append(SET_COOKIE, app.config.cookies.end_session());
    }
    Ok(response)
}

async fn of_refresh_token(
    identity: &Identity,
    body: &Map<String, Value>,
) -> Result<Option<Session>, SignInError> {
    match refresh_token(body) {
        Some(token) => Ok(identity.sessions.of_refresh_token(&token).await?),
        None => Ok(None),
    }
}
