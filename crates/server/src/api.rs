//! POST /api/{org}/{app}/{element path}/{function}: what functionList lets the outside call.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};
use wecom_login_element::{Access, App, Arguments, Code, Element, Kind, Outcome};
use wecom_login_login::{Refusal, SignedIn};
use wecom_login_model::{Bilingual, Secret};

use crate::administrator::Administrator;
use crate::body::{self, NoBody};
use crate::callback::{leave_former_session, withdraw};
use crate::caller::caller;
use crate::cross_site::Asker;
use crate::envelope::Call;
use crate::login_page::browser;
use crate::problem;
use crate::problems::{
    ADMINISTRATORS_ONLY, BAD_ARGUMENTS, BAD_CONTENT_TYPE, BODY_TOO_LARGE, BODY_TOO_SLOW, NO_FUNCTION,
    NO_PAIR_HERE, NOT_SIGNED_IN, OVERLOADED, TOO_MANY_FAILURES,
};
use crate::request::{Naming, Visit};
use crate::session::session_of;
use crate::sign_in_log::Ended;
use crate::site::Site;
use crate::{pair, sharing};

const LARGEST_BODY: usize = 64 * 1024;

const UNUSABLE_NAME: Bilingual = Bilingual {
    zh: "请求头 X-Wecom-Login-Browser 必须是 32 到 128 个 A-Z、a-z、0-9、- 和 _。",
    en: "The header X-Wecom-Login-Browser must hold 32 to 128 characters of A-Z, a-z, 0-9, - and _.",
};

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
    match call.visit.naming {
        Naming::Cookie => {}
        // A page of our own has the cookie, which no script can read: it must not be talked into tokens.
        Naming::Header if matches!(call.visit.asker, Asker::Program | Asker::Configured) => {}
        Naming::Header => return call.problem(StatusCode::FORBIDDEN, NO_PAIR_HERE),
        Naming::Unusable => {
            let code = Code::new(BAD_ARGUMENTS, UNUSABLE_NAME.text(call.visit.language));
            return call.failure(&code);
        }
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
    let bad = (StatusCode::UNSUPPORTED_MEDIA_TYPE, BAD_CONTENT_TYPE);
    let body = body::read(request.into_body(), LARGEST_BODY).await.map_err(|problem| match problem {
        NoBody::TooLarge => too_large,
        NoBody::TooSlow => (StatusCode::REQUEST_TIMEOUT, BODY_TOO_SLOW),
        NoBody::Broken => bad,
    })?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    if !is_json {
        return Err(bad);
    }
    serde_json::from_slice(&body).map_err(|_| bad)
}

/// True for a body that says that it is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
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
            let signed_in = effect.and_then(|effect| effect.take::<SignedIn>().ok());
            if let Some(signed_in) = &signed_in {
                site.note_signed_in(signed_in).await;
            }
            if let (None, "getLoginCode", Some(state)) = (&signed_in, function, &state) {
                withdraw(site, visit, state).await;
            }
            let mut response = match &signed_in {
                Some(signed_in) => welcome(site, call, value, signed_in).await,
                None => call.success(value),
            };
            if issues_state {
                if is_new {
                    response.headers_mut().append(SET_COOKIE, site.cookies.set_browser(&named));
                }
                if let Some(hosts) = hosts(site, element.full_name()) {
                    response.headers_mut().insert(sharing::HOSTS, hosts);
                }
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
            if function == "getLoginCode" && reached {
                let instance = Some(element.full_name());
                match refusal {
                    Some(refusal) => site.note_refused(instance, refusal).await,
                    None => site.note_ended(instance, Ended::ByTheApp(code.code)).await,
                }
            }
            if let (None, "getLoginCode", Some(state), true) = (refusal, function, &state, reached) {
                withdraw(site, visit, state).await;
            }
            call.failure(&code)
        }
    }
}

/// Gives the session that a sign-in has begun: as a cookie, or as a pair to a client that asked for one.
async fn welcome(site: &Site, call: &Call, value: Value, signed_in: &SignedIn) -> Response {
    let (visit, now) = (&call.visit, site.clock.now());
    let Some(token) = &signed_in.token else { return call.success(value) };
    if visit.naming == Naming::Header {
        return match site.sessions.begin_pair(token, &signed_in.session).await {
            Ok(Some(pair)) => call.success_with_pair(value, pair::shown(&pair, now)),
            // A repetition, of which the first has been answered and made use of.
            Ok(None) => refused(call, &Refusal::StateUsed),
            Err(error) => refused(call, &error.into()),
        };
    }
    leave_former_session(site, visit, token, &signed_in.session.id).await;
    let mut response = call.success(value);
    let lifetime = signed_in.session.expires_at.since(now);
    response.headers_mut().append(SET_COOKIE, site.cookies.set_session(token, lifetime));
    response
}

/// Where the instance's WeCom is, so that a client can build the link that the config is for. It stands beside the config,
/// whose keys are the platform's.
fn hosts(site: &Site, full_name: &str) -> Option<HeaderValue> {
    let served = site.served();
    let instance = served.instances.get(full_name)?;
    let (login, oauth) = (instance.endpoints().login(), instance.endpoints().oauth());
    HeaderValue::from_str(
        &json!({"login": login, "oauth": oauth, "scope": instance.scope().as_str()}).to_string(),
    )
    .ok()
}

fn refused(call: &Call, refusal: &Refusal) -> Response {
    problem::log(&call.visit, refusal);
    call.failure(&refusal.to_code(call.visit.language))
}
