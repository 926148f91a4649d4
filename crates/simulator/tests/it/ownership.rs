//! The console's look at a domain's WW_verify file.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get as on_get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use wecom_login_simulator::Simulator;

use crate::browser::{get, post, start};

async fn verify(sim: &Simulator, body: Value) -> Value {
    post(sim, "/_sim/verify-domain", &body.to_string()).await.json()
}

/// A web server that answers every path with that; gives its `host:port`.
async fn serve(status: u16, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let domain = listener.local_addr().unwrap().to_string();
    let app =
        Router::new().fallback(on_get(async move || (StatusCode::from_u16(status).unwrap(), body.clone())));
    tokio::spawn(async move { axum::serve(listener, app).await });
    domain
}

#[tokio::test]
async fn the_file_must_be_there_to_the_byte() {
    let sim = start().await;
    let file = get(&sim, "/_sim/verify-domain?agentid=1000002").await.json();
    let content = file["content"].as_str().unwrap();
    assert_eq!(content.len(), 16);
    assert_eq!(file["file"], format!("WW_verify_{content}.txt"));
    for (status, body, why) in [
        (404, content.to_owned(), "404"),
        (302, content.to_owned(), "302"),
        (200, format!("{content}\n"), "line end"),
        (200, format!("\u{feff}{content}"), "byte order mark"),
        (200, "something else".to_owned(), "something else"),
    ] {
        let domain = serve(status, body).await;
        let said = verify(&sim, json!({"domain": domain, "agentid": 1_000_002})).await;
        assert_eq!((&said["verified"], &said["errcode"]), (&json!(false), &json!(85005)), "{said}");
        assert!(said["reason"].as_str().unwrap().contains(why), "{said}");
    }
    let domain = serve(200, content.to_owned()).await;
    let said = verify(&sim, json!({"domain": domain, "agentid": "1000002"})).await;
    assert_eq!(said["verified"], true, "{said}");
    let app = get(&sim, "/_sim/apps/1000002").await.json();
    assert!(app["oauth_domains"].as_array().unwrap().contains(&json!(domain)));
    // Another app has another file.
    assert_eq!(verify(&sim, json!({"domain": domain, "agentid": 1_000_001})).await["verified"], false);
}

#[tokio::test]
async fn nobody_but_this_machine_is_asked() {
    let sim = start().await;
    for body in [
        json!({"domain": "portal.example.com"}),
        json!({"domain": "127.0.0.1:1", "scheme": "ftp"}),
        json!({"domain": "127.0.0.1:1/path?"}),
        json!({"domain": "user@127.0.0.1:1"}),
        json!({"domain": "127.0.0.1:1", "agentid": 7}),
    ] {
        assert_eq!(post(&sim, "/_sim/verify-domain", &body.to_string()).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_waited_for_five_seconds() {
    let sim = start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let domain = listener.local_addr().unwrap().to_string();
    let asked = async {
        let _held = listener.accept().await.unwrap();
        sim.advance(Duration::from_secs(5));
        std::future::pending::<Value>().await
    };
    let said = tokio::select! {
        said = verify(&sim, json!({"domain": domain})) => said,
        never = asked => never,
    };
    assert!(said["reason"].as_str().unwrap().contains("5 seconds"), "{said}");
}
