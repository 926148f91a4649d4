//! The middleware of every request: it assigns a request id and a span, checks the origin and the method, and authenticates
//! administrators on their routes. It completes the headers of the answer, and renders a rejection in the form that the route
//! declares.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;
use wecom_login_store::Act;

use crate::console::administrator::Administrator;
use crate::http::cors::{self, Shared};
use crate::http::error_numbers::{CROSS_SITE, METHOD_NOT_ALLOWED};
use crate::http::rejection::{Rejection, carried_by};
use crate::http::request::RequestContext;
use crate::http::{body, head_size, language, security_headers};
use crate::routes::route::{About, Audience};
use crate::state::AppState;

/// The longest part of a path that is logged, in bytes, so that no client fills the log with long paths.
const LOGGED_PATH: usize = 512;

/// The border of one route.
#[derive(Debug, Clone)]
pub(crate) struct Border {
    pub(crate) app: AppState,
    pub(crate) route: Arc<About>,
}

/// The middleware of every route.
pub(crate) async fn border(State(border): State<Border>, request: Request, next: Next) -> Response {
    let Border { app, route } = &border;
    let settings = &app.config.settings;
    let (parts, body) = request.into_parts();
    let context = Arc::new(RequestContext::new(&parts, &app.config));
    let mut request = Request::from_parts(parts, body::bounded(body));
    request.extensions_mut().insert(context.clone());

    let (method, path) = (request.method().clone(), request.uri().path());
    // The query is not logged: it holds codes and states.
    let logged = &path[..path.floor_char_boundary(LOGGED_PATH)];
    let span = tracing::info_span!("request", %method, path = logged, request_id = %context.request_id);
    let shared = route.cors.at(path);
    if let Some(fault) = &context.proxy_fault {
        app.operations.metrics.faulty_proxy(fault);
        span.in_scope(|| app.operations.proxy_warnings.warn(fault));
    }
    let act = Act::of_request(context.address.to_string(), context.request_id.as_str());
    let answer = act.scope(async {
        match pass(app, route, &context, shared, request, next).await {
            Ok(response) => response,
            Err(rejection) => rejection.into_response(),
        }
    });
    let mut response = answer.instrument(span.clone()).await;
    if let Some(rejection) = carried_by(&mut response) {
        let given = response.headers().clone();
        response = span.in_scope(|| route.form_of(&method).render(&rejection, &context, settings));
        response.headers_mut().extend(given);
    }
    finish(app, &context, shared, &method, &mut response);
    response
}

async fn pass(
    app: &AppState,
    route: &About,
    context: &RequestContext,
    shared: Option<Shared>,
    mut request: Request,
    next: Next,
) -> Result<Response, Rejection> {
    head_size::check(&context.uri, request.method(), &context.headers)?;
    if shared.is_some() && cors::is_preflight(request.method(), request.headers()) {
        return Ok(Shared::preflight(context.fetch_site, &route.methods()));
    }
    if !context.fetch_site.may(request.method(), shared.is_some()) {
        return Err(Rejection::of(CROSS_SITE));
    }
    if !route.takes(&request) {
        return Ok(method_not_allowed(&route.methods()));
    }
    if route.audience == Audience::Administrators {
        let administrator = Administrator::admitted(app, context).await?;
        request.extensions_mut().insert(administrator);
    }
    if *request.method() == Method::HEAD && route.get_has_effects() {
        return Ok(route.form_of(&Method::GET).bare());
    }
    Ok(next.run(request).await)
}

/// The answer to a method that is not allowed; it lists the allowed methods (RFC 9110, 15.5.6).
fn method_not_allowed(methods: &[Method]) -> Response {
    let rejection = Rejection::of(METHOD_NOT_ALLOWED);
    let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if methods.contains(&Method::GET) {
        names.push(Method::HEAD.as_str());
    }
    let allowed = HeaderValue::from_str(&names.join(", ")).ok();
    let mut response = rejection.into_response();
    if let Some(allowed) = allowed {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

fn finish(
    app: &AppState,
    context: &RequestContext,
    shared: Option<Shared>,
    method: &Method,
    response: &mut Response,
) {
    let headers = response.headers_mut();
    security_headers::complete(headers, app.config.settings.is_https());
    if let Some(shared) = shared {
        shared.complete(context.fetch_site, context.headers.get(header::ORIGIN), headers);
    }
    // Keeps a chosen language for later pages. Files that caches may keep have no language.
    if let Some(language) = language::asked_for(context.uri.query())
        && method != Method::HEAD
        && !security_headers::may_be_cached(headers)
    {
        headers.append(header::SET_COOKIE, app.config.cookies.set_language(language));
    }
    security_headers::keep_cookies_private(headers);
    if let Ok(value) = HeaderValue::from_str(context.request_id.as_str()) {
        headers.insert("x-request-id", value);
    }
}
