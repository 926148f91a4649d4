use askama::Template;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use url::Url;

use super::look::Look;
use super::panel::Told;
use super::words::{Language, Words};
use crate::query::Query;

/// What every page shows around its own part.
pub(super) struct Frame {
    pub(super) language: Language,
    pub(super) color_scheme: &'static str,
    pub(super) t: &'static Words,
    /// What the page tells the panel that embeds it, as JSON.
    pub(super) told: Option<String>,
}

impl Frame {
    pub(super) fn new(look: Look) -> Self {
        let Look { language, color_scheme } = look;
        Self { language, color_scheme, t: language.words(), told: None }
    }

    pub(super) fn telling(self, told: &Told) -> Self {
        Self { told: Some(told.to_string()), ..self }
    }
}

/// A message where the page cannot go on; status 200, as on the live service.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct Message<'a> {
    pub(super) frame: Frame,
    pub(super) title: &'a str,
    pub(super) text: &'a str,
    /// A value to copy, such as the domain that should be configured.
    pub(super) value: Option<String>,
    /// Where the sign-in begins anew.
    pub(super) again: Option<String>,
}

/// The page could not do what it was asked.
pub(super) fn message(look: Look, title: &str, text: &str, value: Option<String>) -> Response {
    page(&Message { frame: Frame::new(look), title, text, value, again: None }, None)
}

/// The links of a page work for five minutes. Whose language it was is forgotten too, so the browser's counts.
pub(super) fn expired(headers: &HeaderMap) -> Response {
    let look = Look::of(&Query::parse(""), headers);
    let words = look.words();
    message(look, words.expired_title, words.expired, None)
}

/// Renders with the headers of all pages. `form_to` is where a form on the page may lead in the end: browsers
/// hold a form's redirects against `form-action` too.
pub(super) fn page(template: &impl Template, form_to: Option<&Url>) -> Response {
    let Ok(html) = template.render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let form_to = form_to.map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         base-uri 'none'; form-action 'self' {form_to}"
    );
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(policy.trim_end()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
