//! GET /login: the sign-in page; inside WeCom, a redirect to WeCom's OAuth page without a tap.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Extension, Json};
use serde_json::json;
use wecom_login_model::Bilingual;
use wecom_login_pages::{Choice, ChoosePage};
use wecom_login_sign_in::{Binding, Flow, Instance};

use crate::http::error_numbers::{
    CROSS_SITE, NO_INSTANCE, NOT_SIGNED_IN, REDIRECT_NOT_OURS, RETURN_TO_REFUSED,
};
use crate::http::fetch_metadata::SEC_FETCH_SITE;
use crate::http::header_bytes::single;
use crate::http::page;
use crate::http::rejection::Rejection;
use crate::http::request::{Context, RequestContext};
use crate::http::visitor::session_of;
use crate::sign_in::begin::{Issued, PendingSignIn, issue};
use crate::sign_in::return_to::resolve;
use crate::sign_in::{links, panel, workbench};
use crate::state::{AppState, LoadedApp};

/// The outcome of a request for the sign-in page.
enum Next {
    /// The visitor is already signed in, and is redirected to this address.
    Arrived(String),
    /// There are several instances, and the request names none.
    Choose { return_to: Option<String>, binds: bool },
    /// A sign-in starts.
    Begin(PendingSignIn),
}

/// GET /login
pub(crate) async fn login(
    State(app): State<AppState>,
    Extension(context): Context,
) -> Result<Response, Rejection> {
    let loaded = app.apps.loaded();
    match next(&app, &loaded, &context).await? {
        Next::Arrived(address) => Ok(Redirect::to(&address).into_response()),
        Next::Choose { return_to, binds } => Ok(choose(&app, &loaded, &context, return_to.as_deref(), binds)),
        Next::Begin(begin) => show(&app, &context, &begin),
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
        Next::Begin(begin) => begin,
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
    let binding = match context.parameter("bind").as_deref() {
        Some("1") => Some(binding(app, context).await?),
        _ => None,
    };
    let named = context.parameter("element").filter(|name| !name.is_empty());
    let session = session_of(&app.identity, context).await?;
    let named = match session.filter(|_| binding.is_none()) {
        Some(session) if named.as_ref().is_none_or(|name| *name == session.instance) => {
            if !workbench::asks_again(context, &session, app.config.clock.now()) {
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
            return Ok(Next::Choose { return_to, binds: binding.is_some() });
        }
        None => loaded.instances.iter().next().cloned(),
    };
    let instance = instance.ok_or_else(|| Rejection::of(NO_INSTANCE))?;
    if let Some(reason) = loaded.browser_off.get(instance.full_name()) {
        let label = Bilingual { zh: "原因", en: "Reason" };
        return Err(Rejection::of(REDIRECT_NOT_OURS).detail(label, reason));
    }
    Ok(Next::Begin(PendingSignIn { instance, flow: Flow { return_to, binding } }))
}

/// The binding that `bind=1` requests: this sign-in's member is bound to the account of the visitor's session.
///
/// The session must be active, and the request must come from our own pages or from the address bar: inside WeCom, another
/// site's link would otherwise lead to a binding without a tap.
async fn binding(app: &AppState, context: &RequestContext) -> Result<Binding, Rejection> {
    let from = single(&context.headers, SEC_FETCH_SITE);
    if !from.is_none_or(|site| matches!(site, b"same-origin" | b"none")) {
        return Err(Rejection::of(CROSS_SITE).home());
    }
    let session = session_of(&app.identity, context).await?;
    let wanted =
        session.and_then(|session| Some(Binding { account: session.account_id?, session: session.id }));
    wanted.ok_or_else(|| Rejection::of(NOT_SIGNED_IN).retry(links::login(None, None)))
}

fn show(app: &AppState, context: &RequestContext, begin: &PendingSignIn) -> Result<Response, Rejection> {
    let issued = begin_sign_in(app, context, begin)?;
    // A binding is never without a tap: the account of this session would get another way in.
    let mut response = if context.is_inside_wecom() && begin.flow.binding.is_none() {
        Redirect::to(&begin.instance.oauth_link(&issued.state)).into_response()
    } else {
        panel::page(&app.config.settings, context, begin, &issued.state)
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
    let again = links::login(Some(instance.full_name()), begin.flow.return_to.as_deref());
    let issued = issue(app, context, instance, &begin.flow, 0).map_err(|rejection| rejection.retry(again))?;
    // The page shows this request id with later errors.
    tracing::info!(request_id = %context.request_id, instance = instance.full_name(), "a sign-in starts");
    Ok(issued)
}

fn choose(
    app: &AppState,
    loaded: &LoadedApp,
    context: &RequestContext,
    return_to: Option<&str>,
    binds: bool,
) -> Response {
    let link = if binds { links::binding } else { links::login };
    let choice = |instance| -> Choice<'_> {
        let instance: &Instance = instance;
        let full_name = instance.full_name();
        Choice { title: instance.title(), full_name, url: link(Some(full_name), return_to) }
    };
    let choices = loaded.instances.iter().map(|instance| choice(instance)).collect();
    let chrome = page::chrome(&app.config.settings, context);
    page::html(StatusCode::OK, ChoosePage { choices }.html(&chrome))
}
