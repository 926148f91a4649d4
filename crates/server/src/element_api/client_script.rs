//! GET /client.js and /client.global.js

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::state::Apps;

pub(crate) async fn module(State(apps): State<Arc<Apps>>, headers: HeaderMap) -> Response {
    apps.loaded().scripts.module.answer(&headers)
}

pub(crate) async fn classic(State(apps): State<Arc<Apps>>, headers: HeaderMap) -> Response {
    apps.loaded().scripts.classic.answer(&headers)
}
