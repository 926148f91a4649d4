//! Access tokens: the same while valid, two hours, and every way to lose one early.

use std::time::Duration;

use wecom_login_simulator::{Renewal, Simulator, sample};

use crate::browser::{get, old_token, start, token};

async fn errcode(sim: &Simulator, token: &str) -> i64 {
    get(sim, &format!("/cgi-bin/department/list?access_token={token}")).await.errcode()
}

async fn expires_in(sim: &Simulator) -> u64 {
    let path = format!("/cgi-bin/gettoken?corpid={}&corpsecret={}", sample::CORP_ID, sample::SECRET);
    get(sim, &path).await.json()["expires_in"].as_u64().unwrap()
}

#[tokio::test]
async fn the_same_token_while_it_is_valid() {
    let sim = start().await;
    let first = token(&sim).await;
    sim.advance(Duration::from_secs(7000));
    assert_eq!(token(&sim).await, first);
    assert!((100..=200).contains(&expires_in(&sim).await));
    sim.advance(Duration::from_secs(200));
    assert_eq!(errcode(&sim, &first).await, 42001);
    let second = token(&sim).await;
    assert_ne!(second, first);
    assert_eq!(errcode(&sim, &second).await, 0);
    sim.advance(Duration::from_hours(48));
    token(&sim).await;
    assert_eq!(errcode(&sim, &first).await, 40014);
}

#[tokio::test]
async fn each_app_has_its_own() {
    let sim = start().await;
    assert_ne!(token(&sim).await, old_token(&sim).await);
}

#[tokio::test]
async fn renewal_can_give_a_new_one_each_time() {
    let sim = start().await;
    sim.behave(|behaviour| behaviour.renewal = Renewal::New);
    let (first, second) = (token(&sim).await, token(&sim).await);
    assert_ne!(first, second);
    assert_eq!((errcode(&sim, &first).await, errcode(&sim, &second).await), (0, 0));
    sim.behave(|behaviour| behaviour.renewal = Renewal::NewAndRevokeOld);
    let third = token(&sim).await;
    assert_eq!((errcode(&sim, &second).await, errcode(&sim, &third).await), (40014, 0));
}

#[tokio::test]
async fn rotating_keeps_the_old_one_alive() {
    let sim = start().await;
    let first = token(&sim).await;
    sim.rotate_tokens();
    assert_ne!(token(&sim).await, first);
    assert_eq!(errcode(&sim, &first).await, 0);
}

#[tokio::test]
async fn too_many_wrong_secrets_close_the_door_for_an_hour() {
    let sim = start().await;
    sim.behave(|behaviour| behaviour.wrong_secrets = 3);
    let attempt = async |secret: &str| {
        let path = format!("/cgi-bin/gettoken?corpid={}&corpsecret={secret}", sample::CORP_ID);
        get(&sim, &path).await.errcode()
    };
    for _ in 0..3 {
        assert_eq!(attempt("wrong").await, 40001);
    }
    assert_eq!(attempt(sample::SECRET).await, 45009);
    sim.advance(Duration::from_secs(3500));
    assert_eq!(attempt(sample::SECRET).await, 45009);
    sim.advance(Duration::from_secs(100));
    assert_eq!(attempt(sample::SECRET).await, 0);
    assert_eq!(attempt("wrong").await, 40001);
}
