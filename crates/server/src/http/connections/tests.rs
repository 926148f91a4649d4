use super::*;
use std::time::Instant;

use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use wecom_login_testkit::wait::{until, within};

use crate::http::head_size::LARGEST_HEAD;

/// More than the buffers of both ends of a connection hold.
const LARGE: usize = 8 * 1024 * 1024;
const CLOSING: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const KEEPING: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const HOSTILE: [u8; 4] = [127, 0, 0, 66];
const HONEST: [u8; 4] = [127, 0, 0, 1];
/// A visitor is answered within this time, whatever others do. The time limits of silent connections are no help: they are
/// longer.
const PROMPTLY: Duration = Duration::from_secs(8);

struct Running {
    address: SocketAddr,
    connections: Arc<Connections>,
    /// A permit lets one `GET /held` be answered.
    held: Arc<Semaphore>,
    stop: CancellationToken,
    done: JoinHandle<()>,
}

async fn run(most: usize, first_head: Duration) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop, held) =
        (listener.local_addr().unwrap(), CancellationToken::new(), Arc::new(Semaphore::new(0)));
    let connections = Arc::new(Connections { first_head, ..Connections::at_most(most) });
    let (large, hold) = (Bytes::from(vec![b'x'; LARGE]), held.clone());
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/large", get(async || large))
        .route("/body", post(async |body: Bytes| body.len().to_string()))
        .route(
            "/held",
            get(async || {
                hold.acquire_owned().await.unwrap().forget();
                "at last"
            }),
        );
    let (serving, closing) = (connections.clone(), stop.clone());
    let done = tokio::spawn(async move { serving.serve(listener, router, &closing).await });
    Running { address, connections, held, stop, done }
}

async fn connect_from(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    within("the connection", socket.connect(to)).await.unwrap()
}

/// Reads until the server closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    within("the end of the connection", stream.read_to_string(&mut text)).await.unwrap();
    text
}

/// Sends `sent`, and reads until the server closes the connection.
async fn all_after(address: SocketAddr, sent: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    rest(stream).await
}

/// Sends a request and reads its answer, whole; the connection stays open.
async fn answered(stream: &mut TcpStream) {
    let answer = answer(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"), "{answer:?}");
}

/// Sends a request and reads its answer. It is empty if the connection was closed without one.
async fn answer(stream: &mut TcpStream) -> String {
    let (mut answer, mut part) = (Vec::new(), [0; 1024]);
    if stream.write_all(KEEPING.as_bytes()).await.is_err() {
        return String::new();
    }
    while !answer.ends_with(b"here") {
        match within("the answer", stream.read(&mut part)).await {
            Ok(read @ 1..) => answer.extend_from_slice(&part[..read]),
            Ok(0) | Err(_) => break,
        }
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn who_says_nothing_or_only_half_a_head_is_left() {
    let running = run(8, Duration::from_millis(50)).await;
    for half in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        assert_eq!(all_after(running.address, half).await, "", "{half:?}");
    }
    let running = run(8, FIRST_HEAD).await;
    assert!(all_after(running.address, CLOSING).await.ends_with("here"));
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(2 * LARGEST_HEAD + 1));
    assert!(all_after(running.address, &endless).await.starts_with("HTTP/1.1 431"));
}

/// A connection on which a client has sent `GET /`; the answer has 1 MiB.
async fn asked() -> (tokio::io::DuplexStream, JoinHandle<()>, Arc<Places>) {
    let (mut client, stream) = tokio::io::duplex(1024);
    let (peer, places) = (SocketAddr::from((HONEST, 1)), Arc::new(Places::new(1)));
    let place = Places::take(&places, peer.ip(), places.make_room().await.unwrap());
    let connection = Connection { place, peer };
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
    assert_eq!(places.open(), 0);
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
async fn no_more_than_the_most_are_open_and_no_answer_is_cut() {
    let running = run(1, FIRST_HEAD).await;
    let first = tokio::spawn(all_after(running.address, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n"));
    until("the first connection is open", async || running.connections.open() == 1).await;
    let mut second = TcpStream::connect(running.address).await.unwrap();
    second.write_all(CLOSING.as_bytes()).await.unwrap();
    // The first connection is asked to leave after its answer. Until then the others wait.
    let mut third = TcpStream::connect(running.address).await.unwrap();
    let wait = tokio::time::timeout(20 * activity::JUST_ANSWERED, second.read(&mut [0; 1])).await;
    assert!(wait.is_err() && !first.is_finished());
    assert_eq!(running.connections.open(), 1);
    running.held.add_permits(1);
    let first = within("the first answer", first).await.unwrap();
    assert!(first.contains("connection: close") && first.ends_with("at last"), "{first}");
    assert!(rest(second).await.ends_with("here"));
    answered(&mut third).await;
}

#[tokio::test]
async fn below_the_limit_one_address_may_have_all_connections() {
    let running = run(64, FIRST_HEAD).await;
    let mut idle = Vec::new();
    for _ in 0..64 {
        let mut stream = connect_from(HONEST, running.address).await;
        answered(&mut stream).await;
        idle.push(stream);
    }
    assert_eq!(running.connections.open(), 64);
    for stream in &mut idle {
        answered(stream).await;
    }
}

/// What a hostile connection does.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Silent,
    /// One byte of a head at a time.
    SlowHead,
    /// One byte of a body at a time.
    SlowBody,
    IdleKeepAlive,
    /// Takes nothing of a large answer.
    NeverReads,
    /// Sends one request after another.
    Busy,
}

const KINDS: [Kind; 6] =
    [Kind::Silent, Kind::SlowHead, Kind::SlowBody, Kind::IdleKeepAlive, Kind::NeverReads, Kind::Busy];

/// A hostile connection; ends when the server closes it.
async fn attack(kind: Kind, address: SocketAddr) {
    let Ok(mut stream) = (async {
        let socket = TcpSocket::new_v4()?;
        socket.bind((HOSTILE, 0).into())?;
        socket.set_recv_buffer_size(4096)?;
        socket.connect(address).await
    })
    .await
    else {
        return;
    };
    let opening: &[u8] = match kind {
        Kind::Silent => b"",
        Kind::SlowHead => b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        Kind::SlowBody => b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n",
        Kind::IdleKeepAlive | Kind::Busy => KEEPING.as_bytes(),
        Kind::NeverReads => b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    let mut part = [0; 1024];
    if stream.write_all(opening).await.is_err() {
        return;
    }
    loop {
        let goes_on = match kind {
            Kind::SlowHead | Kind::SlowBody => {
                tokio::time::sleep(activity::JUST_ANSWERED).await;
                stream.write_all(b"a").await.is_ok()
            }
            Kind::Busy => match stream.read(&mut part).await {
                Ok(0) | Err(_) => false,
                Ok(_) => stream.write_all(KEEPING.as_bytes()).await.is_ok(),
            },
            Kind::Silent | Kind::IdleKeepAlive => matches!(stream.read(&mut part).await, Ok(1..)),
            // The server cannot close such a connection without an error at this end.
            Kind::NeverReads => stream.ready(tokio::io::Interest::ERROR).await.is_err(),
        };
        if !goes_on {
            return;
        }
    }
}

/// F6: 300 hostile connections, each opened again for as long as the visitors come.
async fn visitors_get_in(kinds: &[Kind], most: usize) {
    let running = run(most, FIRST_HEAD).await;
    let (address, over) = (running.address, CancellationToken::new());
    let mut hostile = JoinSet::new();
    for number in 0..300 {
        let (kind, over) = (kinds[number % kinds.len()], over.clone());
        hostile.spawn(async move {
            // Not for ever: each one takes a port.
            for _ in 0..8 {
                tokio::select! {
                    () = attack(kind, address) => {}
                    () = over.cancelled() => return,
                }
            }
        });
    }
    until("all places are taken", async || running.connections.open() >= most.min(300)).await;
    for from in [HONEST, HOSTILE, HONEST, HOSTILE] {
        let began = Instant::now();
        let mut visitor = connect_from(from, address).await;
        answered(&mut visitor).await;
        // A browser uses its connection again, and opens another one if that was closed.
        if answer(&mut visitor).await.is_empty() {
            answered(&mut connect_from(from, address).await).await;
        }
        let took = began.elapsed();
        assert!(took < PROMPTLY, "{kinds:?}, {most} places: a visitor at {from:?} waited {took:?}");
        assert!(running.connections.open() <= most);
    }
    over.cancel();
    hostile.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_hostile_connections_keep_no_visitor_out() {
    for kind in KINDS {
        visitors_get_in(&[kind], 50).await;
    }
    for most in [50, 256] {
        visitors_get_in(&KINDS, most).await;
    }
}

#[tokio::test]
async fn stopping_does_not_wait_for_connections_that_are_idle_or_silent() {
    let running = run(8, FIRST_HEAD).await;
    let silent = TcpStream::connect(running.address).await.unwrap();
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    answered(&mut idle).await;
    running.stop.cancel();
    within("the stop", running.done).await.unwrap();
    assert_eq!(running.connections.open(), 0);
    drop((silent, idle));
    assert!(TcpStream::connect(running.address).await.is_err());
}
