//! One connection: its time limits and its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::http::connections::activity::GRACE;
use crate::http::connections::observed::{AnswerBody, ObservedStream, RequestBody};
use crate::http::connections::places::Place;
use crate::http::head_size::LARGEST_HEAD;

/// A new connection must send the whole head of a request within this time.
pub(crate) const FIRST_HEAD: Duration = Duration::from_secs(10);
/// The next request on a connection must arrive within this time. Proxies keep unused connections for 60 seconds, and must
/// be the first to close them.
const NEXT_HEAD: Duration = Duration::from_secs(75);
/// A connection whose client reads nothing for this time is dropped.
const STALLED_WRITE: Duration = Duration::from_secs(30);
/// When the server stops, a connection without a request yet gets this time to send one.
const LAST_HEAD: Duration = Duration::from_millis(500);
/// hyper's buffer holds more than the largest head, so that the router sees heads above the limit and refuses them in its own
/// form. Heads that do not fit in the buffer get hyper's empty 431.
const BUFFER: usize = 2 * LARGEST_HEAD;

/// An accepted connection that has a place.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) place: Place,
    pub(crate) peer: SocketAddr,
}

impl Connection {
    /// Serves requests until the client or a time limit ends the connection, it is asked to leave, or `stop` is cancelled.
    pub(crate) async fn serve(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
        service: TowerToHyperService<Router>,
        first_head: Duration,
        stop: CancellationToken,
    ) {
        let (peer, activity) = (self.peer, self.place.activity());
        let answer = service_fn(|request: Request<Incoming>| {
            activity.request_begins();
            let mut request = request.map(|body| RequestBody { body, activity: activity.clone() });
            request.extensions_mut().insert(ConnectInfo(peer));
            let (answer, activity) = (service.call(request), activity.clone());
            async move {
                let mut response = answer.await?;
                if activity.is_leaving() {
                    // hyper closes the connection after this answer.
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<Response<_>, Infallible>(response.map(|body| AnswerBody { body, activity }))
            }
        });
        let mut stream = TimeoutStream::new(ObservedStream { stream, activity: activity.clone() });
        // The timeout ends connections whose client has stopped reading; slow reading is allowed.
        stream.set_write_timeout(Some(STALLED_WRITE));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(NEXT_HEAD)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(Box::pin(stream)), answer);
        let mut connection = std::pin::pin!(connection);
        let mut stopped = std::pin::pin!(stop.clone().cancelled_owned());
        // The runtime reads what has arrived before its timers fire.
        let mut arrival = std::pin::pin!(tokio::time::sleep(GRACE));
        let mut silence = std::pin::pin!(tokio::time::sleep(first_head));
        let (mut settled, mut stopping, mut listening) = (false, false, false);
        loop {
            tokio::select! {
                // First, so that a request which has arrived is seen before the connection leaves as an idle one.
                biased;
                // Errors are not logged: most failed connections were closed by the client.
                _ = &mut connection => return,
                () = &mut arrival, if !settled => {
                    settled = true;
                    activity.settles();
                }
                () = &mut stopped, if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                    if !activity.has_spoken() {
                        silence.as_mut().reset(Instant::now() + LAST_HEAD);
                    }
                }
                () = &mut silence, if !listening => {
                    if !activity.has_spoken() {
                        return;
                    }
                    listening = true;
                }
                () = activity.asked_to_leave() => {
                    if activity.idle_for(Instant::now()).is_some() {
                        return;
                    }
                }
            }
        }
    }
}
