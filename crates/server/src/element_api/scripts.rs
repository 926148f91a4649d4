//! The JavaScript client with this server's address and app filled in. It is built in `clients/js`; the built files are
//! committed.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use wecom_login_element::App;
use wecom_login_model::Fingerprint;

use crate::http::header_bytes::parts;
use crate::settings::Settings;

const MODULE: &str = include_str!("../../../../clients/js/dist/client.js");
const CLASSIC: &str = include_str!("../../../../clients/js/dist/client.global.js");

/// A script with its entity tag.
#[derive(Debug)]
pub(crate) struct Script {
    text: String,
    tag: HeaderValue,
}

/// The script as a module and as a classic script.
#[derive(Debug)]
pub(crate) struct Scripts {
    pub(crate) module: Arc<Script>,
    pub(crate) classic: Arc<Script>,
}

impl Scripts {
    pub(crate) fn new(app: &App, settings: &Settings) -> Self {
        let base = settings.public_url.origin().ascii_serialization();
        let app = json!({"base": base, "org": app.org_id(), "app": app.name()});
        let declared = format!("const WECOM_LOGIN_SITE = {app};\n");
        Self {
            module: Arc::new(Script::new(format!("{declared}{MODULE}"))),
            // Inside a function: a classic script may be loaded twice.
            classic: Arc::new(Script::new(format!("(() => {{\n{declared}{CLASSIC}}})();\n"))),
        }
    }
}

impl Script {
    #[expect(clippy::expect_used, reason = "hexadecimal digits in quotes are a header value")]
    fn new(text: String) -> Self {
        let tag = format!("\"{}\"", &Fingerprint::of(&text).to_hex()[..32]);
        Self { tag: HeaderValue::from_str(&tag).expect("an entity tag is a header value"), text }
    }

    pub(crate) fn answer(&self, asked: &HeaderMap) -> Response {
        let headers = [
            (header::ETAG, self.tag.clone()),
            (header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8")),
            // Browsers revalidate it each time, so that client and server have the same version; a 304 transfers nothing.
            (header::CACHE_CONTROL, HeaderValue::from_static("public, no-cache")),
            // Cross-origin isolated pages (COEP) may load it.
            (
                header::HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("cross-origin"),
            ),
        ];
        if self.is_known(asked) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, self.text.clone()).into_response()
    }

    /// True if the client has the current script (RFC 9110, 13.1.2).
    fn is_known(&self, asked: &HeaderMap) -> bool {
        parts(asked, header::IF_NONE_MATCH, b',')
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.tag.as_bytes())
    }
}
