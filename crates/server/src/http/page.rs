//! The layout that all pages share.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use wecom_login_pages::{CONTENT_SECURITY_POLICY, Chrome};

use crate::http::request::RequestContext;
use crate::settings::Settings;

/// The layout of a page at the address of the request.
pub(crate) fn chrome<'a>(settings: &'a Settings, context: &'a RequestContext) -> Chrome<'a> {
    chrome_at(settings, context, context.path_and_query())
}

/// The layout of a page whose language links lead to another address.
pub(crate) fn chrome_at<'a>(settings: &'a Settings, context: &'a RequestContext, path: &str) -> Chrome<'a> {
    Chrome::new(context.language, path)
        .with_brand(settings.brand.shown())
        .with_request_id(context.request_id.as_str())
}

/// An HTML answer with the pages' content security policy.
pub(crate) fn html(status: StatusCode, page: String) -> Response {
    let mut response = (status, Html(page)).into_response();
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
