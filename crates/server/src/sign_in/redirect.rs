//! The redirect from WeCom: GET at the path of an instance's redirectUri, with code and state. The member ends at an address
//! without them.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{self, SET_COOKIE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect as To, Response};
use wecom_login_element::{Arguments, Code, Effect, Outcome};
use wecom_login_model::Secret;
use wecom_login_pages::{CONTENT_SECURITY_POLICY, CallbackPage};
use wecom_login_sign_in::{Again, CallbackMode, Instance, Refusal, Settled, SignedIn, number};

use crate::element_api::caller::caller;
use crate::http::error_numbers::{
    APP_REFUSED, METHOD_NOT_ALLOWED, NO_INSTANCE, NOT_FOUND, TOO_MANY_FAILURES, explain,
};
use crate::http::page;
use crate::http::rejection::Rejection;
use crate::http::request::{Context, RequestContext};
use crate::sign_in::begin::{browser, issue};
use crate::sign_in::finish::{leave_former_session, withdraw};
use crate::sign_in::log::{self, SignInEnd};
use crate::sign_in::{domain_file, links};
use crate::state::{AppState, LoadedApp};

/// The handler of paths without a route: a domain file, an instance's redirect, or not found.
pub(crate) async fn elsewhere(
    State(app): State<AppState>,
    method: Method,
    Extension(context): Context,
) -> Result<Response, Rejection> {
    match domain_file::name(context.uri.path()) {
        Some(_) if !matches!(method, Method::GET | Method::HEAD) => Err(Rejection::of(METHOD_NOT_ALLOWED)),
        Some(name) => domain_file::serve(&app.config.settings, &context, name).await,
        None => callback(State(app), method, Extension(context)).await,
    }
}

/// The handler of paths that are not our own: a redirect, or not found.
pub(crate) async fn callback(
    State(app): State<AppState>,
    method: Method,
    Extension(context): Context,
) -> Result<Response, Rejection> {
    let loaded = app.apps.loaded();
    let here = loaded.redirected_to(context.uri.path(), &app.config.settings);
    if here.is_empty() {
        return Err(Rejection::of(NOT_FOUND).home());
    }
    if method != Method::GET {
        // HEAD must not use up an authorization code.
        return Err(Rejection::of(METHOD_NOT_ALLOWED));
    }
    let now = app.config.clock.now();
    let locked_out = app.identity.limits.is_locked_out(context.address, now).await;
    match locked_out {
        Ok(false) => {}
        Ok(true) => {
            log::ended(&app, None, SignInEnd::LockedOut).await;
            return Err(Rejection::of(TOO_MANY_FAILURES).retry(links::login(None, None)));
        }
        Err(error) => return Err(refused(&app, None, error.into(), None).await),
    }
    if context.parameter("code").is_none() && context.parameter("state").is_none() {
        // A bookmark or a typed address, not a redirect from WeCom.
        let only = here.first().filter(|_| here.len() == 1).map(|instance| instance.full_name());
        return Ok(To::to(&links::login(only, None)).into_response());
    }
    let arrival = Arrival { app: &app, loaded: &loaded, context: &context, here: &here };
    arrival.sign_in().await
}

/// A redirect that this server has received.
struct Arrival<'a> {
    app: &'a AppState,
    loaded: &'a LoadedApp,
    context: &'a RequestContext,
    /// The instances whose redirectUri has this path.
    here: &'a [&'a Arc<Instance>],
}

impl Arrival<'_> {
    async fn sign_in(&self) -> Result<Response, Rejection> {
        let Self { app, context, .. } = *self;
        let login = &app.identity.login;
        let state = Secret::new(context.parameter("state").unwrap_or_default());
        // The state names the instance; several may share the path.
        let (instance, return_to) = match login.meant_for(&state).await {
            Ok(Some((name, return_to))) => {
                (self.here.iter().find(|instance| instance.full_name() == name), return_to)
            }
            Ok(None) => (None, None),
            Err(error) => return Err(refused(app, None, error.into(), None).await),
        };
        let Some(instance) = instance else { return self.no_record(&state).await };
        let name = Some(instance.full_name());
        let Some(code) = context.parameter("code").filter(|code| !code.is_empty()) else {
            log::ended(app, name, SignInEnd::Declined).await;
            let again = links::login(name, return_to.as_deref());
            return Err(Rejection::of(number::DECLINED).retry(again));
        };
        if context.browser.is_none() {
            let again = login.again(&state).await;
            let otherwise = Refusal::StateOfAnotherBrowser;
            return self.begin_again(instance, again, number::COOKIES_BLOCKED, otherwise).await;
        }
        if instance.callback() == CallbackMode::Page {
            return Ok(bare_page(app, context, instance, return_to.as_deref()));
        }
        self.exchange(instance, &state, code, return_to.as_deref()).await
    }

    /// Calls getLoginCode, as the element API does, so that an override of it receives every sign-in.
    async fn exchange(
        &self,
        instance: &Arc<Instance>,
        state: &Secret,
        code: String,
        return_to: Option<&str>,
    ) -> Result<Response, Rejection> {
        let Self { app, context, .. } = *self;
        let element = self.loaded.app.element(instance.full_name());
        let element = element.ok_or_else(|| Rejection::of(NO_INSTANCE))?;
        let arguments = Arguments::new().named("authCode", code).named("state", state.expose());
        let caller = caller(context, context.browser.as_ref(), None, false);
        let rejection: Rejection = match element.call("getLoginCode", arguments, &caller).await {
            Ok(Outcome { effect, .. }) => match effect.map(Effect::take::<SignedIn>) {
                Some(Ok(signed_in)) => return Ok(welcome(app, context, &signed_in).await),
                _ => Code::new(APP_REFUSED, explain(APP_REFUSED).meaning.text(context.language)).into(),
            },
            Err(code) => code.into(),
        };
        let name = Some(instance.full_name());
        let Some(refusal) = rejection.sign_in_error().cloned() else {
            withdraw(app, context, state).await;
            log::ended(app, name, SignInEnd::ByTheApp(rejection.number())).await;
            self.count_failure().await;
            return Err(rejection.retry(links::login(name, return_to)));
        };
        match refusal {
            Refusal::StateExpired | Refusal::Settled(Settled::BrokenOff) => {
                let again = app.identity.login.again(state).await;
                self.begin_again(instance, again, refusal.code(), refusal).await
            }
            // The record of the state has disappeared since `meant_for` found it.
            Refusal::StateUnknown => self.no_record(state).await,
            refusal => {
                if !refusal.may_be_tried_again() {
                    self.count_failure().await;
                }
                Err(refused(app, name, refusal, return_to).await)
            }
        }
    }

    /// Handles a state without a record: it was lost with the key-value store, has expired long ago, or is not ours.
    async fn no_record(&self, state: &Secret) -> Result<Response, Rejection> {
        // Without a code the member declined, which does not restart the sign-in.
        if let (Some(browser), Some(_)) = (&self.context.browser, self.context.parameter("code")) {
            for instance in self.here {
                let again = self.app.identity.login.again_if_lost(state, instance, browser);
                if again != Again::Never {
                    let otherwise = Refusal::StateUnknown;
                    return self.begin_again(instance, Ok(again), otherwise.code(), otherwise).await;
                }
            }
        }
        self.count_failure().await;
        let refusal = if state.is_empty() { Refusal::StateMissing } else { Refusal::StateUnknown };
        Err(refused(self.app, None, refusal, None).await)
    }

    /// Restarts the sign-in automatically, or returns the rejection: `enough` is the error number if it was restarted too
    /// often, `otherwise` the refusal if it cannot be restarted.
    async fn begin_again(
        &self,
        instance: &Instance,
        again: Result<Again, wecom_login_store::Error>,
        enough: i64,
        otherwise: Refusal,
    ) -> Result<Response, Rejection> {
        let Self { app, context, .. } = *self;
        let name = Some(instance.full_name());
        let purpose = match again {
            Ok(Again::Begin(purpose)) => purpose,
            Ok(Again::Enough) => {
                self.count_failure().await;
                log::refused(app, name, &otherwise).await;
                let page = links::login(name, None);
                return Err(Rejection::of(enough).status(StatusCode::BAD_REQUEST).retry(page));
            }
            Ok(Again::Never) => {
                self.count_failure().await;
                return Err(refused(app, name, otherwise, None).await);
            }
            Err(error) => return Err(refused(app, name, error.into(), None).await),
        };
        let restarts = purpose.restarts;
        let (browser, is_new) = browser(app, context);
        let state = match issue(app, context, instance, &browser, purpose).await {
            Ok(state) => state,
            Err(rejection) => {
                if let Some(refusal) = rejection.sign_in_error() {
                    log::refused(app, name, refusal).await;
                }
                return Err(rejection.retry(links::login(name, None)));
            }
        };
        log::ended(app, name, SignInEnd::BeginsAgain).await;
        tracing::info!(request_id = %context.request_id, restarts, "a sign-in restarts");
        let link = if context.is_inside_wecom() {
            instance.oauth_link(&state)
        } else {
            instance.web_login_link(&state, context.language)
        };
        let mut response = To::to(&link).into_response();
        if is_new {
            response.headers_mut().append(SET_COOKIE, app.config.cookies.set_browser(&browser));
        }
        Ok(response)
    }

    async fn count_failure(&self) {
        let now = self.app.config.clock.now();
        self.app.identity.limits.count_failure(self.context.address, now).await;
    }
}

/// Counts and audits a refused sign-in, and returns its rejection.
async fn refused(
    app: &AppState,
    instance: Option<&str>,
    refusal: Refusal,
    return_to: Option<&str>,
) -> Rejection {
    log::refused(app, instance, &refusal).await;
    Rejection::from(refusal).retry(links::login(instance, return_to))
}

/// The page for an instance whose `callback` is `page`, in place of the app's own page at the redirect address.
fn bare_page(
    app: &AppState,
    context: &RequestContext,
    instance: &Instance,
    return_to: Option<&str>,
) -> Response {
    let again_url = links::login(Some(instance.full_name()), return_to);
    let view = CallbackPage {
        title: instance.title(),
        element: instance.full_name(),
        next_url: return_to.unwrap_or(links::HOME),
        again_url: &again_url,
    };
    // The address holds code and state, so the language links lead to the sign-in page.
    let chrome = page::chrome_at(&app.config.settings, context, &again_url);
    let mut response = page::html(StatusCode::OK, view.html(&chrome));
    let policy = format!("{CONTENT_SECURITY_POLICY}; connect-src 'self'");
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Sets the session cookie and redirects to the address to return to.
async fn welcome(app: &AppState, context: &RequestContext, signed_in: &SignedIn) -> Response {
    if let Some(token) = &signed_in.token {
        leave_former_session(app, context, token, &signed_in.session.id).await;
    }
    log::signed_in(app, signed_in).await;
    tracing::info!(
        request_id = %context.request_id,
        instance = signed_in.session.instance,
        session = signed_in.session.id,
        "{}",
        if signed_in.token.is_some() { "signed in" } else { "bound to the account of this session" }
    );
    let mut address = signed_in.return_to.clone().unwrap_or_else(|| links::HOME.to_owned());
    if context.is_inside_wecom() && !address.contains('#') {
        // Without a fragment of its own the address would inherit `#wechat_redirect` (RFC 9110, 10.2.2).
        address.push('#');
    }
    let mut response = To::to(&address).into_response();
    if let Some(token) = &signed_in.token {
        let lifetime = signed_in.session.expires_at.since(app.config.clock.now());
        response.headers_mut().append(SET_COOKIE, app.config.cookies.set_session(token, lifetime));
    }
    response
}
