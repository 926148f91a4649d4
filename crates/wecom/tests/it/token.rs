//! One token for all callers of a process.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use wecom::{AuthCode, Budget, Transport};
use wecom::{Secret, UserId};

use crate::script::{Gate, WeCom, clock, json, member, refuse, token, until, within};

fn zhangsan() -> UserId {
    UserId::parse("zhangsan").unwrap()
}

#[tokio::test]
async fn a_thousand_cold_callers_fetch_once() {
    let gate = Gate::closed();
    let held = gate.clone();
    let wecom = WeCom::with(move |_| held.then(token("T1"))).await;
    let client = wecom.client();
    let callers = (0..1000).map(|_| {
        let calls = client.within(Budget::background());
        tokio::spawn(async move { calls.access_token().await })
    });
    let callers: Vec<_> = callers.collect();
    wecom.asked("gettoken", 1).await;
    gate.open();
    for answer in within("the token", join_all(callers)).await {
        assert_eq!(answer.unwrap().unwrap(), Secret::new("T1"));
    }
    assert_eq!(wecom.count("gettoken"), 1);
}

/// As many callers as this process may open connections for, at most a thousand.
fn many() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = files.and_then(|line| line.split_whitespace().nth(3)).and_then(|text| text.parse().ok());
    (soft.unwrap_or(1024_usize).saturating_sub(500) / 2).clamp(100, 1000)
}

#[tokio::test]
async fn a_thousand_callers_with_one_dead_token_replace_it_once() {
    let callers = many();
    let all_arrived = Gate::closed();
    let held = all_arrived.clone();
    let wecom = WeCom::with_tokens(move |seen| match seen.get("access_token") {
        "T1" => held.then(refuse(40014)),
        _ => member(),
    })
    .await;
    let client = wecom.client();
    client.within(Budget::background()).access_token().await.unwrap();
    let calls = (0..callers).map(|_| {
        let calls = client.within(Budget::background());
        tokio::spawn(async move { calls.user(&zhangsan()).await })
    });
    let calls: Vec<_> = calls.collect();
    wecom.asked("user/get", callers).await;
    all_arrived.open();
    for answer in within("the answers", join_all(calls)).await {
        answer.unwrap().unwrap();
    }
    assert_eq!(wecom.count("gettoken"), 2, "the first one, and one in its place");
    assert_eq!(wecom.count("user/get"), 2 * callers);
}

#[tokio::test]
async fn a_dead_token_that_comes_again_under_the_same_text_is_fetched_once_too() {
    let gate = Gate::closed();
    let held = gate.clone();
    let wecom = WeCom::with(move |seen| match (seen.path.as_str(), seen.nth) {
        ("gettoken", _) => token("SAME"),
        (_, 1..=50) => held.then(refuse(42001)),
        _ => member(),
    })
    .await;
    let client = wecom.client();
    client.within(Budget::background()).access_token().await.unwrap();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let calls = client.within(Budget::background());
            tokio::spawn(async move { calls.user(&zhangsan()).await })
        })
        .collect();
    wecom.asked("user/get", 50).await;
    gate.open();
    for answer in within("the answers", join_all(calls)).await {
        answer.unwrap().unwrap();
    }
    assert_eq!(wecom.count("gettoken"), 2);
}

#[rstest::rstest]
#[case(40014)]
#[case(42001)]
#[tokio::test]
async fn a_token_error_that_stays_ends_after_one_retry(#[case] errcode: i64) {
    let wecom = WeCom::with_tokens(move |_| refuse(errcode)).await;
    let client = wecom.client();
    let error = client.within(Budget::background()).user(&zhangsan()).await.unwrap_err();
    assert!(error.is_token_invalid());
    assert_eq!((wecom.count("gettoken"), wecom.count("user/get")), (2, 2));
    client.within(Budget::background()).user(&zhangsan()).await.unwrap_err();
    assert_eq!(wecom.count("gettoken"), 3, "one more for one more call, not two");
}

#[tokio::test]
async fn a_code_survives_a_dead_token() {
    let wecom = WeCom::with_tokens(|seen| match seen.get("access_token") {
        "T1" => refuse(42001),
        _ => member(),
    })
    .await;
    let code = AuthCode::parse("CODE").unwrap();
    wecom.client().within(Budget::sign_in()).identify(&code).await.unwrap();
    assert_eq!(wecom.count("auth/getuserinfo"), 2);
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_take_the_answer_along() {
    let gate = Gate::closed();
    let held = gate.clone();
    let wecom = WeCom::with(move |_| held.then(token("T1"))).await;
    let client = wecom.client();
    let first = client.within(Budget::background());
    let first = tokio::spawn(async move { first.access_token().await });
    wecom.asked("gettoken", 1).await;
    let second = client.within(Budget::background());
    let second = tokio::spawn(async move { second.access_token().await });
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    gate.open();
    assert_eq!(within("the token", second).await.unwrap().unwrap(), Secret::new("T1"));
    assert_eq!(wecom.count("gettoken"), 1);
}

#[tokio::test]
async fn an_expired_token_is_not_used() {
    let clock = clock();
    let wecom = WeCom::with_tokens(|_| member()).await;
    let client = wecom.builder().clock(Arc::new(clock.clone())).build().unwrap();
    let calls = client.within(Budget::background());
    assert_eq!(calls.access_token().await.unwrap(), Secret::new("T1"));
    clock.advance(Duration::from_secs(5000));
    assert_eq!(calls.access_token().await.unwrap(), Secret::new("T1"));
    clock.advance(Duration::from_secs(2200));
    assert_eq!(calls.access_token().await.unwrap(), Secret::new("T2"));
    assert_eq!(wecom.count("gettoken"), 2);
}

#[tokio::test]
async fn near_its_end_a_token_is_renewed_while_the_old_one_serves() {
    let clock = clock();
    let gate = Gate::closed();
    let held = gate.clone();
    let wecom = WeCom::with(move |seen| match (seen.path.as_str(), seen.nth) {
        ("gettoken", 1) => token("T1"),
        ("gettoken", _) => held.then(token("T2")),
        _ => member(),
    })
    .await;
    let client = wecom.builder().clock(Arc::new(clock.clone())).build().unwrap();
    let calls = client.within(Budget::background());
    calls.access_token().await.unwrap();
    // Before 80 % of 7200 s nothing happens; from 90 % on the renewal is due, whatever the random fraction is.
    clock.advance(Duration::from_secs(5759));
    calls.access_token().await.unwrap();
    assert_eq!(wecom.count("gettoken"), 1);
    clock.advance(Duration::from_secs(722));
    for _ in 0..100 {
        assert_eq!(calls.access_token().await.unwrap(), Secret::new("T1"), "the old one serves");
    }
    wecom.asked("gettoken", 2).await;
    gate.open();
    until("T2", async || calls.access_token().await.unwrap() == Secret::new("T2")).await;
    assert_eq!(wecom.count("gettoken"), 2);
}

#[tokio::test]
async fn a_renewal_that_fails_is_not_repeated_at_once_and_the_old_token_serves() {
    let clock = clock();
    let wecom = WeCom::with(|seen| match seen.nth {
        1 => token("T1"),
        2 => refuse(45009),
        _ => token("T3"),
    })
    .await;
    let client = wecom.builder().clock(Arc::new(clock.clone())).build().unwrap();
    let calls = client.within(Budget::background());
    calls.access_token().await.unwrap();
    clock.advance(Duration::from_secs(6500));
    calls.access_token().await.unwrap();
    wecom.asked("gettoken", 2).await;
    for _ in 0..100 {
        assert_eq!(calls.access_token().await.unwrap(), Secret::new("T1"));
        tokio::task::yield_now().await;
    }
    assert_eq!(wecom.count("gettoken"), 2);
    clock.advance(Duration::from_secs(30));
    until("T3", async || calls.access_token().await.unwrap() == Secret::new("T3")).await;
    assert_eq!(wecom.count("gettoken"), 3);
}

#[rstest::rstest]
#[case(40001)]
#[case(40013)]
#[case(40091)]
#[tokio::test]
async fn wrong_credentials_are_remembered_for_half_a_minute(#[case] errcode: i64) {
    let clock = clock();
    let wecom = WeCom::with(move |_| refuse(errcode)).await;
    let transport = Transport::builder().build().unwrap();
    let client = || {
        let builder = wecom.builder().clock(Arc::new(clock.clone())).transport(transport.clone());
        builder.build().unwrap()
    };
    let (one, other) = (client(), client());
    for calls in [one.within(Budget::sign_in()), other.within(Budget::background())] {
        let error = calls.access_token().await.unwrap_err();
        assert!(error.is_credentials_wrong() && error.errcode() == Some(errcode), "{error}");
    }
    assert_eq!(wecom.count("gettoken"), 1, "neither retried nor asked by the other client of the process");
    clock.advance(Duration::from_secs(29));
    one.within(Budget::sign_in()).access_token().await.unwrap_err();
    assert_eq!(wecom.count("gettoken"), 1);
    clock.advance(Duration::from_secs(1));
    one.within(Budget::sign_in()).access_token().await.unwrap_err();
    assert_eq!(wecom.count("gettoken"), 2);
}

#[tokio::test]
async fn another_secret_is_not_held_responsible() {
    let wecom = WeCom::with(|seen| match seen.get("corpsecret") {
        "SECRET" => refuse(40001),
        _ => token("T1"),
    })
    .await;
    let transport = Transport::builder().build().unwrap();
    let wrong = wecom.builder().transport(transport.clone()).build().unwrap();
    wrong.within(Budget::sign_in()).access_token().await.unwrap_err();
    let right = wecom::Client::builder(wrong.corp_id().clone(), Secret::new("OTHER"))
        .endpoints(wrong.endpoints().clone())
        .transport(transport)
        .build()
        .unwrap();
    right.within(Budget::sign_in()).access_token().await.unwrap();
    assert_ne!(right.token_key(), wrong.token_key());
}

#[tokio::test]
async fn an_untrusted_address_is_remembered_for_five_seconds() {
    let clock = clock();
    let wecom = WeCom::with_tokens(|_| {
        json(
            r#"{"errcode":60020,"errmsg":"not allow to access from your ip, hint: [1], from ip: 203.0.113.7, more info at x"}"#,
        )
    })
    .await;
    let client = wecom.builder().clock(Arc::new(clock.clone())).build().unwrap();
    let code = AuthCode::parse("CODE").unwrap();
    for _ in 0..3 {
        let error = client.within(Budget::sign_in()).identify(&code).await.unwrap_err();
        assert!(error.is_ip_not_allowed() && error.is_transient());
        assert_eq!(error.caller_ip(), Some("203.0.113.7"));
        client.within(Budget::background()).user(&zhangsan()).await.unwrap_err();
    }
    assert_eq!((wecom.count("auth/getuserinfo"), wecom.count("user/get")), (1, 0));
    clock.advance(Duration::from_secs(5));
    client.within(Budget::sign_in()).identify(&code).await.unwrap_err();
    assert_eq!(wecom.count("auth/getuserinfo"), 2);
}

#[tokio::test]
async fn an_answer_without_a_token_is_an_error() {
    for body in
        [r#"{"errcode":0}"#, r#"{"errcode":0,"access_token":""}"#, r#"{"errcode":0,"access_token":null}"#]
    {
        let wecom = WeCom::with(move |_| json(body)).await;
        let error = wecom.client().within(Budget::sign_in()).access_token().await.unwrap_err();
        assert!(error.to_string().contains("access_token"), "{error}");
    }
}
