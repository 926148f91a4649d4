//! The forms in which a rejection is rendered: a page, JSON, the platform's envelope, OAuth's error body, a line of text.

use std::convert::Infallible;

use axum::Json;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::json;
use wecom_login_pages::ProblemPage;

use crate::http::envelope;
use crate::http::page;
use crate::http::rejection::Rejection;
use crate::http::request::RequestContext;
use crate::settings::Settings;
use crate::sign_in::links;

/// The form that a client of a route expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Page,
    Json,
    /// A page for clients that accept HTML, JSON for others.
    PageOrJson,
    /// A page for clients that accept only HTML, JSON for others: many scripts send no useful Accept header.
    JsonOrPage,
    /// The envelope of the administrators' API, with the HTTP status of the rejection.
    Envelope,
    /// The envelope of element functions: a failure of the function itself has HTTP 200, as on the platform.
    Function,
    /// The error body of RFC 6749, 5.2.
    OAuth,
    /// One line, for programs and probes.
    Text,
}

impl Form {
    /// The answer to HEAD where the handler of GET is not called: the content type of a successful GET, and nothing else.
    pub(crate) fn bare(self) -> Response {
        let content_type = match self {
            Self::Page => "text/html; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            Self::Json
            | Self::PageOrJson
            | Self::JsonOrPage
            | Self::Envelope
            | Self::Function
            | Self::OAuth => "application/json",
        };
        // The length is unknown: Content-Length must be that of GET, or be absent (RFC 9110, 8.6).
        let unknown = Body::from_stream(stream::empty::<Result<Vec<u8>, Infallible>>());
        ([(header::CONTENT_TYPE, content_type)], unknown).into_response()
    }

    /// Renders the rejection in this form and logs it.
    pub(crate) fn render(
        self,
        rejection: &Rejection,
        context: &RequestContext,
        settings: &Settings,
    ) -> Response {
        log(rejection, context);
        match self {
            Self::Page => as_page(rejection, context, settings),
            Self::PageOrJson if context.takes_html() => as_page(rejection, context, settings),
            Self::JsonOrPage if context.takes_html_alone() => as_page(rejection, context, settings),
            Self::Json | Self::PageOrJson | Self::JsonOrPage => as_json(rejection, context),
            Self::Function if rejection.is_of_the_function() => {
                as_envelope(rejection, context, StatusCode::OK)
            }
            Self::Envelope | Self::Function => as_envelope(rejection, context, rejection.http_status()),
            Self::OAuth => as_oauth(rejection, context),
            Self::Text => {
                let text = format!("{}: {}\n", rejection.number(), rejection.explanation().meaning.en);
                (rejection.http_status(), text).into_response()
            }
        }
    }
}

fn log(rejection: &Rejection, context: &RequestContext) {
    let (number, cause) = (rejection.number(), rejection.cause());
    if rejection.http_status().is_server_error() {
        tracing::error!(request_id = %context.request_id, number, cause, "a request failed");
    } else if rejection.is_alert() {
        tracing::warn!(request_id = %context.request_id, number, cause, "a request was refused");
    } else {
        tracing::info!(request_id = %context.request_id, number, cause, "a request was refused");
    }
}

fn as_page(rejection: &Rejection, context: &RequestContext, settings: &Settings) -> Response {
    let view = ProblemPage {
        title: rejection.title(),
        explanation: rejection.explanation(),
        details: rejection.details(),
        retry: rejection.way_on(),
    };
    // The address of a redirect holds code and state, so the language links of its page lead to the sign-in page instead. So do
    // those of a page about an address that is too long.
    let leads_nowhere =
        context.parameter("code").is_some() || rejection.http_status() == StatusCode::URI_TOO_LONG;
    let path = if leads_nowhere { links::LOGIN } else { context.path_and_query() };
    page::html(rejection.http_status(), view.html(&page::chrome_at(settings, context, path)))
}

fn as_json(rejection: &Rejection, context: &RequestContext) -> Response {
    let body = Json(json!({
        "errcode": rejection.number(),
        "errmsg": rejection.reason(context.language),
        "requestId": context.request_id.as_str(),
    }));
    let status = rejection.http_status();
    if status == StatusCode::UNAUTHORIZED && context.bearer.is_some() {
        // RFC 6750, 3.1.
        return (status, [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")], body)
            .into_response();
    }
    (status, body).into_response()
}

fn as_envelope(rejection: &Rejection, context: &RequestContext, status: StatusCode) -> Response {
    envelope::failure(context, status, rejection.number(), &rejection.reason(context.language))
}

/// OAuth defines few error codes; the description holds our number and the request id.
fn as_oauth(rejection: &Rejection, context: &RequestContext) -> Response {
    let status = rejection.http_status();
    let error = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        status if status.is_server_error() => "server_error",
        StatusCode::UNAUTHORIZED => "invalid_client",
        StatusCode::FORBIDDEN => "access_denied",
        _ => "invalid_request",
    };
    // RFC 6749, 5.2 allows only ASCII without " and \ here.
    let meaning = rejection.explanation().meaning.en;
    let (number, request) = (rejection.number(), &context.request_id);
    let description = format!("{number}: {meaning} Request {request}.").replace(['"', '\\'], "'");
    (status, Json(json!({"error": error, "error_description": description}))).into_response()
}
