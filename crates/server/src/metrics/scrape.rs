use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;

use super::text::plain;
use crate::administrator::Administrator;
use crate::request::Visit;
use crate::site::Site;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The routes of the metrics' own listener: without a key where only this machine can ask.
pub(crate) fn router(site: &Arc<Site>, open: bool) -> Router {
    let metrics = if open { get(answer) } else { get(metrics) };
    Router::new().route("/metrics", metrics).with_state(site.clone())
}

/// GET /metrics for whoever administers.
pub(crate) async fn metrics(State(site): State<Arc<Site>>, visit: Visit) -> Response {
    match Administrator::admitted(&site, visit).await {
        Ok((_, call)) => answer(State(site), call.visit).await,
        Err(refused) => *refused,
    }
}

async fn answer(State(site): State<Arc<Site>>, visit: Visit) -> Response {
    site.metrics.gauges.read(&site).await;
    let mut text = String::new();
    if encode(&mut text, &site.metrics.registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let accept = visit.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (kind, text) = if accept.contains("application/openmetrics-text") {
        (OPEN_METRICS, text)
    } else {
        (PLAIN, plain(&text))
    };
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}
