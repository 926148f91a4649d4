//! Which path is whose.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tracing::Instrument as _;
use wecom_login_store::Act;

use crate::cross_site::Asker;
use crate::envelope::Call;
use crate::problem::{self, Problem};
use crate::problems::{CROSS_SITE, METHOD_NOT_ALLOWED, NOT_FOUND};
use crate::request::{self, RequestId, Visit};
use crate::site::Site;
use crate::{
    api, body, callback, client_script, console, domain_file, events, headers, home, language, login_page,
    metrics, pair, ready, session, sharing,
};

/// Paths that are ours, now or as the design has them; an instance's redirectUri must have another.
const OWN_PATHS: &[&str] = &[
    "/",
    "/login",
    "/me",
    "/logout",
    "/session/refresh",
    "/forward-auth",
    "/client.js",
    "/client.global.js",
    "/healthz",
    "/readyz",
    "/metrics",
    "/console",
];
const OWN_FOLDERS: &[&str] =
    &["/assets/", "/.well-known/", "/oauth2/", "/wecom/callback/", "/console/", "/WW_verify_"];

/// True for a path that no redirectUri may have.
pub(crate) fn is_ours(path: &str) -> bool {
    OWN_PATHS.contains(&path) || OWN_FOLDERS.iter().any(|folder| path.starts_with(folder))
}

pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(home::home).fallback(wrong_method))
        .route("/login", get(login_page::login).post(login_page::renew).fallback(wrong_method))
        .route("/me", get(session::me).fallback(wrong_method))
        .route("/logout", post(session::logout).fallback(wrong_method))
        .route("/session/refresh", post(pair::refresh).fallback(wrong_method))
        .route("/client.js", get(client_script::module).fallback(wrong_method))
        .route("/client.global.js", get(client_script::classic).fallback(wrong_method))
        .route("/healthz", get(healthz).fallback(wrong_method))
        .route("/wecom/callback/{name}", get(events::callback).post(events::callback).fallback(wrong_method))
        .route("/readyz", get(ready::readyz).fallback(wrong_method))
        .route("/metrics", get(metrics::metrics).fallback(wrong_method))
        .nest("/console/api/accounts", console::accounts::routes())
        .nest("/console/api/sync", console::sync::routes())
        .nest("/console/api/sessions", console::sessions::routes())
        .route("/assets/{file}", get(asset).fallback(wrong_method))
        // Redirects may lie below /api/ too, as in the platform's own examples: they are GET, functions are POST.
        .route("/api/{*path}", post(api::call).fallback(callback::callback))
        .fallback(elsewhere)
        .layer(middleware::from_fn_with_state(site.clone(), border))
        .with_state(site)
}

/// What every request passes: a request id, a span, the check for other sites, the headers of the answer.
async fn border(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    let request_id = RequestId::generate(&site.entropy);
    request.extensions_mut().insert(request_id.clone());
    // The query stays out: it holds codes and states.
    let span =
        tracing::info_span!("request", method = %request.method(), path = request.uri().path(), %request_id);
    let https = site.settings.is_https();
    // A language that was asked for is kept for the pages that come after.
    let chosen = language::asked_for(request.uri().query());
    let asker = Asker::of(request.headers(), &site.settings.public_url, &site.settings.origins);
    let shared = sharing::at(request.uri().path());
    let origin = request.headers().get(header::ORIGIN).cloned();
    let act = Act::of_request(
        request::address(request.headers(), request.extensions(), &site),
        request_id.as_str(),
    );
    let request = request.map(body::bounded);
    let answer = act.scope(async {
        if let Some(shared) = shared.filter(|_| sharing::is_preflight(request.method(), request.headers())) {
            shared.preflight(asker)
        } else if asker.may(request.method(), shared.is_some()) {
            next.run(request).await
        } else {
            let is_api =
                ["/api/", "/console/api/"].iter().any(|folder| request.uri().path().starts_with(folder));
            let (parts, _) = request.into_parts();
            let visit = Visit::new(&parts, &site);
            refuse(&site, visit, StatusCode::FORBIDDEN, CROSS_SITE, is_api)
        }
    });
    let mut response = answer.instrument(span).await;
    headers::complete(response.headers_mut(), https);
    if let Some(shared) = shared {
        shared.complete(asker, origin.as_ref(), response.headers_mut());
    }
    if let Some(language) = chosen {
        response.headers_mut().append(header::SET_COOKIE, site.cookies.set_language(language));
    }
    if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

fn refuse(site: &Site, visit: Visit, status: StatusCode, number: i64, is_api: bool) -> Response {
    if is_api {
        let call = Call { visit, now: site.clock.now(), began: std::time::Instant::now() };
        call.problem(status, number)
    } else {
        problem::page(site, &visit, &Problem::of_number(status, number))
    }
}

async fn wrong_method(State(site): State<Arc<Site>>, visit: Visit) -> Response {
    problem::page(&site, &visit, &Problem::of_number(StatusCode::METHOD_NOT_ALLOWED, METHOD_NOT_ALLOWED))
}

/// Every path that has no route: a domain file, an instance's redirect, or nothing.
async fn elsewhere(State(site): State<Arc<Site>>, method: Method, visit: Visit) -> Response {
    match domain_file::name(visit.uri.path()) {
        Some(_) if !matches!(method, Method::GET | Method::HEAD) => wrong_method(State(site), visit).await,
        Some(name) => domain_file::serve(&site, &visit, name).await,
        None => callback::callback(State(site), method, visit).await,
    }
}

/// GET /healthz: the process answers.
async fn healthz() -> &'static str {
    "ok"
}

/// GET /assets/{file}: the name changes with the content, so it may be kept for good.
async fn asset(State(site): State<Arc<Site>>, Path(file): Path<String>, visit: Visit) -> Response {
    let path = format!("/assets/{file}");
    let assets = wecom_login_pages::assets().iter().chain(site.settings.brand.assets());
    match { assets }.find(|asset| asset.path == path) {
        None => problem::page(&site, &visit, &Problem::of_number(StatusCode::NOT_FOUND, NOT_FOUND).home()),
        Some(asset) => {
            let headers = [
                (header::CONTENT_TYPE, asset.content_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
                // Front ends on other origins load the login panel from here; no file is anybody's secret.
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            ];
            let body = match &asset.bytes {
                Cow::Borrowed(bytes) => Body::from(*bytes),
                Cow::Owned(bytes) => Body::from(bytes.clone()),
            };
            (headers, body).into_response()
        }
    }
}
