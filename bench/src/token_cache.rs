//! Measures the cost of a cached access token, compared with two alternatives: an `Arc` clone, and a read behind a Tokio
//! mutex. Fails above 1 µs.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a benchmark prints, and ends where it cannot measure"
)]

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use wecom::{Budget, Client, Endpoints};
use wecom_login_model::{CorpId, Secret};

const ROUNDS: u32 = 7;
const CALLS: u32 = 300_000;
const LIMIT_NS: f64 = 1000.0;

/// Serves one token of the maximum length, 512 bytes (WeCom 91039).
async fn serve_token(listener: TcpListener) {
    let body = format!(r#"{{"errcode":0,"access_token":"{}","expires_in":7200}}"#, "t".repeat(512));
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    while let Ok((mut stream, _)) = listener.accept().await {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

/// The best of the rounds, in nanoseconds per call, because disturbances only make a round slower.
macro_rules! best_ns {
    ($call:expr) => {{
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..CALLS {
                black_box($call);
            }
            best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
        }
        best
    }};
}

#[tokio::main]
pub(crate) async fn run() -> ExitCode {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let base = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(serve_token(listener));
    let client = Client::builder(CorpId::parse("ww1").expect("a corpid"), Secret::new("secret"))
        .endpoints(Endpoints::default().with_api(&base).expect("a loopback base"))
        .build()
        .expect("a client");
    let calls = client.within(Budget::background());
    let token = calls.access_token().await.expect("a token");
    let (shared, guarded) = (Arc::new(token.clone()), Mutex::new(token));

    let cached = best_ns!(calls.access_token().await.expect("the cached token"));
    let arc = best_ns!(Arc::clone(&shared));
    let mutex = best_ns!(guarded.lock().await.clone());
    println!("cached access_token()        {cached:8.1} ns");
    println!("Arc clone                    {arc:8.1} ns   access_token() is {:.1} times that", cached / arc);
    println!(
        "clone behind a tokio::Mutex  {mutex:8.1} ns   access_token() is {:.2} times that",
        cached / mutex
    );
    if cached > LIMIT_NS {
        println!("above the limit of {LIMIT_NS} ns");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
