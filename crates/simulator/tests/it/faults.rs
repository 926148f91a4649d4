//! Failures on order.

use std::sync::Arc;
use std::time::Duration;

use wecom_login_simulator::{Damage, DamagedField, Fault, FaultKind, Simulator, sample};

use crate::browser::{Answer, PATIENCE, get, post, redeem, send, start, token, token_of};

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
async fn a_damaged_answer_has_one_text_that_no_json_may_hold() {
    let sim = start().await;
    let path = format!("/cgi-bin/user/get?userid=lisi&access_token={}", token(&sim).await);
    for (by, end) in [
        (Damage::LoneSurrogate, "\\ud83d"),
        (Damage::ControlCharacter, "\u{8}"),
        (Damage::CutUtf8, "\u{fffd}"),
    ] {
        sim.fault(Fault::new("user/get", FaultKind::Damaged { field: DamagedField::Name, by }).times(1));
        let body = get(&sim, &path).await.body;
        assert!(body.contains(&format!("{end}\"")), "{by:?}: {body}");
    }
    assert_eq!(get(&sim, &path).await.errcode(), 0);
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
async fn a_held_answer_is_that_of_a_call_that_was_handled() {
    let sim = Arc::new(start().await);
    let code = sim.code_for("lisi");
    sim.fault(Fault::new("auth/getuserinfo", FaultKind::HoldAnswer).times(1));
    let held = tokio::spawn({
        let (sim, code) = (Arc::clone(&sim), code.clone());
        async move { redeem(&sim, &code).await }
    });
    sim.held(1).await;
    assert_eq!(redeem(&sim, &code).await["errcode"], 40029);
    sim.clear_faults();
    assert_eq!(held.await.unwrap()["userid"], "lisi");
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
async fn a_fault_may_be_of_one_company() {
    let sim = start().await;
    let order = format!(
        r#"{{"endpoint": "*", "corpid": "{}", "kind": "errcode", "code": 45009}}"#,
        sample::SECOND_CORP_ID
    );
    assert_eq!(post(&sim, "/_sim/faults", &order).await.status, 200);
    let secret = async |corp_id: &str, secret: &str| {
        get(&sim, &format!("/cgi-bin/gettoken?corpid={corp_id}&corpsecret={secret}")).await.errcode()
    };
    assert_eq!(secret(sample::SECOND_CORP_ID, sample::SECOND_SECRET).await, 45009);
    assert_eq!(secret(sample::CORP_ID, sample::SECRET).await, 0);
    let unknown = r#"{"endpoint": "*", "corpid": "wwNobody", "kind": "hang"}"#;
    assert_eq!(post(&sim, "/_sim/faults", unknown).await.status, 400);
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
    let end = tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer);
    tokio::time::timeout(PATIENCE, end).await.expect("the connection stays open").unwrap();
    assert!(answer.contains("41004"), "{answer}");
    let again = wecom_login_simulator::Options { port, ..Default::default() };
    assert_eq!(Simulator::start(again).await.unwrap().port(), port);
}

#[tokio::test]
async fn a_company_has_a_budget_per_minute_for_each_endpoint() {
    let sim = start().await;
    sim.behave(|behaviour| behaviour.calls_per_minute = 3);
    let token = token(&sim).await;
    let call = async |path: &str| get(&sim, &format!("/cgi-bin/{path}access_token={token}")).await.errcode();
    for expected in [0, 0, 0, 45009, 45009] {
        assert_eq!(call("user/get?userid=lisi&").await, expected);
    }
    // Another endpoint, another company, and gettoken have their own.
    assert_eq!(call("department/list?").await, 0);
    let other = token_of(&sim, sample::SECOND_CORP_ID, sample::SECOND_SECRET).await;
    assert_eq!(
        get(&sim, &format!("/cgi-bin/user/get?userid=heshui&access_token={other}")).await.errcode(),
        0
    );
    // Good codes do not count, others do.
    for _ in 0..5 {
        let code = sim.code_for("lisi");
        assert_eq!(call(&format!("auth/getuserinfo?code={code}&")).await, 0);
    }
    for expected in [40029, 40029, 40029, 45009] {
        assert_eq!(call("auth/getuserinfo?code=x&").await, expected);
    }
    let code = sim.code_for("lisi");
    assert_eq!(call(&format!("auth/getuserinfo?code={code}&")).await, 0);
    sim.advance(Duration::from_secs(59));
    assert_eq!(call("user/get?userid=lisi&").await, 45009);
    sim.advance(Duration::from_secs(2));
    assert_eq!(call("user/get?userid=lisi&").await, 0);
}

#[tokio::test]
async fn limits_are_ordered_per_endpoint_and_go_with_the_faults() {
    let sim = start().await;
    let token = token(&sim).await;
    let order = r#"[{"endpoint": "user/get", "kind": "per_minute", "limit": 1},
                    {"endpoint": "gettoken", "kind": "per_minute", "limit": 0},
                    {"endpoint": "*", "kind": "concurrent", "limit": 1}]"#;
    assert_eq!(post(&sim, "/_sim/faults", order).await.status, 200);
    let read =
        async || get(&sim, &format!("/cgi-bin/user/get?userid=lisi&access_token={token}")).await.errcode();
    assert_eq!((read().await, read().await), (0, 45009));
    let secret = format!("/cgi-bin/gettoken?corpid={}&corpsecret={}", sample::CORP_ID, sample::SECRET);
    assert_eq!(get(&sim, &secret).await.errcode(), 45009);
    for bad in [
        r#"{"endpoint": "user/get", "kind": "per_minute"}"#,
        r#"{"endpoint": "user/get", "kind": "concurrent", "limit": 1, "times": 2}"#,
        r#"{"endpoint": "user/get", "kind": "concurrent", "limit": 1, "probability": 0.5}"#,
    ] {
        assert_eq!(post(&sim, "/_sim/faults", bad).await.status, 400, "{bad}");
    }
    let listed = get(&sim, "/_sim/faults").await.json();
    assert_eq!(
        listed["faults"][0],
        serde_json::json!({"endpoint": "user/get", "kind": "per_minute", "limit": 1})
    );
    sim.clear_faults();
    assert_eq!(get(&sim, &secret).await.errcode(), 0);
}

#[tokio::test]
async fn calls_at_once_are_counted_for_each_company() {
    let sim = Arc::new(start().await);
    sim.fault(Fault::new("user/get", FaultKind::Concurrent { limit: 1 }));
    sim.fault(Fault::new("user/get", FaultKind::Hang).times(1));
    let token = token(&sim).await;
    let path = format!("/cgi-bin/user/get?userid=lisi&access_token={token}");
    let held = tokio::spawn({
        let (sim, path) = (Arc::clone(&sim), path.clone());
        async move { get(&sim, &path).await.errcode() }
    });
    sim.held(1).await;
    assert_eq!(get(&sim, &path).await.errcode(), 45033);
    let other = token_of(&sim, sample::SECOND_CORP_ID, sample::SECOND_SECRET).await;
    assert_eq!(
        get(&sim, &format!("/cgi-bin/user/get?userid=heshui&access_token={other}")).await.errcode(),
        0
    );
    sim.clear_faults();
    assert_eq!(held.await.unwrap(), 0);
    assert_eq!(get(&sim, &path).await.errcode(), 0);
}
