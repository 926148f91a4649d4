//! Connections: limits on their number and on the time that a slow client may take.
//!
//! A client that sends nothing, sends one byte at a time or does not read its answer is disconnected within seconds. Below the
//! limit, an address may have any number of connections. At the limit, a new connection takes the place of the one that has
//! waited longest for its client, among those of the address with the most connections. So no number of connections from
//! elsewhere keeps a visitor out, and visitors who share an address with such a client get in too.
//!
//! The address is the peer's. Behind a reverse proxy all connections have the proxy's address. There the longest idle
//! connection of the proxy is closed, which HTTP allows at any time (RFC 9112, 9.3); the proxy opens another one.

mod activity;
mod connection;
mod observed;
mod places;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::http::connections::connection::{Connection, FIRST_HEAD};
use crate::http::connections::places::Places;

/// Pause after an accept that failed for lack of a resource, such as file descriptors.
const BREATH: Duration = Duration::from_millis(200);

/// Accepts and serves connections.
#[derive(Debug)]
pub(crate) struct Connections {
    first_head: Duration,
    places: Arc<Places>,
}

impl Connections {
    pub(crate) fn at_most(most: usize) -> Self {
        Self { first_head: FIRST_HEAD, places: Arc::new(Places::new(most)) }
    }

    /// Lowers the limit.
    pub(crate) fn lower_to(&self, most: usize) {
        self.places.lower_to(most);
    }

    /// The number of open connections.
    pub(crate) fn open(&self) -> usize {
        self.places.open()
    }

    /// The limit on open connections.
    pub(crate) fn most(&self) -> usize {
        self.places.most()
    }

    /// Accepts connections on `listener` until `stop` is cancelled, then finishes the requests in progress. Returns when all
    /// connections have ended; dropping the future closes the remaining ones.
    pub(crate) async fn serve(&self, listener: TcpListener, router: Router, stop: &CancellationToken) {
        let service = TowerToHyperService::new(router);
        let mut tasks = JoinSet::new();
        let mut stopped = std::pin::pin!(stop.clone().cancelled_owned());
        // The connection that waits for a place; more of them wait in the operating system's queue.
        let mut next: Option<(TcpStream, SocketAddr)> = None;
        loop {
            tokio::select! {
                biased;
                () = &mut stopped => break,
                Some(_) = tasks.join_next() => {}
                permit = self.places.make_room(), if next.is_some() => {
                    let (Some(permit), Some((stream, peer))) = (permit, next.take()) else { continue };
                    let connection = Connection { place: Places::take(&self.places, peer.ip(), permit), peer };
                    tasks.spawn(connection.serve(stream, service.clone(), self.first_head, stop.clone()));
                }
                accepted = listener.accept(), if next.is_none() => match accepted {
                    Ok((stream, peer)) => {
                        let _ = stream.set_nodelay(true);
                        next = Some((stream, peer));
                    }
                    Err(error) if is_of_the_client(&error) => {}
                    Err(error) => {
                        tracing::error!(%error, "connections cannot be accepted");
                        tokio::time::sleep(BREATH).await;
                    }
                },
            }
        }
        // From here on the operating system refuses new connections.
        drop((listener, next));
        while tasks.join_next().await.is_some() {}
    }
}

/// True if the client disconnected before its connection was accepted.
fn is_of_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests;
