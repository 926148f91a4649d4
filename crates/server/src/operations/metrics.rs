use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::http::header_bytes::text;
use crate::http::request::Context;
use crate::metrics::gauges::Sources;
use crate::operations::audit_file::AuditFile;
use crate::state::AppState;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// GET /metrics
pub(crate) async fn metrics(State(app): State<AppState>, Extension(context): Context) -> Response {
    let operations = &app.operations;
    let loaded = app.apps.loaded();
    let token_times = loaded
        .instances
        .iter()
        .filter_map(|instance| Some((instance.full_name().to_owned(), instance.client().token_issued_at()?)));
    let sources = Sources {
        now: app.config.clock.now(),
        token_times: token_times.collect(),
        connections: (operations.connections.open(), operations.connections.most()),
        sign_ins_under_way: app.identity.login.in_progress(),
        audit_lines_lost: operations.audit_file.as_ref().map_or(0, AuditFile::lost),
        store: &operations.store,
    };
    operations.metrics.gauges.read(sources).await;
    let open = text(&context.headers, header::ACCEPT).contains("application/openmetrics-text");
    let body = if open { operations.metrics.open_metrics() } else { operations.metrics.plain() };
    match body {
        Some(body) => {
            let kind = HeaderValue::from_static(if open { OPEN_METRICS } else { PLAIN });
            ([(header::CONTENT_TYPE, kind)], body).into_response()
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
