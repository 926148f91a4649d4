//! The session over HTTP: /me and /logout, by cookie or by access token.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};
use wecom_login_login::Refusal;
use wecom_login_pages::SignedOutPage;
use wecom_login_session::{EndReason, Session};
use wecom_login_store::Act;

use crate::api::{arguments, is_json};
use crate::problem::{self, Problem};
use crate::problems::{NOT_SIGNED_IN, explain};
use crate::request::Visit;
use crate::site::Site;
use crate::{home, login_page, pair};

/// The visitor's live session.
pub(crate) async fn session_of(site: &Site, visit: &Visit) -> Result<Option<Session>, Refusal> {
    let session = match (&visit.access, &visit.token) {
        (Some(access), _) => site.sessions.check_access(access).await?,
        (None, Some(token)) => site.sessions.check(token).await?,
        (None, None) => None,
    };
    if let Some(session) = &session {
        Act::current().is_by(&format!("member {}/{}", session.corp_id, session.user_key));
    }
    Ok(session)
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

/// A refusal in JSON, without an envelope.
pub(crate) fn refused(visit: &Visit, status: StatusCode, number: i64) -> Response {
    let reason = explain(number).meaning.text(visit.language);
    let body = Json(json!({"errcode": number, "errmsg": reason, "requestId": visit.request_id.as_str()}));
    if status == StatusCode::UNAUTHORIZED && visit.headers.contains_key(header::AUTHORIZATION) {
        // RFC 6750, 3.1.
        return (status, [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")], body)
            .into_response();
    }
    (status, body).into_response()
}

/// POST /logout: ends the session here and for every copy of its cookie or tokens. A client that has a pair may name its
/// session by `{"refreshToken"}`, which outlives the access token; then no cookie counts.
pub(crate) async fn logout(State(site): State<Arc<Site>>, visit: Visit, request: Request) -> Response {
    let body = if is_json(request.headers()) { arguments(request).await } else { Ok(Map::new()) };
    let body = match body {
        Ok(body) => body,
        Err((status, number)) => return refused(&visit, status, number),
    };
    let named = body.contains_key("refreshToken");
    let by_cookie = !named && !visit.headers.contains_key(header::AUTHORIZATION);
    let session = if named { of_refresh_token(&site, &body).await } else { session_of(&site, &visit).await };
    let ended = match session {
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
    if by_cookie {
        response.headers_mut().append(SET_COOKIE, site.cookies.end_session());
    }
    response
}

async fn of_refresh_token(site: &Site, body: &Map<String, Value>) -> Result<Option<Session>, Refusal> {
    match pair::refresh_token(body) {
        Some(token) => Ok(site.sessions.of_refresh_token(&token).await?),
        None => Ok(None),
    }
}
