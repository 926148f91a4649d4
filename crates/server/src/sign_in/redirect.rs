//! The redirect from WeCom: GET at the path of an instance's redirectUri, with code and state. The member ends at an address
//! without them.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect as To, Response};
use wecom_login_element::{Arguments, Code};
use wecom_login_model::Secret;
use wecom_login_pages::{CONTENT_SECURITY_POLICY, CallbackPage};
use wecom_login_sign_in::{
    AuthorizationResponse, CallbackMode, Flow, Instance, Purpose, Restart, SessionChange, SignInError,
    SignedIn, State as SignInState, Terminal, number,
};

use crate::http::error_numbers::{APP_REFUSED, METHOD_NOT_ALLOWED, NOT_FOUND, explain};
use crate::http::page;
use crate::http::rejection::Rejection;
use crate::http::request::{Context, RequestContext};
use crate::sign_in::begin::issue;
use crate::sign_in::finish::{Finished, SignIn, set_cookies};
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
    loaded: &'a Arc<LoadedApp>,
    context: &'a Arc<RequestContext>,
    /// The instances whose redirectUri has this path.
    here: &'a [&'a Arc<Instance>],
}

/// A redirect whose state was issued here.
struct Recognised<'a> {
    instance: &'a Arc<Instance>,
    state: SignInState,
    /// Empty if the browser did not bring the cookie of the flow.
    flow: Flow,
}

impl Arrival<'_> {
    async fn sign_in(&self) -> Result<Response, Rejection> {
        let Self { app, context, .. } = *self;
        let state = Secret::new(context.parameter("state").unwrap_or_default());
        let recognised = match self.recognise(&state) {
            Ok(recognised) => recognised,
            Err(error) => return Err(refused(app, None, error, links::login(None, None)).await),
        };
        let Some(code) = context.parameter("code").filter(|code| !code.is_empty()) else {
            log::ended(app, Some(recognised.instance.full_name()), SignInEnd::Declined).await;
            return Err(Rejection::of(number::DECLINED).retry(recognised.again()));
        };
        if context.visitor.browser.is_none() {
            let otherwise = SignInError::StateOfAnotherBrowser;
            return self.restart(recognised, number::COOKIES_BLOCKED, otherwise).await;
        }
        if recognised.instance.callback() == CallbackMode::Page {
            return Ok(bare_page(app, context, &recognised));
        }
        self.exchange(recognised, state, code).await
    }

    /// Reads the state, which names the instance: several may share the path.
    fn recognise(&self, text: &Secret) -> Result<Recognised<'_>, SignInError> {
        if text.is_empty() {
            return Err(SignInError::StateMissing);
        }
        let login = &self.app.identity.login;
        let state = login.read_state(text).ok_or(SignInError::StateUnknown)?;
        let instance = self.here.iter().find(|instance| state.is_for(instance.full_name()));
        let flow = login.flow(&state, &self.context.visitor).unwrap_or_default();
        Ok(Recognised { instance: instance.ok_or(SignInError::StateUnknown)?, state, flow })
    }

    /// Calls getLoginCode, as the element API does, so that an override of it receives every sign-in.
    async fn exchange(
        &self,
        recognised: Recognised<'_>,
        state: Secret,
        code: String,
    ) -> Result<Response, Rejection> {
        let Self { app, context, .. } = *self;
        let instance = recognised.instance;
        let arguments = Arguments::new().named("authCode", code.as_str()).named("state", state.expose());
        let response = AuthorizationResponse {
            instance: instance.clone(),
            code: Secret::new(code),
            state,
            visitor: context.visitor.clone(),
        };
        let sign_in = SignIn {
            app: app.clone(),
            loaded: self.loaded.clone(),
            context: context.clone(),
            response,
            arguments,
        };
        let rejection: Rejection = match sign_in.finish().await {
            Ok(Finished { signed_in: Some(signed_in), .. }) => {
                return Ok(welcome(app, context, &signed_in, recognised.flow.return_to).await);
            }
            Ok(Finished { signed_in: None, .. }) => {
                Code::new(APP_REFUSED, explain(APP_REFUSED).meaning.text(context.language)).into()
            }
            Err(rejection) => rejection,
        };
        let name = Some(instance.full_name());
        match rejection.sign_in_error().cloned() {
            None => {
                log::ended(app, name, SignInEnd::ByTheApp(rejection.number())).await;
                Err(rejection.retry(recognised.again()))
            }
            Some(
                error @ (SignInError::StateExpired
                | SignInError::StateLost
                | SignInError::Terminal(Terminal::BrokenOff)),
            ) => self.restart(recognised, error.code(), error).await,
            Some(error) => Err(refused(app, name, error, recognised.again()).await),
        }
    }

    /// Restarts the sign-in automatically, or returns the rejection: `at_the_limit` is the error number if it was restarted too
    /// often, `otherwise` the error if it cannot be restarted.
    async fn restart(
        &self,
        recognised: Recognised<'_>,
        at_the_limit: i64,
        otherwise: SignInError,
    ) -> Result<Response, Rejection> {
        let Self { app, context, .. } = *self;
        let instance = recognised.instance;
        let name = Some(instance.full_name());
        let restarts = match app.identity.login.restart(&recognised.state).await {
            Ok(Restart::Retry(restarts)) => restarts,
            Ok(Restart::LimitReached) => {
                log::refused(app, name, &otherwise).await;
                let rejection = Rejection::of(at_the_limit).status(StatusCode::BAD_REQUEST);
                return Err(rejection.retry(recognised.again()));
            }
            Ok(Restart::No) => return Err(refused(app, name, otherwise, recognised.again()).await),
            Err(error) => return Err(refused(app, name, error.into(), recognised.again()).await),
        };
        let issued = issue(app, context, instance, &recognised.flow, restarts)?;
        log::ended(app, name, SignInEnd::BeginsAgain).await;
        tracing::info!(request_id = %context.request_id, restarts, "a sign-in restarts");
        let link = if context.is_inside_wecom() {
            instance.oauth_link(&issued.state)
        } else {
            instance.web_login_link(&issued.state, context.language)
        };
        let mut response = To::to(&link).into_response();
        issued.set_cookies(response.headers_mut());
        Ok(response)
    }
}

impl Recognised<'_> {
    /// The address of the page that begins the same sign-in again.
    fn again(&self) -> String {
        links::again(self.instance, self.state.purpose(), self.flow.return_to.as_deref())
    }
}

/// Records a refused sign-in, and returns its rejection.
async fn refused(app: &AppState, instance: Option<&str>, error: SignInError, again: String) -> Rejection {
    log::refused(app, instance, &error).await;
    Rejection::from(error).retry(again)
}

/// The page for an instance whose `callback` is `page`, in place of the app's own page at the redirect address.
fn bare_page(app: &AppState, context: &RequestContext, recognised: &Recognised<'_>) -> Response {
    let (instance, again_url) = (recognised.instance, recognised.again());
    let view = CallbackPage {
        title: instance.title(),
        binds: recognised.state.purpose() == Purpose::Bind,
        element: instance.full_name(),
        next_url: recognised.flow.return_to.as_deref().unwrap_or(links::HOME),
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
async fn welcome(
    app: &AppState,
    context: &RequestContext,
    signed_in: &SignedIn,
    return_to: Option<String>,
) -> Response {
    log::signed_in(app, signed_in).await;
    tracing::info!(
        request_id = %context.request_id,
        instance = signed_in.session.instance,
        session = signed_in.session.id,
        "{}",
        match signed_in.change {
            SessionChange::Began => "signed in",
            SessionChange::Continued => "the session continues",
            SessionChange::Bound => "bound to the account of this session",
        }
    );
    let mut address = return_to.unwrap_or_else(|| links::HOME.to_owned());
    if context.is_inside_wecom() && !address.contains('#') {
        // Without a fragment of its own the address would inherit `#wechat_redirect` (RFC 9110, 10.2.2).
        address.push('#');
    }
    let mut response = To::to(&address).into_response();
    set_cookies(app, context, signed_in, &mut response);
    response
}
