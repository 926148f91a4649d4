use axum::Json;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::company::Company;
use crate::events::ChangeRefused;
use crate::world::World;

/// Why a control request was refused, in words for its author.
#[derive(Debug)]
pub(super) struct Refused(pub(super) StatusCode, pub(super) String);

pub(super) type Outcome = Result<Json<Value>, Refused>;

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

impl From<ChangeRefused> for Refused {
    fn from(refused: ChangeRefused) -> Self {
        let status = match refused {
            ChangeRefused::Missing(_) => StatusCode::NOT_FOUND,
            ChangeRefused::Exists(_) => StatusCode::CONFLICT,
            ChangeRefused::Invalid(_) => StatusCode::BAD_REQUEST,
        };
        Self(status, refused.to_string())
    }
}

pub(super) fn bad(text: impl Into<String>) -> Refused {
    Refused(StatusCode::BAD_REQUEST, text.into())
}

pub(super) fn missing(text: impl Into<String>) -> Refused {
    Refused(StatusCode::NOT_FOUND, text.into())
}

pub(super) fn done() -> Json<Value> {
    Json(json!({"ok": true}))
}

/// The body as `T`.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| bad(error.to_string()))
}

/// The body as one `T` or a list of them.
pub(super) fn read_list<T: DeserializeOwned>(body: &Bytes) -> Result<Vec<T>, Refused> {
    let value: Value = read(body)?;
    let list = if let Value::Array(list) = value { list } else { vec![value] };
    list.into_iter().map(|one| serde_json::from_value(one).map_err(|error| bad(error.to_string()))).collect()
}

/// `current` with the keys of the body put over it.
pub(super) fn patched<T: Serialize + DeserializeOwned>(current: &T, body: &Bytes) -> Result<T, Refused> {
    let Value::Object(changes) = read(body)? else { return Err(bad("the body must be a JSON object")) };
    let mut whole = serde_json::to_value(current).map_err(|error| bad(error.to_string()))?;
    if let Value::Object(fields) = &mut whole {
        fields.extend(changes);
    }
    serde_json::from_value(whole).map_err(|error| bad(error.to_string()))
}

/// The company of that id, or the first one where none is named.
pub(super) fn company<'a>(world: &'a mut World, corpid: Option<&str>) -> Result<&'a mut Company, Refused> {
    let first = world.companies().first().map(|company| company.corpid().to_owned());
    let corpid = corpid.map(str::to_owned).or(first).unwrap_or_default();
    world.company_mut(&corpid).ok_or_else(|| bad(format!("there is no company {corpid:?}")))
}
