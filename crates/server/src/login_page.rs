//! GET /login: the sign-in page; inside WeCom, the way to WeCom's OAuth page without a tap.

mod panel;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::json;
use wecom_login_login::{Binding, BrowserId, Holder, Instance, Purpose, Refusal, State as SignInState};
use wecom_login_model::Bilingual;
use wecom_login_pages::{Choice, ChoosePage};

use crate::problem::{self, Problem};
use crate::problems::{
    CROSS_SITE, NO_INSTANCE, NOT_SIGNED_IN, OVERLOADED, REDIRECT_NOT_OURS, RETURN_TO_REFUSED,
};
use crate::request::Visit;
use crate::return_to::resolve;
use crate::session::session_of;
use crate::site::{Served, Site};

/// The address of the sign-in page.
pub(crate) fn path(element: Option<&str>, return_to: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in [("element", element), ("return_to", return_to)] {
        if let Some(value) = value {
            query.append_pair(key, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { "/login".to_owned() } else { format!("/login?{query}") }
}

/// What a request for the sign-in page comes to.
enum Next {
    /// Whoever asks is signed in, and goes on to this address.
    Arrived(String),
    /// There are several instances, and none was named.
    Choose { return_to: Option<String>, binds: bool },
    /// A sign-in begins.
    Begin(Begin),
}

/// A sign-in that may begin: its state is not issued yet.
#[derive(Debug, Clone)]
struct Begin {
    instance: Arc<Instance>,
    purpose: Purpose,
}

impl Begin {
    /// The address of this sign-in's page.
    fn path(&self) -> String {
        let path = path(Some(self.instance.full_name()), self.purpose.return_to.as_deref());
        if self.purpose.binding.is_some() { format!("{path}&bind=1") } else { path }
    }
}

/// GET /login
pub(crate) async fn login(State(site): State<Arc<Site>>, visit: Visit) -> Response {
    let served = site.served();
    match next(&site, &served, &visit).await {
        Ok(Next::Arrived(address)) => Redirect::to(&address).into_response(),
        Ok(Next::Choose { return_to, binds }) => choose(&site, &served, &visit, return_to.as_deref(), binds),
        Ok(Next::Begin(begin)) => show(&site, &visit, begin).await,
        Err(problem) => problem::page(&site, &visit, &problem),
    }
}

/// POST /login, with the address of the page: the next state of the same sign-in, for the page's panel. A state lives
/// for ten minutes, a page for as long as somebody leaves it open.
pub(crate) async fn renew(State(site): State<Arc<Site>>, visit: Visit) -> Response {
    let served = site.served();
    let begin = match next(&site, &served, &visit).await {
        Ok(Next::Begin(begin)) => begin,
        Ok(Next::Arrived(address)) => return Json(json!({"location": address})).into_response(),
        Ok(Next::Choose { .. }) => {
            let problem = Problem::of_number(StatusCode::BAD_REQUEST, NO_INSTANCE);
            return problem::json(&visit, &problem);
        }
        Err(problem) => return problem::json(&visit, &problem),
    };
    let (browser, is_new) = browser(&site, &visit);
    let mut response = match begin_sign_in(&site, &visit, &browser, &begin).await {
        Ok(state) => Json(panel::config(&begin.instance, &state, visit.language)).into_response(),
        Err(problem) => return problem::json(&visit, &problem),
    };
    if is_new {
        response.headers_mut().append(header::SET_COOKIE, site.cookies.set_browser(&browser));
    }
    response
}

async fn next(site: &Site, served: &Served, visit: &Visit) -> Result<Next, Problem> {
    let return_to = match visit.parameter("return_to").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => {
            let resolved = resolve(&text, &site.settings.public_url, &site.settings.return_origins);
            Some(resolved.ok_or_else(|| {
                Problem::of_number(StatusCode::BAD_REQUEST, RETURN_TO_REFUSED).retry(path(None, None))
            })?)
        }
    };
    let binding = match visit.parameter("bind").as_deref() {
        Some("1") => Some(binding(site, visit).await?),
        _ => None,
    };
    let named = visit.parameter("element").filter(|name| !name.is_empty());
    let session =
        session_of(site, visit).await.map_err(|refusal| Problem::of_refusal(&refusal, path(None, None)))?;
    if let Some(session) = session
        && binding.is_none()
        && named.as_ref().is_none_or(|name| *name == session.instance)
    {
        return Ok(Next::Arrived(return_to.unwrap_or_else(|| "/".to_owned())));
    }
    let instance = match &named {
        Some(name) => served.instances.get(name).cloned(),
        None if served.instances.len() > 1 => {
            return Ok(Next::Choose { return_to, binds: binding.is_some() });
        }
        None => served.instances.iter().next().cloned(),
    };
    let instance = instance.ok_or_else(|| Problem::of_number(StatusCode::NOT_FOUND, NO_INSTANCE))?;
    if let Some(reason) = served.browser_off.get(instance.full_name()) {
        let label = Bilingual { zh: "原因", en: "Reason" };
        return Err(
            Problem::of_number(StatusCode::SERVICE_UNAVAILABLE, REDIRECT_NOT_OURS).detail(label, reason)
        );
    }
    Ok(Next::Begin(Begin { instance, purpose: Purpose { return_to, binding, restarts: 0 } }))
}

/// What `bind=1` asks for: that whoever this sign-in proves is bound to the account of the visitor's session.
///
/// The session must live, and the wish must come from our own pages or from the address bar: inside WeCom no tap would
/// stand between another site's link and the binding.
async fn binding(site: &Site, visit: &Visit) -> Result<Binding, Problem> {
    let from = visit.headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or_default());
    if !from.is_none_or(|site| matches!(site, "same-origin" | "none")) {
        return Err(Problem::of_number(StatusCode::FORBIDDEN, CROSS_SITE).home());
    }
    let session =
        session_of(site, visit).await.map_err(|refusal| Problem::of_refusal(&refusal, path(None, None)))?;
    let wanted =
        session.and_then(|session| Some(Binding { account: session.account_id?, session: session.id }));
    wanted.ok_or_else(|| Problem::of_number(StatusCode::UNAUTHORIZED, NOT_SIGNED_IN).retry(path(None, None)))
}

async fn show(site: &Site, visit: &Visit, begin: Begin) -> Response {
    let (browser, is_new) = browser(site, visit);
    let mut response = match begin_sign_in(site, visit, &browser, &begin).await {
        Ok(state) if visit.is_inside_wecom() => {
            Redirect::to(&begin.instance.oauth_link(&state)).into_response()
        }
        Ok(state) => panel::page(site, visit, &begin, &state),
        Err(problem) => problem::page(site, visit, &problem),
    };
    if is_new {
        response.headers_mut().append(header::SET_COOKIE, site.cookies.set_browser(&browser));
    }
    response
}

async fn begin_sign_in(
    site: &Site,
    visit: &Visit,
    browser: &BrowserId,
    begin: &Begin,
) -> Result<SignInState, Problem> {
    let Begin { instance, purpose } = begin;
    let issued = issue(site, visit, instance, browser, purpose.clone()).await;
    let again = || path(Some(instance.full_name()), purpose.return_to.as_deref());
    let state = issued.map_err(|error| match error {
        NotIssued::Overloaded => Problem::of_number(StatusCode::TOO_MANY_REQUESTS, OVERLOADED).retry(again()),
        NotIssued::Store(error) => Problem::of_refusal(&Refusal::Store(error), again()),
    })?;
    // What the page shows of trouble later is found by this number.
    tracing::info!(request_id = %visit.request_id, instance = instance.full_name(), "a sign-in begins");
    Ok(state)
}

fn choose(site: &Site, served: &Served, visit: &Visit, return_to: Option<&str>, binds: bool) -> Response {
    let choice = |instance| -> Choice<'_> {
        let instance: &Instance = instance;
        let url = path(Some(instance.full_name()), return_to);
        Choice {
            title: instance.title(),
            full_name: instance.full_name(),
            url: if binds { format!("{url}&bind=1") } else { url },
        }
    };
    let page = ChoosePage { choices: served.instances.iter().map(|instance| choice(instance)).collect() };
    problem::html(StatusCode::OK, page.html(&problem::chrome(site, visit)))
}

/// The visitor's browser, and whether it must be told its name.
pub(crate) fn browser(site: &Site, visit: &Visit) -> (BrowserId, bool) {
    match &visit.browser {
        Some(browser) => (browser.clone(), false),
        None => (BrowserId::generate(&site.entropy), true),
    }
}

/// Why no state was issued.
#[derive(Debug)]
pub(crate) enum NotIssued {
    Overloaded,
    Store(wecom_login_store::Error),
}

impl From<wecom_login_store::Error> for NotIssued {
    fn from(error: wecom_login_store::Error) -> Self {
        Self::Store(error)
    }
}

/// Issues a state to the visitor's browser, within the limits.
pub(crate) async fn issue(
    site: &Site,
    visit: &Visit,
    instance: &Instance,
    browser: &BrowserId,
    purpose: Purpose,
) -> Result<SignInState, NotIssued> {
    let _place = site.limits.place().ok_or(NotIssued::Overloaded)?;
    if visit.browser.is_some() && !site.limits.may_issue(browser, site.clock.now()).await? {
        return Err(NotIssued::Overloaded);
    }
    Ok(site.login.issue_state(instance, Holder::Browser(browser), purpose).await?)
}
