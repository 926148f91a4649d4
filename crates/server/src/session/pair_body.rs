//! The token pair of a bearer session in JSON.

use serde_json::{Map, Value, json};
use wecom_login_model::Timestamp;
use wecom_login_session::{Pair, RefreshToken};

/// The JSON of a token pair. `expiresIn` is the access token's lifetime in seconds.
pub(crate) fn shown(pair: &Pair, now: Timestamp) -> Value {
    json!({
        "accessToken": pair.access.secret().expose(),
        "refreshToken": pair.refresh.secret().expose(),
        "expiresIn": pair.access_until.since(now).as_secs(),
        "tokenType": "Bearer",
    })
}

/// The refresh token in a body, if there is one in our format.
pub(crate) fn refresh_token(body: &Map<String, Value>) -> Option<RefreshToken> {
    body.get("refreshToken").and_then(Value::as_str).and_then(RefreshToken::parse)
}
