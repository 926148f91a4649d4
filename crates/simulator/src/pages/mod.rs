//! What a person sees: the sign-in page with its QR code, the phone that scans it, and the OAuth page inside the
//! client.
//!
//! A page carries no script or style of its own (the Content-Security-Policy forbids both); every step works
//! as a plain link, so that it also works in the sandboxed frame of WeCom's own login panel, where forms are
//! forbidden. The script only adds search while typing, the wait for the phone, and the panel's messages.

mod assets;
mod device;
mod html;
mod login;
mod look;
mod oauth;
mod panel;
mod people;
mod redirect;
mod scan;
mod sign_in;
mod site;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

pub(crate) use device::Device;
pub use panel::Desktop;
pub(crate) use sign_in::{SignIn, sign_ins};

use crate::world::Shared;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/wwlogin/sso/login", get(login::new_page))
        .route("/wwopen/sso/qrConnect", get(login::old_page))
        .route("/wwlogin/people", get(people::fragment))
        .route("/wwlogin/scan", get(scan::scan))
        .route("/wwlogin/confirm", get(scan::confirm))
        .route("/wwlogin/finish", get(scan::finish))
        .route("/wwlogin/status", get(scan::status))
        .route("/wwlogin/page.css", get(assets::style))
        .route("/wwlogin/page.js", get(assets::script))
        .route("/connect/oauth2/authorize", get(oauth::authorize))
        .route("/connect/device", get(device::choose))
        .route("/connect/consent", post(oauth::consent))
}

/// Paths that WeCom does not have: 404 and nothing else, as measured.
pub(crate) async fn not_found() -> Response {
    StatusCode::NOT_FOUND.into_response()
}
