//! Shared parts of the administrators' API: the authenticated call, pagination, and parsing of arguments.

use std::sync::Arc;

use axum::Extension;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Map, Value};

use crate::console::administrator::Administrator;
use crate::http::error_numbers::{ADMINISTRATORS_ONLY, BAD_ARGUMENTS};
use crate::http::rejection::Rejection;
use crate::http::request::{Context, RequestContext};
use crate::state::AppState;

const LARGEST_PAGE: i64 = 500;
const PAGE: i64 = 50;

/// An administrator's call. The border authenticates administrators on the routes that are declared for them; on any other
/// route this extractor refuses.
#[derive(Debug)]
pub(crate) struct Console {
    pub(super) context: Arc<RequestContext>,
    pub(super) by: Administrator,
}

impl FromRequestParts<AppState> for Console {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Rejection> {
        let context = Context::from_request_parts(parts, app).await;
        let by = Extension::<Administrator>::from_request_parts(parts, app).await;
        match (context, by) {
            (Ok(Extension(context)), Ok(Extension(by))) => Ok(Self { context, by }),
            _ => Err(Rejection::of(ADMINISTRATORS_ONLY)),
        }
    }
}

impl Console {
    /// `page`, which starts at 1, and `size`, 50 by default and at most 500.
    pub(super) fn page(&self) -> Result<(i64, i64), Rejection> {
        let number = |name: &str, default: i64, most: i64| match self.context.parameter(name) {
            None => Some(default),
            Some(text) => text.parse().ok().filter(|number| (1..=most).contains(number)),
        };
        // The limit keeps `page * size` from overflowing.
        let (page, size) = (number("page", 1, i64::MAX / LARGEST_PAGE), number("size", PAGE, LARGEST_PAGE));
        page.zip(size).ok_or_else(|| bad_arguments("page: 1.., size: 1..500"))
    }
}

/// Invalid arguments, with a note that says what is valid.
pub(super) fn bad_arguments(note: impl Into<String>) -> Rejection {
    Rejection::of(BAD_ARGUMENTS).note(note)
}

/// Fails if an argument has a name that is not in `names`.
pub(super) fn known(arguments: &Map<String, Value>, names: &[&str]) -> Result<(), Rejection> {
    match arguments.keys().find(|key| !names.contains(&key.as_str())) {
        None => Ok(()),
        Some(_) => Err(bad_arguments(format!("known are {}", names.join(", ")))),
    }
}

/// A required string argument.
pub(super) fn text(arguments: &Map<String, Value>, name: &str) -> Result<String, Rejection> {
    let text = arguments.get(name).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| bad_arguments(format!("{name}: a string")))
}

/// A required argument, parsed into its type.
pub(super) fn parsed<T, E: std::fmt::Display>(
    arguments: &Map<String, Value>,
    name: &str,
    parse: impl FnOnce(String) -> Result<T, E>,
) -> Result<T, Rejection> {
    parse(text(arguments, name)?).map_err(|error| bad_arguments(error.to_string()))
}
