//! The size of a request's head: its request line and its headers.

use axum::http::{HeaderMap, Method, Uri};

use crate::http::error_numbers::{ADDRESS_TOO_LONG, HEAD_TOO_LARGE};
use crate::http::rejection::Rejection;

/// The largest head of a request, in bytes.
pub(crate) const LARGEST_HEAD: usize = 32 * 1024;

/// Refuses a head above the limit: with 414 if the address alone is above it, otherwise with 431.
pub(crate) fn check(uri: &Uri, method: &Method, headers: &HeaderMap) -> Result<(), Rejection> {
    let address = length(uri);
    if address > LARGEST_HEAD {
        return Err(Rejection::of(ADDRESS_TOO_LONG).home());
    }
    let request_line = method.as_str().len() + " ".len() + address + " HTTP/1.1\r\n".len();
    let headers: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + ": ".len() + value.len() + "\r\n".len())
        .sum();
    if request_line + headers + "\r\n".len() > LARGEST_HEAD {
        return Err(Rejection::of(HEAD_TOO_LARGE).home());
    }
    Ok(())
}

/// The length of an address as the client sent it: a path with its query, or a whole URL (RFC 9112, 3.2).
fn length(uri: &Uri) -> usize {
    let scheme = uri.scheme_str().map_or(0, |scheme| scheme.len() + "://".len());
    let authority = uri.authority().map_or(0, |authority| authority.as_str().len());
    scheme + authority + uri.path_and_query().map_or(0, |path| path.as_str().len())
}
