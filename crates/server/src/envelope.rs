//! The envelope of element functions: errcode, errmsg, requestId, sysTime, duration, data.

use std::time::Instant;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::{Value, json};
use wecom_login_element::Code;
use wecom_login_model::Timestamp;

use crate::problems::explain;
use crate::request::Visit;

/// One call of a function, to be answered.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) visit: Visit,
    pub(crate) now: Timestamp,
    pub(crate) began: Instant,
}

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
    /// The pair of a bearer session, for a client that asked for one; it stands beside what the function gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Value>,
}

impl Call {
    pub(crate) fn success(&self, data: Value) -> Response {
        self.answer(StatusCode::OK, 0, None, data, None)
    }

    /// A success that begins a bearer session.
    pub(crate) fn success_with_pair(&self, data: Value, pair: Value) -> Response {
        self.answer(StatusCode::OK, 0, None, data, Some(pair))
    }

    /// A failure of the function: HTTP 200, as the platform answers.
    pub(crate) fn failure(&self, code: &Code) -> Response {
        self.answer(StatusCode::OK, code.code, Some(&code.reason), json!({}), None)
    }

    /// A failure of one of our own numbers, in the caller's language.
    pub(crate) fn problem(&self, status: StatusCode, number: i64) -> Response {
        let reason = explain(number).meaning.text(self.visit.language);
        self.answer(status, number, Some(reason), json!({}), None)
    }

    /// A failure with words of its own.
    pub(crate) fn answer_code(&self, status: StatusCode, code: &Code) -> Response {
        self.answer(status, code.code, Some(&code.reason), json!({}), None)
    }

    fn answer(
        &self,
        status: StatusCode,
        errcode: i64,
        errmsg: Option<&str>,
        data: Value,
        session: Option<Value>,
    ) -> Response {
        let envelope = Envelope {
            errcode,
            errmsg,
            request_id: self.visit.request_id.as_str(),
            sys_time: self.now.as_millis(),
            duration: u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX),
            data,
            session,
        };
        (status, Json(envelope)).into_response()
    }
}
