//! GET /login: the sign-in page; inside WeCom, a redirect to WeCom's OAuth page without a tap.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Extension, Json};
use serde_json::json;
use wecom_login_model::Bilingual;
use wecom_login_pages::{Choice, ChoosePage};
use wecom_login_sign_in::{Flow, Instance};

use crate::http::error_numbers::{NO_INSTANCE, REDIRECT_NOT_OURS, RETURN_TO_REFUSED};
use crate::http::page;
use crate::http::rejection::Rejection;
use crate::http::request::{Context, RequestContext};
use crate::http::visitor::session_of;
use crate::sign_in::begin::{Issued, PendingSignIn, issue};
use crate::sign_in::binding::{Binder, Named};
use crate::sign_in::return_to::resolve;
use crate::sign_in::{links, panel, workbench};
use crate::state::{AppState, LoadedApp};

/// The outcome of a request for the sign-in page.
enum Next {
    /// The visitor is already signed in, and is redirected to this address.
    Arrived(String),
    /// There are several instances, and the request names none.
    Choose { return_to: Option<String>, binder: Option<Binder> },
    /// A sign-in starts, or a binding.
    Begin(PendingSignIn, Option<Binder>),
}

/// GET /login
pub(crate) async fn login(
    State(app): State<AppState>,
    Extension(context): Context,
) -> Result<Response, Rejection> {
    let loaded = app.apps.loaded();
    match next(&app, &loaded, &context).await? {
        Next::Arrived(address) => Ok(Redirect::to(&address).into_response()),
        Next::Choose { return_to, binder } => {
            let named = named(&app, &context, binder).await?;
            Ok(choose(&app, &loaded, &context, return_to.as_deref(), named.as_ref()))
        }
        Next::Begin(begin, binder) => {
            let named = named(&app, &context, binder).await?;
            show(&app, &context, &begin, named.as_ref())
        }
    }
}

/// POST /login, with the query of the page: a new state of the same sign-in, for the page's login panel. A state expires after
/// ten minutes; a page may stay open longer.
pub(crate) async fn renew(
    State(app): State<AppState>,
    Extension(context): Context,
) -> Result<Response, Rejection> {
    let loaded = app.apps.loaded();
    let begin = match next(&app, &loaded, &context).await? {
        Next::Begin(begin, _) => begin,
        Next::Arrived(address) => return Ok(Json(json!({"location": address})).into_response()),
        Next::Choose { .. } => return Err(Rejection::of(NO_INSTANCE).status(StatusCode::BAD_REQUEST)),
    };
    let issued = begin_sign_in(&app, &context, &begin)?;
    let mut response = Json(panel::config(&begin.instance, &issued.state, context.language)).into_response();
    issued.set_cookies(response.headers_mut());
    Ok(response)
}

async fn next(app: &AppState, loaded: &LoadedApp, context: &RequestContext) -> Result<Next, Rejection> {
    let return_to = match context.parameter("return_to").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => {
            let settings = &app.config.settings;
            let resolved = resolve(&text, &settings.public_url, &settings.network.return_origins);
            let refused = || Rejection::of(RETURN_TO_REFUSED).retry(links::login(None, None));
            Some(resolved.ok_or_else(refused)?)
        }
    };
    let binder = match context.parameter("bind").as_deref() {
        Some("1") => Some(Binder::of(app, context).await?),
        _ => None,
    };
    let now = app.config.clock.now();
    if let Some(binder) = &binder
        && workbench::asks_again(context, &binder.session, now)
    {
        // Another person may be at this computer, whose identity must not be bound to the account of the one before.
        return Ok(Next::Arrived(workbench::proof(loaded, &binder.session, context.path_and_query())));
    }
    let named = context.parameter("element").filter(|name| !name.is_empty());
    let session = session_of(&app.identity, context).await?;
    let named = match session.filter(|_| binder.is_none()) {
        Some(session) if named.as_ref().is_none_or(|name| *name == session.instance) => {
            if !workbench::asks_again(context, &session, now) {
                return Ok(Next::Arrived(return_to.unwrap_or_else(|| links::HOME.to_owned())));
            }
            // An instance that is gone cannot be asked.
            Some(session.instance).filter(|name| loaded.instances.get(name).is_some()).or(named)
        }
        _ => named,
    };
    let instance = match &named {
        Some(name) => loaded.instances.get(name).cloned(),
        None if loaded.instances.len() > 1 => {
            return Ok(Next::Choose { return_to, binder });
        }
        None => loaded.instances.iter().next().cloned(),
    };
    let instance = instance.ok_or_else(|| Rejection::of(NO_INSTANCE))?;
    if let Some(reason) = loaded.browser_off.get(instance.full_name()) {
        let label = Bilingual { zh: "原因", en: "Reason" };
        return Err(Rejection::of(REDIRECT_NOT_OURS).detail(label, reason));
    }
    let binding = binder.as_ref().map(Binder::binding);
    Ok(Next::Begin(PendingSignIn { instance, flow: Flow { return_to, binding } }, binder))
}

async fn named(
    app: &AppState,
    context: &RequestContext,
    binder: Option<Binder>,
) -> Result<Option<Named>, Rejection> {
    match binder {
        Some(binder) => binder.named(app, context).await.map(Some),
        None => Ok(None),
    }
}

fn show(
    app: &AppState,
    context: &RequestContext,
    begin: &PendingSignIn,
    binder: Option<&Named>,
) -> Result<Response, Rejection> {
    let issued = begin_sign_in(app, context, begin)?;
    // A binding is never without a tap: the account of this session would get another way in.
    let mut response = if context.is_inside_wecom() && binder.is_none() {
        Redirect::to(&begin.instance.oauth_link(&issued.state)).into_response()
    } else {
        panel::page(&app.config.settings, context, begin, &issued.state, binder)
    };
    issued.set_cookies(response.headers_mut());
    Ok(response)
}

fn begin_sign_in(
    app: &AppState,
    context: &RequestContext,
    begin: &PendingSignIn,
) -> Result<Issued, Rejection> {
    let instance = &begin.instance;
    let issued = issue(app, context, instance, &begin.flow, 0);
    let issued = issued.map_err(|rejection| rejection.retry(begin.path()))?;
    // The page shows this request id with later errors.
    tracing::info!(request_id = %context.request_id, instance = instance.full_name(), "a sign-in starts");
    Ok(issued)
}

fn choose(
    app: &AppState,
    loaded: &LoadedApp,
    context: &RequestContext,
    return_to: Option<&str>,
    binder: Option<&Named>,
) -> Response {
    let link = if binder.is_some() { links::binding } else { links::login };
    let choice = |instance| -> Choice<'_> {
        let instance: &Instance = instance;
        let full_name = instance.full_name();
        Choice { title: instance.title(), full_name, url: link(Some(full_name), return_to) }
    };
    let choices = loaded.instances.iter().map(|instance| choice(instance)).collect();
    let view = ChoosePage { binding: binder.map(Named::shown), choices };
    page::html(StatusCode::OK, view.html(&page::chrome(&app.config.settings, context)))
}
