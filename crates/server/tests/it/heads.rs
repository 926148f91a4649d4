//! The size of a request's head, over plain TCP: clients of tests write no heads of an exact size.

use std::fmt::Write as _;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wecom_login_testkit::wait::within;

use crate::world::{API, World, world};

/// The documented limit.
const LARGEST_HEAD: usize = 32_768;

/// The status, the head and the body of an answer.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

async fn send(world: &World, head: &str) -> Answer {
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    within("the answer", stream.read_to_string(&mut text)).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// The head of a request that has exactly this size, by its last header.
fn head_of(size: usize, request_line: &str, headers: &[&str]) -> String {
    let mut head = format!("{request_line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    for header in headers {
        write!(head, "{header}\r\n").unwrap();
    }
    let filling = size - head.len() - "Cookie: a=\r\n\r\n".len();
    write!(head, "Cookie: a={}\r\n\r\n", "x".repeat(filling)).unwrap();
    assert_eq!(head.len(), size);
    head
}

/// F23: heads of 40,000 bytes passed where the documentation says 32 KiB.
#[tokio::test]
async fn a_head_of_32_kib_is_answered_and_one_byte_more_is_refused() {
    let world = world().start().await;
    for (size, status) in [(LARGEST_HEAD, 200), (LARGEST_HEAD + 1, 431), (40_000, 431), (65_000, 431)] {
        for path in ["/healthz", "/login"] {
            let answer = send(&world, &head_of(size, &format!("GET {path}"), &[])).await;
            assert_eq!(answer.status, status, "{size} bytes to {path}");
        }
    }
    // More than the server reads before it decides: the answer has no body.
    let endless = send(&world, &head_of(200_000, "GET /healthz", &[])).await;
    assert_eq!((endless.status, endless.body.as_str()), (431, ""));
}

#[tokio::test]
async fn many_small_headers_count_like_a_large_one() {
    let world = world().start().await;
    let headers: Vec<String> = (0..90).map(|number| format!("X-{number:02}: {}", "y".repeat(400))).collect();
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let answer = send(&world, &head_of(40_000, "GET /healthz", &headers)).await;
    assert_eq!(answer.status, 431);
}

#[tokio::test]
async fn the_refusal_has_the_form_of_its_route() {
    let world = world().start().await;
    let page = send(&world, &head_of(40_000, "GET /login", &["Accept: text/html"])).await;
    assert!(
        page.status == 431 && page.body.contains("710319") && page.body.contains("<html"),
        "{}",
        page.body
    );
    for header in ["x-request-id: ", "content-security-policy: ", "x-content-type-options: nosniff"] {
        assert!(page.head.contains(header), "{header} in {}", page.head);
    }
    let post = format!("POST {API}/getLoginConfig");
    let envelope = send(&world, &head_of(40_000, &post, &["Content-Length: 0"])).await;
    let json: Value = serde_json::from_str(&envelope.body).unwrap();
    assert_eq!((envelope.status, &json["errcode"]), (431, &Value::from(710_319)));
    let elsewhere = send(&world, &head_of(40_000, "GET /no/such/page", &["Accept: text/html"])).await;
    assert!(elsewhere.status == 431 && elsewhere.body.contains("710319"), "{}", elsewhere.body);
}

#[tokio::test]
async fn an_address_that_is_too_long_is_refused_as_one() {
    let world = world().start().await;
    let get = |path: &str, length: usize| {
        let filling = "z".repeat(length - path.len());
        format!("GET {path}{filling} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: text/html\r\n\r\n")
    };
    // The address alone is within the limit, with the rest of the head it is not.
    assert_eq!(send(&world, &get("/login?return_to=/", LARGEST_HEAD)).await.status, 431);
    for path in ["/login?return_to=/", "/no/such/page"] {
        let page = send(&world, &get(path, LARGEST_HEAD + 1)).await;
        assert_eq!(page.status, 414, "{path}");
        assert!(page.body.contains("710320"), "{}", page.body);
        assert!(!page.body.contains("zzz"), "the page repeats the address");
    }
    let short = send(&world, &get("/login?return_to=/", 20_000)).await;
    assert!([200, 400].contains(&short.status), "{}", short.status);
}
