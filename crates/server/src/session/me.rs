use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};
use wecom_login_sign_in::SignInError;

use crate::http::error_numbers::NOT_SIGNED_IN;
use crate::http::rejection::Rejection;
use crate::http::request::{Context, RequestContext};
use crate::http::visitor::session_of;
use crate::session::person;
use crate::state::{AppState, Identity};

/// GET /me: the signed-in member, as JSON, or as a page for clients that accept only HTML.
pub(crate) async fn me(
    State(app): State<AppState>,
    Extension(context): Context,
) -> Result<Response, Rejection> {
    if context.takes_html_alone() {
        return person::page(&app, &context).await;
    }
    match describe(&app.identity, &context).await? {
        Some(person) => Ok(Json(person).into_response()),
        None => Err(Rejection::of(NOT_SIGNED_IN)),
    }
}

async fn describe(identity: &Identity, context: &RequestContext) -> Result<Option<Value>, SignInError> {
    let Some(session) = session_of(identity, context).await? else { return Ok(None) };
    let Some(user) = identity.login.user_info_of(&session).await? else { return Ok(None) };
    let mut person = json!(user);
    person["corpId"] = json!(session.corp_id);
    person["element"] = json!(session.instance);
    person["signedInAt"] = json!(session.created_at);
    person["expiresAt"] = json!(session.expires_at);
    // Sessions of versions before accounts existed have none.
    if let Some(id) = session.account_id
        && let Some(account) = identity.accounts.get(id).await?
    {
        person["account"] = json!({"id": account.id, "username": account.username});
    }
    Ok(Some(person))
}
