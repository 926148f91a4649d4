//! The session over HTTP: /me and /logout.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use wecom_login_login::Refusal;
use wecom_login_pages::SignedOutPage;
use wecom_login_session::{EndReason, Session};

use crate::problem::{self, Problem};
use crate::problems::{NOT_SIGNED_IN, explain};
use crate::request::Visit;
use crate::site::Site;
use crate::{home, login_page};

/// The visitor's live session.
pub(crate) async fn session_of(site: &Site, visit: &Visit) -> Result<Option<Session>, Refusal> {
    match &visit.token {
        Some(token) => Ok(site.sessions.check(token).await?),
        None => Ok(None),
    }
}

/// GET /me: who is signed in, as JSON, or as a page for a client that takes nothing else.
pub(crate) async fn me(State(site): State<Arc<Site>>, visit: Visit) -> Response {
    if visit.takes_html_alone() {
        return home::page(&site, &visit).await;
    }
    match describe(&site, &visit).await {
        Ok(Some(person)) => Json(person).into_response(),
        Ok(None) => refused(&visit, StatusCode::UNAUTHORIZED, NOT_SIGNED_IN),
        Err(refusal) => {
            problem::log(&visit, &refusal);
            refused(&visit, StatusCode::SERVICE_UNAVAILABLE, refusal.code())
        }
    }
}

async fn describe(site: &Site, visit: &Visit) -> Result<Option<Value>, Refusal> {
    let Some(session) = session_of(site, visit).await? else { return Ok(None) };
    let Some(user) = site.login.user_info_of(&session).await? else { return Ok(None) };
    let mut person = json!(user);
    person["corpId"] = json!(session.corp_id);
    person["element"] = json!(session.instance);
    person["signedInAt"] = json!(session.created_at);
    person["expiresAt"] = json!(session.expires_at);
    // Sessions that were begun before there were accounts have none.
    if let Some(id) = session.account_id
        && let Some(account) = site.accounts.get(id).await?
    {
        person["account"] = json!({"id": account.id, "username": account.username});
    }
    Ok(Some(person))
}

fn refused(visit: &Visit, status: StatusCode, number: i64) -> Response {
    let reason = explain(number).meaning.text(visit.language);
    (status, Json(json!({"errcode": number, "errmsg": reason, "requestId": visit.request_id.as_str()})))
        .into_response()
}

/// POST /logout: ends the session here and for every copy of its cookie.
pub(crate) async fn logout(State(site): State<Arc<Site>>, visit: Visit) -> Response {
    let ended = match session_of(&site, &visit).await {
        Ok(Some(session)) => {
            site.sessions.end(&session, EndReason::Logout).await.map_err(Refusal::from).map(|_| ())
        }
        Ok(None) => Ok(()),
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = ended {
        // Whoever signs out must not believe that they have when they have not.
        return if visit.takes_html() {
            problem::page(&site, &visit, &Problem::of_refusal(&refusal, login_page::path(None, None)))
        } else {
            problem::log(&visit, &refusal);
            refused(&visit, StatusCode::SERVICE_UNAVAILABLE, refusal.code())
        };
    }
    let mut response = if visit.takes_html() {
        let page = SignedOutPage { sign_in_url: &login_page::path(None, None) };
        problem::html(StatusCode::OK, page.html(&problem::chrome_at(&site, &visit, "/")))
    } else {
        Json(json!({})).into_response()
    };
    response.headers_mut().append(SET_COOKIE, site.cookies.end_session());
    response
}
