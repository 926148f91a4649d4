//! /console: administration.

pub(crate) mod accounts;
pub(crate) mod sync;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Map, Value};
use wecom_login_element::Code;
use wecom_login_login::Refusal;

use crate::administrator::Administrator;
use crate::envelope::Call;
use crate::problem;
use crate::problems::explain;
use crate::request::Visit;
use crate::site::Site;

/// An administrator's call.
#[derive(Debug)]
pub(crate) struct Console {
    call: Call,
    by: Administrator,
}

impl FromRequestParts<Arc<Site>> for Console {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let by = Administrator::from_request_parts(parts, site).await?;
        Ok(Self {
            call: Call { visit: Visit::new(parts, site), now: site.clock.now(), began: Instant::now() },
            by,
        })
    }
}

impl Console {
    fn failed(&self, error: impl Into<Refusal>) -> Response {
        let refusal = error.into();
        problem::log(&self.call.visit, &refusal);
        self.call.problem(StatusCode::SERVICE_UNAVAILABLE, refusal.code())
    }

    fn bad(&self, number: i64, detail: &str) -> Response {
        let meaning = explain(number).meaning.text(self.call.visit.language);
        self.call.answer_code(StatusCode::BAD_REQUEST, &Code::new(number, format!("{meaning} ({detail})")))
    }
}

fn known(arguments: &Map<String, Value>, names: &[&str]) -> Result<(), String> {
    match arguments.keys().find(|key| !names.contains(&key.as_str())) {
        None => Ok(()),
        Some(_) => Err(format!("known are {}", names.join(", "))),
    }
}

fn text(arguments: &Map<String, Value>, name: &str) -> Result<String, String> {
    arguments.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("{name}: a string"))
}
