use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::http::error_numbers::NOT_FOUND;
use crate::http::rejection::Rejection;
use crate::state::Config;

/// GET /assets/{file}: the name changes with the content, so browsers may cache it without limit.
pub(crate) async fn asset(
    State(config): State<Arc<Config>>,
    Path(file): Path<String>,
) -> Result<Response, Rejection> {
    let path = format!("/assets/{file}");
    let mut assets = wecom_login_pages::assets().iter().chain(config.settings.brand.assets());
    let asset = assets.find(|asset| asset.path == path);
    let asset = asset.ok_or_else(|| Rejection::of(NOT_FOUND).home())?;
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        // Front ends on other origins load the login panel from here; all files are public.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    let body = match &asset.bytes {
        Cow::Borrowed(bytes) => Body::from(*bytes),
        Cow::Owned(bytes) => Body::from(bytes.clone()),
    };
    Ok((headers, body).into_response())
}
