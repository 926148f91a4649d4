use axum::http::{HeaderMap, header};
use url::Url;

use crate::header_bytes::text;
use crate::wire::{OFFICIAL_HOSTS, Peer};
use crate::world::Shared;

/// The origin that the visitor sees: links that leave the page (the QR code's) stay on it. Behind the certificate
/// that is WeCom's own. A host that is neither WeCom's nor this machine's is not repeated.
pub(super) fn origin(shared: &Shared, peer: &Peer, headers: &HeaderMap) -> String {
    let host = text(headers, header::HOST).unwrap_or_default();
    let origin = Url::parse(&format!("{}://{host}", peer.scheme)).ok().filter(|url| {
        let local = ["localhost", "127.0.0.1", "[::1]"];
        url.host_str().is_some_and(|host| OFFICIAL_HOSTS.contains(&host) || local.contains(&host))
    });
    origin.map_or_else(|| shared.url.clone(), |url| url.origin().ascii_serialization())
}
