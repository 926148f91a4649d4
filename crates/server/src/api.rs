//! POST /api/{org}/{app}/{element path}/{function}: the element functions that anyone may call.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};
use wecom_login_element::Code;
use wecom_login_login::{Holder, Instance, LoginConfig, Redirect, Refusal};
use wecom_login_model::{Language, Secret};

use crate::callback::leave_former_session;
use crate::envelope::Call;
use crate::login_page::browser;
use crate::problem;
use crate::problems::{
    BAD_ARGUMENTS, BAD_CONTENT_TYPE, BODY_TOO_LARGE, NO_FUNCTION, OVERLOADED, TOO_MANY_FAILURES,
};
use crate::request::Visit;
use crate::site::Site;

const LARGEST_BODY: usize = 64 * 1024;

#[derive(Clone, Copy)]
enum Function {
    GetLoginConfig,
    GetLoginCode,
}

pub(crate) async fn call(
    State(site): State<Arc<Site>>,
    Path(path): Path<String>,
    visit: Visit,
    request: Request,
) -> Response {
    let call = Call { visit, now: site.clock.now(), began: Instant::now() };
    let Some((instance, function)) = find(&site, &path) else {
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
    match function {
        Function::GetLoginConfig => get_login_config(&site, &call, &instance, &arguments).await,
        Function::GetLoginCode => get_login_code(&site, &call, &instance, &arguments).await,
    }
}

/// The instance and its function at a path below /api/.
fn find(site: &Site, path: &str) -> Option<(Arc<Instance>, Function)> {
    let rest = path.strip_prefix(&format!("{}/{}/", site.org_id, site.app_name))?;
    let (element, function) = rest.rsplit_once('/')?;
    let function = match function {
        "getLoginConfig" => Function::GetLoginConfig,
        "getLoginCode" => Function::GetLoginCode,
        _ => return None,
    };
    // A dot in a segment would be a second spelling of the same element.
    let full_name = (!element.contains('.')).then(|| element.replace('/', "."))?;
    Some((site.instances.get(&full_name)?.clone(), function))
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

async fn get_login_config(
    site: &Site,
    call: &Call,
    instance: &Instance,
    arguments: &Map<String, Value>,
) -> Response {
    if let Err(code) = check_arguments(arguments, &[], call.visit.language) {
        return call.failure(&code);
    }
    let (browser, is_new) = browser(site, &call.visit);
    let Some(_place) = site.limits.place() else {
        return call.problem(StatusCode::TOO_MANY_REQUESTS, OVERLOADED);
    };
    if !is_new {
        match site.limits.may_issue(&browser, call.now).await {
            Ok(true) => {}
            Ok(false) => return call.problem(StatusCode::TOO_MANY_REQUESTS, OVERLOADED),
            Err(error) => return refused(call, &error.into()),
        }
    }
    let config: LoginConfig = match site.login.login_config(instance, Holder::Browser(&browser)).await {
        Ok(config) => config,
        Err(error) => return refused(call, &error.into()),
    };
    let mut response = call.success(json!(config));
    if is_new {
        response.headers_mut().append(SET_COOKIE, site.cookies.set_browser(&browser));
    }
    response
}

async fn get_login_code(
    site: &Site,
    call: &Call,
    instance: &Arc<Instance>,
    arguments: &Map<String, Value>,
) -> Response {
    let language = call.visit.language;
    let result = check_arguments(arguments, &["authCode", "state"], language).and_then(|()| {
        Ok((text(arguments, "authCode", language)?, optional_text(arguments, "state", language)?))
    });
    let (code, state) = match result {
        Ok(texts) => texts,
        Err(code) => return call.failure(&code),
    };
    let refusal = match (&call.visit.browser, state.is_empty()) {
        (_, true) => Refusal::StateMissing,
        // Without its cookie a browser cannot be the one that the state was issued to.
        (None, false) => Refusal::StateOfAnotherBrowser,
        (Some(browser), false) => {
            let redirect = Redirect {
                instance: Arc::clone(instance),
                code: Secret::new(code),
                state: Secret::new(state),
                browser: browser.clone(),
            };
            match site.login.sign_in(redirect).await {
                Ok(signed_in) => {
                    let mut response = call.success(json!(signed_in.user));
                    if let Some(token) = &signed_in.token {
                        leave_former_session(site, &call.visit, token, &signed_in.session.id).await;
                        let lifetime = signed_in.session.expires_at.since(site.clock.now());
                        let cookie = site.cookies.set_session(token, lifetime);
                        response.headers_mut().append(SET_COOKIE, cookie);
                    }
                    return response;
                }
                Err(refusal) => refusal,
            }
        }
    };
    if !refusal.may_be_tried_again() {
        site.limits.count_failure(call.visit.address, call.now).await;
    }
    refused(call, &refusal)
}

fn refused(call: &Call, refusal: &Refusal) -> Response {
    problem::log(&call.visit, refusal);
    call.failure(&refusal.to_code(call.visit.language))
}

fn bad_arguments(language: Language, zh: String, en: String) -> Code {
    Code::new(
        BAD_ARGUMENTS,
        match language {
            Language::Zh => zh,
            Language::En => en,
        },
    )
}

fn check_arguments(arguments: &Map<String, Value>, known: &[&str], language: Language) -> Result<(), Code> {
    match arguments.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let key: String = key.chars().take(64).collect();
            Err(bad_arguments(
                language,
                format!("没有名为 {key} 的参数。"),
                format!("There is no argument {key}."),
            ))
        }
    }
}

fn text(arguments: &Map<String, Value>, key: &str, language: Language) -> Result<String, Code> {
    match arguments.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        None | Some(Value::Null) => Err(bad_arguments(
            language,
            format!("缺少参数 {key}。"),
            format!("The argument {key} is missing."),
        )),
        Some(_) => Err(bad_arguments(
            language,
            format!("参数 {key} 必须是字符串。"),
            format!("The argument {key} must be a string."),
        )),
    }
}

/// The text of an argument that may be absent or null: `""` then.
fn optional_text(arguments: &Map<String, Value>, key: &str, language: Language) -> Result<String, Code> {
    match arguments.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(_) => text(arguments, key, language),
    }
}
