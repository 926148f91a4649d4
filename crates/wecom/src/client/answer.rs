//! Turns bytes into a typed answer. errcode is checked before anything else, because a failure still has the
//! endpoint's fields, empty (WeCom 90313).

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::api::Api;
use crate::client::error::{Kind, Refusal};
use crate::client::transport::Request;
use crate::client::wire;
use crate::{Error, Transport, damage};

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    errcode: Value,
    #[serde(default)]
    errmsg: Value,
}

/// Makes one call, reads its answer and logs one event.
pub(crate) async fn exchange<T: DeserializeOwned>(
    transport: &Transport,
    request: Request<'_>,
) -> Result<T, Error> {
    let (api, secrets) = (request.api, request.secrets);
    let start = tokio::time::Instant::now();
    let result = match transport.exchange(request).await {
        Ok(body) => read(api, &body, secrets),
        Err(error) => Err(error),
    };
    if let Some(observer) = transport.observer() {
        observer.called(api.path, result.as_ref().err(), start.elapsed());
    }
    let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    match &result {
        Ok(_) => tracing::debug!(call = api.path, errcode = 0, duration_ms, "called WeCom"),
        Err(error) => {
            tracing::debug!(call = api.path, errcode = error.errcode(), duration_ms, %error, "called WeCom");
        }
    }
    result
}

/// Reads an answer. `secrets` are those of the request: an answer that echoes them must not put them into an error. An
/// answer with damaged texts is repaired; a well-formed one is read as it came, without a copy.
pub(crate) fn read<T: DeserializeOwned>(
    api: &'static Api,
    body: &[u8],
    secrets: &[&str],
) -> Result<T, Error> {
    let kind = match parse(body, secrets) {
        Ok(answer) => return Ok(answer),
        Err(kind @ Kind::Refused(_)) => kind,
        Err(kind) => match damage::repaired(body) {
            Cow::Borrowed(same) if same.len() == body.len() => kind,
            repaired => match parse(repaired.as_bytes(), secrets) {
                Ok(answer) => {
                    tracing::warn!(
                        call = api.path,
                        "an answer of WeCom had damaged texts, which were repaired"
                    );
                    return Ok(answer);
                }
                Err(kind) => kind,
            },
        },
    };
    Err(Error::of_call(api.path, kind))
}

fn parse<T: DeserializeOwned>(body: &[u8], secrets: &[&str]) -> Result<T, Kind> {
    let head: Head = serde_json::from_slice(body).map_err(|_| Kind::NotJson)?;
    match wire::as_number(&head.errcode) {
        None => Err(Kind::NoErrcode),
        Some(0) => serde_json::from_slice(body).map_err(|_| Kind::Incomplete("field that this call needs")),
        Some(errcode) => {
            let errmsg = head.errmsg.as_str().unwrap_or_default();
            Err(Kind::Refused(Refusal::new(errcode, errmsg, secrets)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::api::USER_GET;

    fn fail(body: &str) -> Error {
        read::<Value>(&USER_GET, body.as_bytes(), &[]).unwrap_err()
    }

    #[test]
    fn errcode_is_checked_before_the_fields_around_it() {
        let error = fail(r#"{"department":[],"errcode":41001,"errmsg":"access_token missing"}"#);
        assert_eq!((error.errcode(), error.errmsg()), (Some(41001), Some("access_token missing")));
        assert_eq!(fail(r#"{"errcode":"40014"}"#).errcode(), Some(40014));
    }

    #[test]
    fn a_refusal_with_a_damaged_text_is_a_refusal() {
        let body = b"{\"errcode\":40058,\"errmsg\":\"\xff\\ud83d\x01 too long, from ip: 203.0.113.7\"}";
        let error = read::<Value>(&USER_GET, body, &[]).unwrap_err();
        assert_eq!((error.errcode(), error.errmsg()), (Some(40058), Some("\u{fffd}\u{fffd} too long")));
        assert_eq!(error.caller_ip(), Some("203.0.113.7"));
    }

    #[test]
    fn an_answer_of_another_server_has_no_errcode() {
        for body in ["", "<html>", "{\"errcode\":0"] {
            let error = fail(body);
            assert!(error.is_unavailable() && error.errcode().is_none(), "{body}: {error}");
            assert!(error.to_string().contains("not JSON"), "{error}");
        }
        for body in ["[]", "{}", r#"{"errcode":null}"#, r#"{"errcode":"x"}"#, r#"{"errcode":[]}"#] {
            assert!(fail(body).to_string().contains("no errcode"), "{body}");
        }
    }
}
