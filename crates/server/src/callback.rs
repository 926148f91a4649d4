//! The redirect: GET at the path of an instance's redirectUri, with code and state. It ends on a clean address.

use std::error::Error as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{self, SET_COOKIE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect as To, Response};
use wecom_login_element::{Arguments, Code, Effect, Outcome};
use wecom_login_login::{Again, CallbackMode, Instance, Refusal, Settled, SignedIn, number};
use wecom_login_model::Secret;
use wecom_login_pages::{CONTENT_SECURITY_POLICY, CallbackPage};
use wecom_login_session::{EndReason, SessionToken};

use crate::caller::caller;
use crate::login_page::{self, NotIssued};
use crate::problem::{self, Problem};
use crate::problems::{
    APP_REFUSED, METHOD_NOT_ALLOWED, NO_INSTANCE, NOT_FOUND, OVERLOADED, TOO_MANY_FAILURES, explain,
};
use crate::request::Visit;
use crate::sign_in_log::Ended;
use crate::site::{Served, Site};

/// Every path that is none of our own: a redirect, or nothing.
pub(crate) async fn callback(State(site): State<Arc<Site>>, method: Method, visit: Visit) -> Response {
    let served = site.served();
    let here = served.redirected_to(visit.uri.path(), &site.settings);
    if here.is_empty() {
        return problem::page(&site, &visit, &Problem::of_number(StatusCode::NOT_FOUND, NOT_FOUND).home());
    }
    if method != Method::GET {
        // HEAD must not use up a code.
        let problem = Problem::of_number(StatusCode::METHOD_NOT_ALLOWED, METHOD_NOT_ALLOWED);
        return problem::page(&site, &visit, &problem);
    }
    match finish(&site, &served, &visit, &here).await {
        Ok(response) | Err(response) => response,
    }
}

async fn finish(
    site: &Site,
    served: &Served,
    visit: &Visit,
    here: &[&Arc<Instance>],
) -> Result<Response, Response> {
    let now = site.clock.now();
    match site.limits.is_locked_out(visit.address, now).await {
        Ok(false) => {}
        Ok(true) => {
            site.note_ended(None, Ended::LockedOut).await;
            let problem = Problem::of_number(StatusCode::TOO_MANY_REQUESTS, TOO_MANY_FAILURES);
            return Err(problem::page(site, visit, &problem.retry(login_page::path(None, None))));
        }
        Err(error) => {
            return Err(refused(site, visit, None, &error.into(), login_page::path(None, None)).await);
        }
    }
    if visit.parameter("code").is_none() && visit.parameter("state").is_none() {
        // A bookmark, or an address that was typed in: nothing came from WeCom.
        let only = here.first().filter(|_| here.len() == 1).map(|instance| instance.full_name());
        return Ok(To::to(&login_page::path(only, None)).into_response());
    }
    let state = Secret::new(visit.parameter("state").unwrap_or_default());
    // The state names the instance; several may share the path.
    let (instance, return_to) = match site.login.meant_for(&state).await {
        Ok(Some((name, return_to))) => (here.iter().find(|instance| instance.full_name() == name), return_to),
        Ok(None) => (None, None),
        Err(error) => {
            return Err(refused(site, visit, None, &error.into(), login_page::path(None, None)).await);
        }
    };
    let Some(instance) = instance else {
        return no_record(site, visit, here, &state).await;
    };
    let name = Some(instance.full_name());
    let again = login_page::path(name, return_to.as_deref());
    let Some(code) = visit.parameter("code").filter(|code| !code.is_empty()) else {
        site.note_ended(name, Ended::Declined).await;
        let problem = Problem::of_number(StatusCode::FORBIDDEN, number::DECLINED).retry(again);
        return Err(problem::page(site, visit, &problem));
    };
    if visit.browser.is_none() {
        let again = site.login.again(&state).await;
        let otherwise = Refusal::StateOfAnotherBrowser;
        return begin_again(site, visit, instance, again, number::COOKIES_BLOCKED, otherwise).await;
    }
    if instance.callback() == CallbackMode::Page {
        return Ok(bare_page(site, visit, instance, return_to.as_deref()));
    }
    let Some(element) = served.app.element(instance.full_name()) else {
        let problem = Problem::of_number(StatusCode::NOT_FOUND, NO_INSTANCE);
        return Err(problem::page(site, visit, &problem));
    };
    // The same function that the element API calls, so that an override sees every sign-in.
    let arguments = Arguments::new().named("authCode", code).named("state", state.expose());
    let caller = caller(visit, visit.browser.as_ref(), None, false);
    let code = match element.call("getLoginCode", arguments, &caller).await {
        Ok(Outcome { effect, .. }) => match effect.map(Effect::take::<SignedIn>) {
            Some(Ok(signed_in)) => return Ok(welcome(site, visit, &signed_in).await),
            _ => Code::new(APP_REFUSED, explain(APP_REFUSED).meaning.text(visit.language)),
        },
        Err(code) => code,
    };
    match code.source().and_then(|cause| cause.downcast_ref::<Refusal>()) {
        Some(refusal @ (Refusal::StateExpired | Refusal::Settled(Settled::BrokenOff))) => {
            let again = site.login.again(&state).await;
            begin_again(site, visit, instance, again, refusal.code(), refusal.clone()).await
        }
        // It was there a moment ago.
        Some(Refusal::StateUnknown) => no_record(site, visit, here, &state).await,
        Some(refusal) => {
            if !refusal.may_be_tried_again() {
                site.limits.count_failure(visit.address, now).await;
            }
            Err(refused(site, visit, name, refusal, again).await)
        }
        None => {
            withdraw(site, visit, &state).await;
            site.note_ended(name, Ended::ByTheApp(code.code)).await;
            site.limits.count_failure(visit.address, now).await;
            Err(problem::page(site, visit, &Problem::of_app(&code, again)))
        }
    }
}

/// Stands in for the app's own page on the redirect address.
fn bare_page(site: &Site, visit: &Visit, instance: &Instance, return_to: Option<&str>) -> Response {
    let again_url = login_page::path(Some(instance.full_name()), return_to);
    let page = CallbackPage {
        title: instance.title(),
        element: instance.full_name(),
        next_url: return_to.unwrap_or("/"),
        again_url: &again_url,
    };
    // The address holds code and state; other languages are chosen on the sign-in page.
    let mut response = problem::html(StatusCode::OK, page.html(&problem::chrome_at(site, visit, &again_url)));
    let policy = format!("{CONTENT_SECURITY_POLICY}; connect-src 'self'");
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The page of a sign-in that was refused, which is also counted and audited.
async fn refused(
    site: &Site,
    visit: &Visit,
    instance: Option<&str>,
    refusal: &Refusal,
    again: String,
) -> Response {
    site.note_refused(instance, refusal).await;
    problem::page(site, visit, &Problem::of_refusal(refusal, again))
}

/// Sets the session and goes to where the member wanted to go.
async fn welcome(site: &Site, visit: &Visit, signed_in: &SignedIn) -> Response {
    if let Some(token) = &signed_in.token {
        leave_former_session(site, visit, token, &signed_in.session.id).await;
    }
    site.note_signed_in(signed_in).await;
    tracing::info!(
        request_id = %visit.request_id,
        instance = signed_in.session.instance,
        session = signed_in.session.id,
        "{}",
        if signed_in.token.is_some() { "signed in" } else { "bound to the account of this session" }
    );
    let mut address = signed_in.return_to.clone().unwrap_or_else(|| "/".to_owned());
    if visit.is_inside_wecom() && !address.contains('#') {
        // An address without a fragment would inherit `#wechat_redirect` (RFC 9110, 10.2.2).
        address.push('#');
    }
    let mut response = To::to(&address).into_response();
    if let Some(token) = &signed_in.token {
        let lifetime = signed_in.session.expires_at.since(site.clock.now());
        response.headers_mut().append(SET_COOKIE, site.cookies.set_session(token, lifetime));
    }
    response
}

/// The session that the browser had before ends: a new sign-in takes its place.
pub(crate) async fn leave_former_session(site: &Site, visit: &Visit, token: &SessionToken, id: &str) {
    let Some(former) = visit.token.as_ref().filter(|former| *former != token) else { return };
    let ended = match site.sessions.check(former).await {
        Ok(Some(session)) if session.id != id => {
            site.sessions.end(&session, EndReason::Replaced).await.map(|_| ())
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        tracing::warn!(request_id = %visit.request_id, %error, "a former session stays until it runs out");
    }
}

/// The app's own Type refused: what WeCom's proof has begun is taken back.
pub(crate) async fn withdraw(site: &Site, visit: &Visit, state: &Secret) {
    let Some(browser) = &visit.browser else { return };
    if let Err(error) = site.login.withdraw(state, browser).await {
        tracing::error!(request_id = %visit.request_id, %error, "the session of a refused sign-in stays until it runs out");
    }
}

/// Nothing is kept of the state: it was lost with the key-value store, is long gone, or was never ours.
async fn no_record(
    site: &Site,
    visit: &Visit,
    here: &[&Arc<Instance>],
    state: &Secret,
) -> Result<Response, Response> {
    // Without a code the member declined: that is not begun again.
    if let (Some(browser), Some(_)) = (&visit.browser, visit.parameter("code")) {
        for instance in here {
            let again = site.login.again_if_lost(state, instance, browser);
            if again != Again::Never {
                let otherwise = Refusal::StateUnknown;
                return begin_again(site, visit, instance, Ok(again), otherwise.code(), otherwise).await;
            }
        }
    }
    site.limits.count_failure(visit.address, site.clock.now()).await;
    let refusal = if state.is_empty() { Refusal::StateMissing } else { Refusal::StateUnknown };
    Err(refused(site, visit, None, &refusal, login_page::path(None, None)).await)
}

/// Begins the sign-in again by itself, or explains why it does not: `enough` is the number of the page that says that it
/// has been tried, `otherwise` what is refused.
async fn begin_again(
    site: &Site,
    visit: &Visit,
    instance: &Instance,
    again: Result<Again, wecom_login_store::Error>,
    enough: i64,
    otherwise: Refusal,
) -> Result<Response, Response> {
    let name = Some(instance.full_name());
    let page = login_page::path(name, None);
    let purpose = match again {
        Ok(Again::Begin(purpose)) => purpose,
        Ok(Again::Enough) => {
            site.limits.count_failure(visit.address, site.clock.now()).await;
            site.note_refused(name, &otherwise).await;
            let problem = Problem::of_number(StatusCode::BAD_REQUEST, enough).retry(page);
            return Err(problem::page(site, visit, &problem));
        }
        Ok(Again::Never) => {
            site.limits.count_failure(visit.address, site.clock.now()).await;
            return Err(refused(site, visit, name, &otherwise, page).await);
        }
        Err(error) => return Err(refused(site, visit, name, &error.into(), page).await),
    };
    let restarts = purpose.restarts;
    let (browser, is_new) = login_page::browser(site, visit);
    let state = match login_page::issue(site, visit, instance, &browser, purpose).await {
        Ok(state) => state,
        Err(NotIssued::Overloaded) => {
            let problem = Problem::of_number(StatusCode::TOO_MANY_REQUESTS, OVERLOADED).retry(page);
            return Err(problem::page(site, visit, &problem));
        }
        Err(NotIssued::Store(error)) => return Err(refused(site, visit, name, &error.into(), page).await),
    };
    site.note_ended(name, Ended::BeginsAgain).await;
    tracing::info!(request_id = %visit.request_id, restarts, "a sign-in begins again");
    let link = if visit.is_inside_wecom() {
        instance.oauth_link(&state)
    } else {
        instance.web_login_link(&state, visit.language)
    };
    let mut response = To::to(&link).into_response();
    if is_new {
        response.headers_mut().append(SET_COOKIE, site.cookies.set_browser(&browser));
    }
    Ok(response)
}
