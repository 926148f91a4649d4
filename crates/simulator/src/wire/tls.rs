use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Peer, Wire};

/// A client that is slower than this at its handshake is none.
const HANDSHAKE: Duration = Duration::from_secs(10);

type Shaken = Pin<Box<dyn Future<Output = Option<(TlsStream<Wire>, SocketAddr)>> + Send>>;

/// A listener like [`Wires`](super::Wires), over TLS. Handshakes run beside each other: a client that says nothing
/// holds up nobody.
pub(crate) struct SecureWires {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    under_way: FuturesUnordered<Shaken>,
}

impl SecureWires {
    pub(crate) fn new(listener: TcpListener, server: Arc<ServerConfig>) -> Self {
        Self { listener, acceptor: TlsAcceptor::from(server), under_way: FuturesUnordered::new() }
    }
}

impl Listener for SecureWires {
    type Io = TlsStream<Wire>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            tokio::select! {
                (stream, peer) = <TcpListener as Listener>::accept(&mut self.listener) => {
                    let handshake = self.acceptor.accept(Wire::new(stream));
                    self.under_way.push(Box::pin(async move {
                        // Who breaks off (a client that does not trust the certificate) is simply gone.
                        let stream = tokio::time::timeout(HANDSHAKE, handshake).await.ok()?.ok()?;
                        Some((stream, peer))
                    }));
                }
                Some(shaken) = self.under_way.next() => {
                    if let Some(shaken) = shaken {
                        return shaken;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, SecureWires>> for Peer {
    fn connect_info(stream: IncomingStream<'_, SecureWires>) -> Self {
        Self::new(stream.remote_addr(), stream.io().get_ref().0, "https")
    }
}
