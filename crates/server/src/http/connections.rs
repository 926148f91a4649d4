//! Connections: limits on their number and on the time that a slow client may take. A client that sends nothing, sends one
//! byte at a time or does not read its answer is disconnected within seconds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

/// A new connection must send the whole head of a request within this time.
const FIRST_HEAD: Duration = Duration::from_secs(10);
/// The next request on a connection must arrive within this time. Proxies keep unused connections for 60 seconds, and must
/// be the first to close them.
const NEXT_HEAD: Duration = Duration::from_secs(75);
/// A connection whose client reads nothing for this time is dropped.
const STALLED_WRITE: Duration = Duration::from_secs(30);
/// When the server stops, a connection without a request yet gets this time to send one.
const LAST_HEAD: Duration = Duration::from_millis(500);
/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 32 * 1024;
/// Pause after an accept that failed for lack of a resource, such as file descriptors.
const BREATH: Duration = Duration::from_millis(200);

/// Accepts and serves connections.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    first_head: Duration,
    places: Arc<Semaphore>,
    open: Arc<AtomicUsize>,
}

impl Connections {
    pub(crate) fn at_most(most: usize) -> Self {
        let places = Arc::new(Semaphore::new(most));
        Self { most, first_head: FIRST_HEAD, places, open: Arc::default() }
    }

    /// The number of open connections.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// The limit on open connections.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Accepts connections on `listener` until `stop` is cancelled, then finishes the requests in progress. Returns when all
    /// connections have ended; dropping the future closes the remaining ones.
    pub(crate) async fn serve(&self, listener: TcpListener, router: Router, stop: &CancellationToken) {
        let service = TowerToHyperService::new(router);
        let mut tasks = JoinSet::new();
        let mut stopped = std::pin::pin!(stop.clone().cancelled_owned());
        loop {
            // Above the limit, clients wait in the operating system's queue.
            let next = async {
                let place = self.places.clone().acquire_owned().await;
                (place, listener.accept().await)
            };
            tokio::select! {
                biased;
                () = &mut stopped => break,
                Some(_) = tasks.join_next() => {}
                (place, accepted) = next => match (place, accepted) {
                    (Ok(place), Ok((stream, peer))) => {
                        let _ = stream.set_nodelay(true);
                        let connection = Connection { place, open: self.open.clone(), peer };
                        connection.open.fetch_add(1, Ordering::Relaxed);
                        tasks.spawn(connection.serve(stream, service.clone(), self.first_head, stop.clone()));
                    }
                    (_, Err(error)) if is_of_the_client(&error) => {}
                    (_, Err(error)) => {
                        tracing::error!(%error, "connections cannot be accepted");
                        tokio::time::sleep(BREATH).await;
                    }
                    (Err(_), Ok(_)) => {}
                },
            }
        }
        // From here on the operating system refuses new connections.
        drop(listener);
        while tasks.join_next().await.is_some() {}
    }
}

/// True if the client disconnected before its connection was accepted.
fn is_of_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

struct Connection {
    place: OwnedSemaphorePermit,
    open: Arc<AtomicUsize>,
    peer: SocketAddr,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        let _ = &self.place;
    }
}

impl Connection {
    async fn serve(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        service: TowerToHyperService<Router>,
        first_head: Duration,
        stop: CancellationToken,
    ) {
        let spoken = Arc::new(AtomicBool::new(false));
        let (peer, has_spoken) = (self.peer, spoken.clone());
        let answer = service_fn(move |mut request: Request<Incoming>| {
            has_spoken.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ConnectInfo(peer));
            service.call(request)
        });
        let mut stream = TimeoutStream::new(stream);
        // The timeout ends connections whose client has stopped reading; slow reading is allowed.
        stream.set_write_timeout(Some(STALLED_WRITE));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(NEXT_HEAD)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(Box::pin(stream)), answer);
        let mut connection = std::pin::pin!(connection);
        let (mut stopped, mut silence) =
            (std::pin::pin!(stop.clone().cancelled_owned()), std::pin::pin!(tokio::time::sleep(first_head)));
        let (mut stopping, mut listening) = (false, false);
        loop {
            tokio::select! {
                // Errors are not logged: most failed connections were closed by the client.
                _ = &mut connection => return,
                () = &mut stopped, if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                    if !spoken.load(Ordering::Relaxed) {
                        silence.as_mut().reset(Instant::now() + LAST_HEAD);
                    }
                }
                () = &mut silence, if !listening => {
                    if !spoken.load(Ordering::Relaxed) {
                        return;
                    }
                    listening = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use wecom_login_testkit::wait::{until, within};

    struct Running {
        address: SocketAddr,
        connections: Arc<Connections>,
        stop: CancellationToken,
        done: tokio::task::JoinHandle<()>,
    }

    async fn run(most: usize, first_head: Duration) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let connections = Arc::new(Connections { first_head, ..Connections::at_most(most) });
        let router = Router::new().route("/", get(|| async { "here" }));
        let (serving, closing) = (connections.clone(), stop.clone());
        let done = tokio::spawn(async move { serving.serve(listener, router, &closing).await });
        Running { address, connections, stop, done }
    }

    /// Sends `sent`, and reads until the server closes the connection.
    async fn all_after(address: SocketAddr, sent: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut text = String::new();
        within("the end of the connection", stream.read_to_string(&mut text)).await.unwrap();
        text
    }

    const CLOSING: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    #[tokio::test]
    async fn who_says_nothing_or_only_half_a_head_is_left() {
        let running = run(8, Duration::from_millis(50)).await;
        for half in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
            assert_eq!(all_after(running.address, half).await, "", "{half:?}");
        }
        let running = run(8, FIRST_HEAD).await;
        assert!(all_after(running.address, CLOSING).await.ends_with("here"));
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(LARGEST_HEAD + 1));
        assert!(all_after(running.address, &endless).await.starts_with("HTTP/1.1 431"));
    }

    /// A connection on which a client has sent `GET /`; the answer has 1 MiB.
    async fn asked() -> (tokio::io::DuplexStream, tokio::task::JoinHandle<()>, Arc<Semaphore>) {
        let (mut client, stream) = tokio::io::duplex(1024);
        let places = Arc::new(Semaphore::new(1));
        let place = places.clone().try_acquire_owned().unwrap();
        let connection = Connection { place, open: Arc::new(1.into()), peer: ([127, 0, 0, 1], 1).into() };
        let router = Router::new().route("/", get(|| async { "x".repeat(1024 * 1024) }));
        let served =
            connection.serve(stream, TowerToHyperService::new(router), FIRST_HEAD, CancellationToken::new());
        client.write_all(CLOSING.as_bytes()).await.unwrap();
        (client, tokio::spawn(served), places)
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_the_answer_is_left() {
        let (client, served, places) = asked().await;
        let hour = tokio::time::timeout(Duration::from_hours(1), served).await;
        hour.expect("it would have waited for good").unwrap();
        assert_eq!(places.available_permits(), 1);
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_gets_all_of_it() {
        let (mut client, served, _places) = asked().await;
        let (mut part, mut read) = ([0_u8; 16 * 1024], 0);
        loop {
            tokio::time::sleep(Duration::from_secs(20)).await;
            match client.read(&mut part).await.unwrap() {
                0 => break,
                count => read += count,
            }
        }
        assert!(read > 1024 * 1024, "{read}");
        served.await.unwrap();
    }

    #[tokio::test]
    async fn no_more_than_the_most_are_open_and_the_next_one_waits() {
        let running = run(1, FIRST_HEAD).await;
        let mut first = TcpStream::connect(running.address).await.unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = [0_u8; 12];
        within("the answer", first.read_exact(&mut answer)).await.unwrap();
        assert_eq!((&answer, running.connections.open()), (b"HTTP/1.1 200", 1));
        let second = tokio::spawn(all_after(running.address, CLOSING));
        let places = &running.connections.places;
        until("the second connection has the place", async || places.available_permits() == 0).await;
        assert_eq!(running.connections.open(), 1);
        drop(first);
        assert!(second.await.unwrap().ends_with("here"));
    }

    #[tokio::test]
    async fn stopping_does_not_wait_for_connections_that_are_idle_or_silent() {
        let running = run(8, FIRST_HEAD).await;
        let silent = TcpStream::connect(running.address).await.unwrap();
        let mut idle = TcpStream::connect(running.address).await.unwrap();
        idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = [0_u8; 12];
        within("the answer", idle.read_exact(&mut answer)).await.unwrap();
        running.stop.cancel();
        within("the stop", running.done).await.unwrap();
        assert_eq!(running.connections.open(), 0);
        drop((silent, idle));
        assert!(TcpStream::connect(running.address).await.is_err());
    }
}
