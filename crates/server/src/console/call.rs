//! What all calls of administrators have in common.

use std::sync::Arc;

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
use crate::problems::{BAD_ARGUMENTS, explain};
use crate::request::Visit;
use crate::site::Site;

const LARGEST_PAGE: i64 = 500;
const PAGE: i64 = 50;

/// An administrator's call; as an extractor it refuses everybody else.
#[derive(Debug)]
pub(super) struct Console {
    pub(super) call: Call,
    pub(super) by: Administrator,
}

impl FromRequestParts<Arc<Site>> for Console {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        match Administrator::admitted(site, Visit::new(parts, site)).await {
            Ok((by, call)) => Ok(Self { call, by }),
            Err(refused) => Err(*refused),
        }
    }
}

impl Console {
    pub(super) fn failed(&self, error: impl Into<Refusal>) -> Response {
        let refusal = error.into();
        problem::log(&self.call.visit, &refusal);
        self.call.problem(StatusCode::SERVICE_UNAVAILABLE, refusal.code())
    }

    /// `page`, which begins at 1, and `size`, which is 50 if it is not told and 500 at most.
    pub(super) fn page(&self) -> Result<(i64, i64), Box<Response>> {
        let number = |name: &str, default: i64, most: i64| match self.call.visit.parameter(name) {
            None => Some(default),
            Some(text) => text.parse().ok().filter(|number| (1..=most).contains(number)),
        };
        // So many pages that no product overflows.
        match (number("page", 1, i64::MAX / LARGEST_PAGE), number("size", PAGE, LARGEST_PAGE)) {
            (Some(page), Some(size)) => Ok((page, size)),
            _ => Err(Box::new(self.bad(BAD_ARGUMENTS, "page: 1.., size: 1..500"))),
        }
    }

    pub(super) fn bad(&self, number: i64, detail: &str) -> Response {
        let meaning = explain(number).meaning.text(self.call.visit.language);
        self.call.answer_code(StatusCode::BAD_REQUEST, &Code::new(number, format!("{meaning} ({detail})")))
    }
}

/// Fails when there is an argument of another name.
pub(super) fn known(arguments: &Map<String, Value>, names: &[&str]) -> Result<(), String> {
    match arguments.keys().find(|key| !names.contains(&key.as_str())) {
        None => Ok(()),
        Some(_) => Err(format!("known are {}", names.join(", "))),
    }
}

/// An argument that must be there.
pub(super) fn text(arguments: &Map<String, Value>, name: &str) -> Result<String, String> {
    arguments.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("{name}: a string"))
}
