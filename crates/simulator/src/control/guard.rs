use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use url::Url;

use super::input::Refused;
use crate::header_bytes::text;

/// Lets only the machine's own programs control the simulator: a web page that points its name at 127.0.0.1
/// (DNS rebinding) shows that name as Host, and a page that posts across sites shows its Origin.
pub(super) async fn loopback_only(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = text(headers, header::HOST).map(|host| format!("http://{host}/"));
    let origin = text(headers, header::ORIGIN);
    if host.as_deref().is_some_and(is_loopback) && origin.as_deref().is_none_or(is_loopback) {
        return next.run(request).await;
    }
    Refused(StatusCode::FORBIDDEN, "/_sim/ answers to localhost, 127.0.0.1 and [::1] only".to_owned())
        .into_response()
}

fn is_loopback(url: &str) -> bool {
    Url::parse(url)
        .ok()
        .is_some_and(|url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")))
}
