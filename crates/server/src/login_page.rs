//! GET /login: the sign-in page; inside WeCom, the way to WeCom's OAuth page without a tap.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use url::Url;
use wecom_login_login::{Binding, BrowserId, Holder, Instance, Refusal, State as SignInState};
use wecom_login_model::Bilingual;
use wecom_login_pages::{CONTENT_SECURITY_POLICY, Choice, ChoosePage, LoginPage, Panel};

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

pub(crate) async fn login(State(site): State<Arc<Site>>, visit: Visit) -> Response {
    let return_to = match visit.parameter("return_to").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => match resolve(&text, &site.settings.public_url, &site.settings.return_origins) {
            Some(url) => Some(url),
            None => {
                let problem =
                    Problem::of_number(StatusCode::BAD_REQUEST, RETURN_TO_REFUSED).retry(path(None, None));
                return problem::page(&site, &visit, &problem);
            }
        },
    };
    let binding = match visit.parameter("bind").as_deref() {
        Some("1") => match binding(&site, &visit).await {
            Ok(binding) => Some(binding),
            Err(refused) => return refused,
        },
        _ => None,
    };
    let named = visit.parameter("element").filter(|name| !name.is_empty());
    match session_of(&site, &visit).await {
        Ok(Some(session))
            if binding.is_none() && named.as_ref().is_none_or(|name| *name == session.instance) =>
        {
            return Redirect::to(return_to.as_deref().unwrap_or("/")).into_response();
        }
        Ok(_) => {}
        Err(refusal) => {
            return problem::page(&site, &visit, &Problem::of_refusal(&refusal, path(None, None)));
        }
    }
    let served = site.served();
    let instance = match &named {
        Some(name) => served.instances.get(name).cloned(),
        None if served.instances.len() > 1 => {
            return choose(&site, &served, &visit, return_to.as_deref(), binding.is_some());
        }
        None => served.instances.iter().next().cloned(),
    };
    let Some(instance) = instance else {
        let problem = Problem::of_number(StatusCode::NOT_FOUND, NO_INSTANCE);
        return problem::page(&site, &visit, &problem);
    };
    begin(&site, &served, &visit, &instance, return_to, binding).await
}

/// What `bind=1` asks for: that whoever this sign-in proves is bound to the account of the visitor's session.
///
/// The session must live, and the wish must come from our own pages or from the address bar: inside WeCom no tap would
/// stand between another site's link and the binding.
async fn binding(site: &Site, visit: &Visit) -> Result<Binding, Response> {
    let from = visit.headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or_default());
    if !from.is_none_or(|site| matches!(site, "same-origin" | "none")) {
        let problem = Problem::of_number(StatusCode::FORBIDDEN, CROSS_SITE).home();
        return Err(problem::page(site, visit, &problem));
    }
    let session = session_of(site, visit)
        .await
        .map_err(|refusal| problem::page(site, visit, &Problem::of_refusal(&refusal, path(None, None))))?;
    let wanted =
        session.and_then(|session| Some(Binding { account: session.account_id?, session: session.id }));
    wanted.ok_or_else(|| {
        let problem = Problem::of_number(StatusCode::UNAUTHORIZED, NOT_SIGNED_IN).retry(path(None, None));
        problem::page(site, visit, &problem)
    })
}

async fn begin(
    site: &Site,
    served: &Served,
    visit: &Visit,
    instance: &Instance,
    return_to: Option<String>,
    binding: Option<Binding>,
) -> Response {
    if let Some(reason) = served.browser_off.get(instance.full_name()) {
        let label = Bilingual { zh: "原因", en: "Reason" };
        let problem =
            Problem::of_number(StatusCode::SERVICE_UNAVAILABLE, REDIRECT_NOT_OURS).detail(label, reason);
        return problem::page(site, visit, &problem);
    }
    let (browser, is_new) = browser(site, visit);
    let again = path(Some(instance.full_name()), return_to.as_deref());
    let issued = match binding {
        None => issue(site, visit, instance, &browser, return_to, 0).await,
        Some(binding) => issue_binding(site, visit, instance, &browser, return_to, binding).await,
    };
    let mut response = match issued {
        Ok(state) if visit.is_inside_wecom() => Redirect::to(&instance.oauth_link(&state)).into_response(),
        Ok(state) => page(site, visit, instance, &state),
        Err(NotIssued::Overloaded) => {
            let problem = Problem::of_number(StatusCode::TOO_MANY_REQUESTS, OVERLOADED).retry(again);
            problem::page(site, visit, &problem)
        }
        Err(NotIssued::Store(error)) => {
            problem::page(site, visit, &Problem::of_refusal(&Refusal::Store(error), again))
        }
    };
    if is_new {
        response.headers_mut().append(header::SET_COOKIE, site.cookies.set_browser(&browser));
    }
    response
}

fn page(site: &Site, visit: &Visit, instance: &Instance, state: &SignInState) -> Response {
    let link = instance.web_login_link(state, visit.language);
    let frame_host = Url::parse(&link).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    // WeCom's own page is meant for its own panel or for a page of its own, not for a frame of ours.
    let framed = !instance.endpoints().is_official_login();
    let page = LoginPage {
        title: instance.title(),
        panel: if framed { Panel::Frame { url: &link } } else { Panel::Link },
        link_url: &link,
        notice: None,
    };
    let mut response = problem::html(StatusCode::OK, page.html(&problem::chrome(site, visit)));
    if framed {
        let policy = format!("{CONTENT_SECURITY_POLICY}; frame-src {frame_host}");
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
    response
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
    return_to: Option<String>,
    restarts: u8,
) -> Result<SignInState, NotIssued> {
    let _place = site.limits.place().ok_or(NotIssued::Overloaded)?;
    if visit.browser.is_some() && !site.limits.may_issue(browser, site.clock.now()).await? {
        return Err(NotIssued::Overloaded);
    }
    Ok(site.login.issue_state(instance, Holder::Browser(browser), return_to, restarts).await?)
}

/// The same for a sign-in that binds.
async fn issue_binding(
    site: &Site,
    visit: &Visit,
    instance: &Instance,
    browser: &BrowserId,
    return_to: Option<String>,
    binding: Binding,
) -> Result<SignInState, NotIssued> {
    let _place = site.limits.place().ok_or(NotIssued::Overloaded)?;
    if visit.browser.is_some() && !site.limits.may_issue(browser, site.clock.now()).await? {
        return Err(NotIssued::Overloaded);
    }
    Ok(site.login.issue_binding_state(instance, Holder::Browser(browser), return_to, binding).await?)
}
