//! The platform's envelope: errcode, errmsg, requestId, sysTime, duration, data.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::http::request::RequestContext;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    errcode: i64,
    errmsg: Option<&'a str>,
    request_id: &'a str,
    /// Milliseconds since the Unix epoch.
    sys_time: i64,
    /// Microseconds.
    duration: u64,
    data: Value,
    /// The token pair of a bearer session, in addition to the function's result.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Value>,
}

pub(crate) fn success(context: &RequestContext, data: Value) -> Response {
    answer(context, StatusCode::OK, 0, None, data, None)
}

/// A success with the token pair of a bearer session.
pub(crate) fn success_with_pair(context: &RequestContext, data: Value, pair: Value) -> Response {
    answer(context, StatusCode::OK, 0, None, data, Some(pair))
}

/// A failure, with the reason in the caller's language.
pub(crate) fn failure(context: &RequestContext, status: StatusCode, errcode: i64, reason: &str) -> Response {
    answer(context, status, errcode, Some(reason), json!({}), None)
}

fn answer(
    context: &RequestContext,
    status: StatusCode,
    errcode: i64,
    errmsg: Option<&str>,
    data: Value,
    session: Option<Value>,
) -> Response {
    let envelope = Envelope {
        errcode,
        errmsg,
        request_id: context.request_id.as_str(),
        sys_time: context.received_at.as_millis(),
        duration: u64::try_from(context.began.elapsed().as_micros()).unwrap_or(u64::MAX),
        data,
        session,
    };
    (status, Json(envelope)).into_response()
}
