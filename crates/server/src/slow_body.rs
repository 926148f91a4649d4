//! A request's body must arrive within a bounded time: sizes are bounded where bodies are read, but a client that sends a
//! letter at a time would hold its place for hours.

use std::io;
use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use tokio::time::{Instant, timeout_at};

/// The whole body. The largest one, a list of accounts of 16 MiB, then comes at a quarter of a MiB a second at least.
const PATIENCE: Duration = Duration::from_mins(1);

/// The body, which ends in an error when it takes too long.
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

/// True for the failure of a body that took too long.
pub(crate) fn is_too_slow(error: &axum::Error) -> bool {
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
        let error = axum::body::to_bytes(body, 1024).await.unwrap_err();
        assert!(is_too_slow(&error), "{error:?}");
    }

    #[tokio::test]
    async fn one_that_is_too_large_is_told_apart() {
        let error = axum::body::to_bytes(bounded(Body::from("too long")), 3).await.unwrap_err();
        assert!(!is_too_slow(&error));
        assert_eq!(axum::body::to_bytes(bounded(Body::from("ok")), 3).await.unwrap(), "ok");
    }
}
