//! The end of a sign-in, shared by the redirect and the element API: getLoginCode through the whole chain of Types, and then
//! the session.

use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use serde_json::Value;
use wecom_login_element::{Arguments, Effect, Outcome};
use wecom_login_session::{Session, SessionToken};
use wecom_login_sign_in::{AuthorizationResponse, Delivery, Former, SessionChange, SignedIn};

use crate::element_api::caller::caller;
use crate::http::error_numbers::NO_INSTANCE;
use crate::http::known_browser;
use crate::http::rejection::Rejection;
use crate::http::request::{BrowserNaming, RequestContext};
use crate::sign_in::bound_notice;
use crate::state::{AppState, LoadedApp};

/// A getLoginCode over HTTP.
pub(crate) struct SignIn {
    pub(crate) app: AppState,
    pub(crate) loaded: Arc<LoadedApp>,
    pub(crate) context: Arc<RequestContext>,
    pub(crate) response: AuthorizationResponse,
    /// The arguments as the caller gave them.
    pub(crate) arguments: Arguments,
}

/// What a getLoginCode came to; `signed_in` is `None` if the app's own Type answered by itself.
pub(crate) struct Finished {
    pub(crate) value: Value,
    pub(crate) signed_in: Option<SignedIn>,
}

impl SignIn {
    /// Runs to its end, also when the browser goes away: it delivers the redirect again, and the code works once.
    pub(crate) async fn finish(self) -> Result<Finished, Rejection> {
        let login = self.app.identity.login.clone();
        login.track(self.run()).await?
    }

    async fn run(self) -> Result<Finished, Rejection> {
        let Self { app, loaded, context, response, arguments } = self;
        let element = loaded.app.element(response.instance.full_name());
        let element = element.ok_or_else(|| Rejection::of(NO_INSTANCE))?;
        let caller = caller(&context, context.visitor.clone(), None, false);
        let Outcome { value, effect } = match element.call("getLoginCode", arguments, &caller).await {
            Ok(outcome) => outcome,
            Err(code) => {
                let rejection = Rejection::from(code);
                if rejection.sign_in_error().is_none() {
                    spend(&app, &context, &response).await;
                }
                return Err(rejection);
            }
        };
        let signed_in = match effect.map(Effect::take::<Delivery>) {
            Some(Ok(Delivery::Proved(proved))) => {
                Some(app.identity.login.complete(*proved, former(&context)).await?)
            }
            Some(Ok(Delivery::Replayed(signed_in))) => Some(*signed_in),
            Some(Err(_)) | None => {
                spend(&app, &context, &response).await;
                None
            }
        };
        Ok(Finished { value, signed_in })
    }
}

/// The sessions that the sign-in replaces. Inside WeCom every entry asks WeCom again, so the same member's continues there.
fn former(context: &RequestContext) -> Former<'_> {
    match context.naming {
        BrowserNaming::Header => Former::default(),
        BrowserNaming::Cookie | BrowserNaming::Unusable => {
            Former { tokens: &context.tokens, may_continue: context.is_in_workbench() }
        }
    }
}

/// Sets the cookies of a finished sign-in: the session, the account by which the browser is known, or the notice of a binding.
pub(crate) fn set_cookies(
    app: &AppState,
    context: &RequestContext,
    signed_in: &SignedIn,
    response: &mut Response,
) {
    let session =
        signed_in.token.as_ref().map(|token| session_cookie(app, context, token, &signed_in.session));
    let cookies = [session, known_cookie(app, signed_in), bound_notice::cookie(app, signed_in)];
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// The cookie of a new session. In WeCom's client on a computer it ends with the client: the next person at that computer is
/// another one.
fn session_cookie(
    app: &AppState,
    context: &RequestContext,
    token: &SessionToken,
    session: &Session,
) -> HeaderValue {
    let lifetime = session.expires_at.since(app.config.clock.now());
    app.config.cookies.set_session(token, (!context.is_in_desktop_client()).then_some(lifetime))
}

/// The cookie by which the account of the member who has signed in is known in this browser.
fn known_cookie(app: &AppState, signed_in: &SignedIn) -> Option<HeaderValue> {
    let account = signed_in.session.account_id.filter(|_| signed_in.change != SessionChange::Bound)?;
    let config = &app.config;
    known_browser::remember(config.cookies, &config.sealer, account, config.clock.now())
}

/// Spends the state of a sign-in that the app's own Type refused after WeCom had proved the member.
async fn spend(app: &AppState, context: &RequestContext, response: &AuthorizationResponse) {
    if let Err(error) = app.identity.login.refused_by_the_app(response).await {
        tracing::error!(
            request_id = %context.request_id,
            %error,
            "the state of a refused sign-in could not be spent and stays claimed until its lease runs out"
        );
    }
}
