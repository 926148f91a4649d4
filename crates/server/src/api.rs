//! POST /api/{org}/{app}/{element path}/{function}: what functionList lets the outside call.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};
use wecom_login_element::{Access, App, Arguments, Element, Kind, Outcome};
use wecom_login_login::{Refusal, SignedIn};
use wecom_login_model::Secret;

use crate::administrator::Administrator;
use crate::callback::{leave_former_session, withdraw};
use crate::caller::caller;
use crate::envelope::Call;
use crate::login_page::browser;
use crate::problem;
use crate::problems::{
    ADMINISTRATORS_ONLY, BAD_ARGUMENTS, BAD_CONTENT_TYPE, BODY_TOO_LARGE, NO_FUNCTION, NOT_SIGNED_IN,
    OVERLOADED, TOO_MANY_FAILURES,
};
use crate::request::Visit;
use crate::session::session_of;
use crate::site::Site;

const LARGEST_BODY: usize = 64 * 1024;

pub(crate) async fn call(
    State(site): State<Arc<Site>>,
    Path(path): Path<String>,
    visit: Visit,
    request: Request,
) -> Response {
    let call = Call { visit, now: site.clock.now(), began: Instant::now() };
    let served = site.served();
    let Some((element, function)) = find(&served.app, &path) else {
        return call.problem(StatusCode::NOT_FOUND, NO_FUNCTION);
    };
    match site.limits.is_locked_out(call.visit.address, call.now).await {
        Ok(false) => {}
        Ok(true) => return call.problem(StatusCode::TOO_MANY_REQUESTS, TOO_MANY_FAILURES),
        Err(error) => return refused(&call, &error.into()),
    }
    let arguments = match arguments(request).await {
        Ok(arguments) => arguments,
        Err((status, number)) => return call.problem(status, number),
    };
    run(&site, &call, element, function, arguments).await
}

/// The element and the function at a path below /api/, if the function may be called from outside at all.
fn find<'a, 'p>(app: &'a App, path: &'p str) -> Option<(&'a Element, &'p str)> {
    let rest = path.strip_prefix(&format!("{}/{}/", app.org_id(), app.name()))?;
    let (element, function) = rest.rsplit_once('/')?;
    // A dot in a segment would be a second spelling of the same element.
    let full_name = (!element.contains('.')).then(|| element.replace('/', "."))?;
    let element = app.element(&full_name).filter(|element| element.kind() == Kind::Instance)?;
    let declared = element.functions().iter().find(|declared| declared.name == function)?;
    (declared.access != Access::Library).then_some((element, function))
}

/// The JSON object of the body; an empty body is an empty object.
pub(crate) async fn arguments(request: Request<Body>) -> Result<Map<String, Value>, (StatusCode, i64)> {
    let too_large = (StatusCode::PAYLOAD_TOO_LARGE, BODY_TOO_LARGE);
    let is_json = is_json(request.headers());
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > LARGEST_BODY) {
        return Err(too_large);
    }
    let body = axum::body::to_bytes(request.into_body(), LARGEST_BODY).await.map_err(|_| too_large)?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    let bad = (StatusCode::UNSUPPORTED_MEDIA_TYPE, BAD_CONTENT_TYPE);
    if !is_json {
        return Err(bad);
    }
    serde_json::from_slice(&body).map_err(|_| bad)
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

async fn run(
    site: &Site,
    call: &Call,
    element: &Element,
    function: &str,
    values: Map<String, Value>,
) -> Response {
    let visit = &call.visit;
    let session = match session_of(site, visit).await {
        Ok(session) => session,
        Err(refusal) => return refused(call, &refusal),
    };
    // A state is issued to a browser, so a client without a name gets one with it.
    let issues_state = function == "getLoginConfig";
    let (named, is_new) = browser(site, visit);
    let _place = match issues_state.then(|| site.limits.place()) {
        Some(None) => return call.problem(StatusCode::TOO_MANY_REQUESTS, OVERLOADED),
        place => place.flatten(),
    };
    if issues_state && !is_new {
        match site.limits.may_issue(&named, call.now).await {
            Ok(true) => {}
            Ok(false) => return call.problem(StatusCode::TOO_MANY_REQUESTS, OVERLOADED),
            Err(error) => return refused(call, &error.into()),
        }
    }
    let state = values.get("state").and_then(Value::as_str).map(Secret::new);
    let arguments = Arguments::from(values);
    let known = (issues_state || !is_new).then_some(&named);
    let administers = match Administrator::of_call(site, visit, session.as_ref()).await {
        Ok(administers) => administers,
        Err(refusal) => return refused(call, &refusal),
    };
    match element.call(function, arguments, &caller(visit, known, session.as_ref(), administers)).await {
        Ok(Outcome { value, effect }) => {
            let mut response = call.success(value);
            if issues_state && is_new {
                response.headers_mut().append(SET_COOKIE, site.cookies.set_browser(&named));
            }
            let signed_in = effect.and_then(|effect| effect.take::<SignedIn>().ok());
            if let Some(signed_in) = &signed_in
                && let Some(token) = &signed_in.token
            {
                leave_former_session(site, visit, token, &signed_in.session.id).await;
                let lifetime = signed_in.session.expires_at.since(site.clock.now());
                response.headers_mut().append(SET_COOKIE, site.cookies.set_session(token, lifetime));
            }
            if let (None, "getLoginCode", Some(state)) = (signed_in, function, &state) {
                withdraw(site, visit, state).await;
            }
            response
        }
        Err(code) => {
            let refusal = code.source().and_then(|cause| cause.downcast_ref::<Refusal>());
            match refusal {
                Some(refusal) => problem::log(visit, refusal),
                None => {
                    tracing::info!(request_id = %visit.request_id, number = code.code, cause = code.reason, "a call was refused");
                }
            }
            // What the call itself lacked was told before any Type saw it.
            let reached =
                ![BAD_ARGUMENTS, NO_FUNCTION, NOT_SIGNED_IN, ADMINISTRATORS_ONLY].contains(&code.code);
            let is_guess = refusal.is_none_or(|refusal| !refusal.may_be_tried_again());
            if function == "getLoginCode" && reached && is_guess {
                site.limits.count_failure(visit.address, call.now).await;
            }
            if let (None, "getLoginCode", Some(state), true) = (refusal, function, &state, reached) {
                withdraw(site, visit, state).await;
            }
            call.failure(&code)
        }
    }
}

fn refused(call: &Call, refusal: &Refusal) -> Response {
    problem::log(&call.visit, refusal);
    call.failure(&refusal.to_code(call.visit.language))
}
