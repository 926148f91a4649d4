//! Failures on order.

use std::sync::Arc;

use wecom_login_simulator::{Fault, FaultKind, Simulator};

use crate::browser::{Answer, get, redeem, send, start, token};

async fn redeem_raw(sim: &Simulator, token: &str, code: &str) -> std::io::Result<Answer> {
    let path = format!("/cgi-bin/auth/getuserinfo?access_token={token}&code={code}");
    send(sim, "GET", &path, &[], "").await
}

fn hit(kind: FaultKind) -> Fault {
    Fault::new("auth/getuserinfo", kind).times(1)
}

#[tokio::test]
async fn what_is_not_handled_leaves_the_code_unused() {
    let sim = start().await;
    let (token, code) = (token(&sim).await, sim.code_for("lisi"));

    sim.fault(hit(FaultKind::Errcode { code: -1 }));
    assert_eq!(redeem_raw(&sim, &token, &code).await.unwrap().errcode(), -1);

    sim.fault(hit(FaultKind::Status { code: 502 }));
    let answer = redeem_raw(&sim, &token, &code).await.unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (502, "text/html"));

    sim.fault(hit(FaultKind::WrongJson));
    let answer = redeem_raw(&sim, &token, &code).await.unwrap();
    assert_eq!((answer.status, answer.body.starts_with('<')), (200, true));

    sim.fault(hit(FaultKind::Reset));
    let error = redeem_raw(&sim, &token, &code).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);

    sim.fault(hit(FaultKind::Latency { ms: 1 }));
    assert_eq!(redeem_raw(&sim, &token, &code).await.unwrap().json()["userid"], "lisi");
    assert_eq!(sim.calls_of("auth/getuserinfo"), 5);
}

#[tokio::test]
async fn a_cut_answer_announces_more_than_it_brings_and_used_the_code() {
    let sim = start().await;
    let (token, code) = (token(&sim).await, sim.code_for("lisi"));
    sim.fault(hit(FaultKind::CutBody));
    let answer = redeem_raw(&sim, &token, &code).await.unwrap();
    let announced: usize = answer.header("content-length").parse().unwrap();
    assert_eq!(answer.body.len(), announced / 2);
    assert_eq!(redeem_raw(&sim, &token, &code).await.unwrap().errcode(), 40029);
}

#[tokio::test]
async fn held_calls_go_on_when_the_faults_are_cleared() {
    let sim = Arc::new(start().await);
    let code = sim.code_for("lisi");
    sim.fault(Fault::new("auth/getuserinfo", FaultKind::Hang));
    let held = tokio::spawn({
        let sim = Arc::clone(&sim);
        async move { redeem(&sim, &code).await }
    });
    sim.held(1).await;
    assert_eq!(sim.held_now(), 1);
    let listed = get(&sim, "/_sim/faults").await.json();
    assert_eq!(listed["held"], 1);
    sim.clear_faults();
    assert_eq!(held.await.unwrap()["userid"], "lisi");
    assert_eq!(sim.held_now(), 0);
}

#[tokio::test]
async fn a_caller_who_gives_up_is_no_longer_held() {
    let sim = Arc::new(start().await);
    sim.fault(Fault::new("gettoken", FaultKind::Hang));
    let caller = tokio::spawn({
        let sim = Arc::clone(&sim);
        async move { get(&sim, "/cgi-bin/gettoken").await }
    });
    sim.held(1).await;
    caller.abort();
    sim.held_at_most(0).await;
    assert_eq!(sim.calls_of("gettoken"), 1);
}

#[tokio::test]
async fn faults_hit_their_endpoint_as_often_as_told() {
    let sim = start().await;
    sim.fault(Fault::new("user/get", FaultKind::Errcode { code: 45009 }).times(2));
    sim.fault(Fault::new("*", FaultKind::Errcode { code: -1 }).probability(0.0));
    let errcode = async |endpoint: &str| get(&sim, &format!("/cgi-bin/{endpoint}")).await.errcode();
    assert_eq!(errcode("user/list").await, 41001);
    assert_eq!((errcode("user/get").await, errcode("user/get").await), (45009, 45009));
    assert_eq!(errcode("user/get").await, 41001);
    sim.fault(Fault::new("*", FaultKind::Errcode { code: 6000 }));
    assert_eq!((errcode("user/get").await, errcode("gettoken").await), (6000, 6000));
    sim.clear_faults();
    assert_eq!(errcode("user/get").await, 41001);
}

#[tokio::test]
async fn more_calls_at_once_than_allowed_are_45033() {
    let sim = Arc::new(start().await);
    let token = token(&sim).await;
    sim.behave(|behaviour| behaviour.concurrent_calls = Some(2));
    sim.fault(Fault::new("department/list", FaultKind::Hang));
    let path = format!("/cgi-bin/department/list?access_token={token}");
    let calls: Vec<_> = (0..2)
        .map(|_| {
            let (sim, path) = (Arc::clone(&sim), path.clone());
            tokio::spawn(async move { get(&sim, &path).await.errcode() })
        })
        .collect();
    sim.held(2).await;
    assert_eq!(get(&sim, &path).await.errcode(), 45033);
    let other = get(&sim, &format!("/cgi-bin/department/simplelist?access_token={token}")).await;
    assert_eq!(other.errcode(), 0);
    sim.clear_faults();
    for call in calls {
        assert_eq!(call.await.unwrap(), 0);
    }
    assert_eq!(get(&sim, &path).await.errcode(), 0);
}

#[tokio::test]
async fn stopping_lets_held_calls_go_and_frees_the_port() {
    let sim = start().await;
    let port = sim.port();
    sim.fault(Fault::new("gettoken", FaultKind::Hang));
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = "GET /cgi-bin/gettoken HTTP/1.1\r\nhost: localhost\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    sim.held(1).await;
    sim.shutdown().await;
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
    assert!(answer.contains("41004"), "{answer}");
    let again = wecom_login_simulator::Options { port, ..Default::default() };
    assert_eq!(Simulator::start(again).await.unwrap().port(), port);
}
