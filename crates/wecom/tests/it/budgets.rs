//! A sign-in gets a result in time, a background job waits for quota.

use std::time::Duration;

use wecom::UserId;
use wecom::{AuthCode, Budget};

use crate::script::{Gate, WeCom, json, member, refuse, token};

fn patient() -> Budget {
    Budget::background().first_pause(Duration::from_millis(1)).longest_pause(Duration::from_millis(2))
}

fn user() -> UserId {
    UserId::parse("zhangsan").unwrap()
}

#[tokio::test]
async fn a_sign_in_ends_at_its_deadline_wherever_it_hangs() {
    for hanging in ["gettoken", "auth/getuserinfo"] {
        let gate = Gate::closed();
        let held = gate.clone();
        let wecom = WeCom::with(move |seen| {
            let reply = if seen.path == "gettoken" { token("T1") } else { member() };
            if seen.path == hanging { held.then(reply) } else { reply }
        })
        .await;
        let client = wecom.client();
        if hanging != "gettoken" {
            client.within(Budget::background()).access_token().await.unwrap();
        }
        let calls = client.within(Budget::sign_in_within(Duration::from_millis(50)));
        let error = calls.identify(&AuthCode::parse("CODE").unwrap()).await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(error.call(), Some(hanging));
        gate.open();
    }
}

#[tokio::test]
async fn the_deadline_is_of_all_calls_together() {
    let wecom = WeCom::with_tokens(|_| member()).await;
    let client = wecom.client();
    client.within(Budget::sign_in()).access_token().await.unwrap();
    let spent = client.within(Budget::sign_in_within(Duration::ZERO));
    for _ in 0..2 {
        assert!(spent.user(&user()).await.unwrap_err().is_timeout());
    }
}

#[tokio::test]
async fn a_sign_in_asks_a_busy_wecom_twice() {
    let wecom = WeCom::with_tokens(|_| refuse(-1)).await;
    let calls = wecom.client().within(Budget::sign_in());
    let error = calls.identify(&AuthCode::parse("CODE").unwrap()).await.unwrap_err();
    assert!(error.is_busy() && error.is_transient());
    assert_eq!(wecom.count("auth/getuserinfo"), 2);

    let recovers = WeCom::with_tokens(|seen| if seen.nth == 1 { refuse(-1) } else { member() }).await;
    let calls = recovers.client().within(Budget::sign_in());
    calls.identify(&AuthCode::parse("CODE").unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_asks_a_busy_wecom_for_a_token_twice() {
    let wecom = WeCom::with(|_| refuse(-1)).await;
    assert!(wecom.client().within(Budget::sign_in()).user(&user()).await.unwrap_err().is_busy());
    assert_eq!(wecom.count("gettoken"), 2);
}

#[rstest::rstest]
#[case(45009)]
#[case(45033)]
#[tokio::test]
async fn a_sign_in_fails_at_once_at_a_rate_limit(#[case] errcode: i64) {
    let wecom = WeCom::with_tokens(move |_| refuse(errcode)).await;
    let calls = wecom.client().within(Budget::sign_in());
    let error = calls.user(&user()).await.unwrap_err();
    assert!(error.is_rate_limited() && error.is_transient());
    assert_eq!(wecom.count("user/get"), 1);
}

#[rstest::rstest]
#[case(-1)]
#[case(45009)]
#[case(45033)]
#[tokio::test]
async fn a_background_job_waits_and_goes_on(#[case] errcode: i64) {
    let wecom = WeCom::with(move |seen| match (seen.path.as_str(), seen.nth) {
        (_, 1..=5) => refuse(errcode),
        ("gettoken", _) => token("T1"),
        _ => member(),
    })
    .await;
    wecom.client().within(patient()).user(&user()).await.unwrap();
    assert_eq!((wecom.count("gettoken"), wecom.count("user/get")), (6, 6));
}

#[tokio::test]
async fn patience_has_an_end() {
    let wecom = WeCom::with_tokens(|_| refuse(45009)).await;
    let budget = patient().patience(Duration::from_millis(20));
    assert!(wecom.client().within(budget).user(&user()).await.unwrap_err().is_rate_limited());
    let asked = wecom.count("user/get");
    // Pauses of 0.5 to 2 ms, 20 ms in all.
    assert!((10..=42).contains(&asked), "{asked}");
}

#[tokio::test]
async fn what_will_not_pass_is_not_waited_out() {
    for errcode in [40001, 40029, 60111, 60020, 48002] {
        let wecom = WeCom::with_tokens(move |_| json(format!(r#"{{"errcode":{errcode}}}"#))).await;
        let error = wecom.client().within(patient()).user(&user()).await.unwrap_err();
        assert_eq!((error.errcode(), wecom.count("user/get")), (Some(errcode), 1));
    }
}

#[tokio::test]
async fn a_job_waits_for_calls_to_spare_no_longer_than_its_patience() {
    let wecom = WeCom::with_tokens(|_| member()).await;
    let client = wecom.client();
    // A call without time left is counted and not made.
    let spent = client.within(Budget::sign_in_within(Duration::ZERO));
    for _ in 0..8_000 {
        assert!(spent.user(&user()).await.unwrap_err().is_timeout());
    }
    let impatient = client.within(Budget::background().patience(Duration::from_secs(5)));
    let error = impatient.user(&user()).await.unwrap_err();
    assert!(error.is_rate_limited() && error.is_transient() && error.errcode().is_none(), "{error:?}");
    let free_in = error.free_in().unwrap();
    assert!(free_in > Duration::from_secs(5) && free_in <= Duration::from_secs(61), "{free_in:?}");
    assert!(error.to_string().contains("no more calls of this kind to spare for"), "{error}");
    assert_eq!(wecom.count("user/get"), 0, "it was not made");
    impatient.simple_users_in(wecom::DepartmentId(1)).await.unwrap();
    assert_eq!(wecom.count("user/simplelist"), 1, "other calls have room");
    client.within(Budget::sign_in()).user(&user()).await.unwrap();
}
