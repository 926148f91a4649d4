//! Request bodies, limited in time and size: a client that sends one byte at a time could otherwise hold its connection for
//! hours.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use crate::http::error_numbers::{BAD_CONTENT_TYPE, BODY_TOO_LARGE, BODY_TOO_SLOW};
use crate::http::header_bytes::{media_type, text};
use crate::http::rejection::Rejection;

/// The largest JSON body, in bytes.
const LARGEST_JSON: usize = 64 * 1024;

/// Time limit of a whole body. The largest one, an account list of 16 MiB, needs at least a quarter of a MiB per second.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    TooSlow,
    /// The client disconnected before the end, or the body is not valid HTTP.
    Broken,
}

/// The body with a time limit: it ends with an error when it takes too long.
pub(crate) fn bounded(body: Body) -> Body {
    bounded_by(body, Instant::now() + PATIENCE)
}

fn bounded_by(body: Body, deadline: Instant) -> Body {
    let chunks = unfold(Some(body.into_data_stream()), move |stream| async move {
        let mut stream = stream?;
        match timeout_at(deadline, stream.next()).await {
            Ok(Some(chunk)) => Some((chunk.map_err(io::Error::other), Some(stream))),
            Ok(None) => None,
            Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), None)),
        }
    });
    Body::from_stream(chunks)
}

/// Reads a whole [`bounded`] body of at most `most` bytes.
pub(crate) async fn read(body: Body, most: usize) -> Result<Vec<u8>, BodyError> {
    let (mut chunks, mut whole) = (body.into_data_stream(), Vec::new());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|error| if is_too_slow(&error) { BodyError::TooSlow } else { BodyError::Broken })?;
        if chunk.len() > most - whole.len() {
            return Err(BodyError::TooLarge);
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

/// The JSON object in the body, at most 64 KiB; an empty body is an empty object.
pub(crate) async fn arguments(request: Request) -> Result<Map<String, Value>, Rejection> {
    let is_json = is_json(request.headers());
    let announced = text(request.headers(), CONTENT_LENGTH).parse();
    if announced.is_ok_and(|length: usize| length > LARGEST_JSON) {
        return Err(Rejection::of(BODY_TOO_LARGE));
    }
    let body = read(request.into_body(), LARGEST_JSON).await.map_err(|problem| match problem {
        BodyError::TooLarge => Rejection::of(BODY_TOO_LARGE),
        BodyError::TooSlow => Rejection::of(BODY_TOO_SLOW),
        BodyError::Broken => Rejection::of(BAD_CONTENT_TYPE),
    })?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    if !is_json {
        return Err(Rejection::of(BAD_CONTENT_TYPE));
    }
    serde_json::from_slice(&body).map_err(|_| Rejection::of(BAD_CONTENT_TYPE))
}

/// True if the Content-Type is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).as_deref() == Some("application/json")
}

fn is_too_slow(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_does_not_end_ends() {
        let endless = futures_util::stream::pending::<Result<Vec<u8>, io::Error>>();
        let body = bounded_by(Body::from_stream(endless), Instant::now());
        assert_eq!(read(body, 1024).await, Err(BodyError::TooSlow));
    }

    #[tokio::test]
    async fn what_is_too_large_and_what_breaks_off_are_told_apart() {
        assert_eq!(read(bounded(Body::from("1234")), 3).await, Err(BodyError::TooLarge));
        assert_eq!(read(bounded(Body::from("123")), 3).await.unwrap(), b"123");
        let parts = [Ok("12"), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
        let body = bounded(Body::from_stream(futures_util::stream::iter(parts)));
        assert_eq!(read(body, 3).await, Err(BodyError::Broken));
    }
}
