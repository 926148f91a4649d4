use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use wecom_login_simulator::sample;

use crate::world::{API, BROWSER_COOKIE, SESSION_COOKIE, world};

fn calls(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    expected.iter().map(|(call, count)| ((*call).to_owned(), *count)).collect()
}

#[tokio::test]
async fn a_new_member_costs_two_calls_and_a_token_and_a_known_one_costs_one() {
    let world = world().start().await;
    let browser = world.browser();
    let page = world.sign_in(&browser, "zhangsan").await;
    assert_eq!((page.status.as_u16(), page.location()), (303, "/"));
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
    assert_eq!(world.wecom.calls(), calls(&[("gettoken", 1), ("auth/getuserinfo", 1), ("user/get", 1)]));

    world.wecom.reset_calls();
    world.sign_in(&world.browser(), "zhangsan").await;
    assert_eq!(world.wecom.calls(), calls(&[("auth/getuserinfo", 1)]));
}

#[tokio::test]
async fn a_row_is_trusted_for_ten_minutes_while_nobody_watches_the_company() {
    let world = world().start().await;
    world.sign_in(&world.browser(), "zhangsan").await;
    world
        .wecom
        .edit(sample::CORP_ID, |company| {
            company.edit_member("zhangsan", |member| member.name = "张三丰".into())
        })
        .unwrap();
    world.advance(Duration::from_secs(599));
    world.wecom.reset_calls();

    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    assert_eq!(world.wecom.calls_of("user/get"), 0);
    world.advance(Duration::from_secs(1));
    world.sign_in(&browser, "zhangsan").await;
    assert_eq!(world.wecom.calls_of("user/get"), 1);
    assert_eq!(browser.get_json("/me").await.json()["name"], "张三丰");
}

#[tokio::test]
async fn a_shorter_trust_can_be_asked_for() {
    let world = world().config(json!({"userFreshFor": "0s"})).start().await;
    world.sign_in(&world.browser(), "zhangsan").await;
    world.sign_in(&world.browser(), "zhangsan").await;
    assert_eq!(world.wecom.calls_of("user/get"), 2);
}

#[tokio::test]
async fn a_new_sign_in_has_a_new_token_and_ends_the_former_session() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let former = browser.cookie(SESSION_COOKIE).unwrap();
    world.sign_in(&browser, "zhangsan").await;
    assert_ne!(browser.cookie(SESSION_COOKIE).unwrap(), former);
    let copy = world.browser();
    copy.set_cookie(SESSION_COOKIE, &former);
    assert_eq!(copy.me().await, None);
}

#[tokio::test]
async fn signing_out_ends_every_copy_of_the_session() {
    let world = world().start().await;
    let (browser, copy) = (world.browser(), world.browser());
    world.sign_in(&browser, "zhangsan").await;
    copy.set_cookie(SESSION_COOKIE, &browser.cookie(SESSION_COOKIE).unwrap());
    assert_eq!(copy.me().await.as_deref(), Some("zhangsan"));
    let page = browser.post_json("/logout", &json!({})).await;
    assert_eq!((page.status.as_u16(), page.text.as_str()), (200, "{}"));
    assert_eq!((browser.cookie(SESSION_COOKIE), copy.me().await), (None, None));
}

#[tokio::test]
async fn a_session_ends_after_a_day_without_use() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    world.advance(Duration::from_hours(23));
    assert!(browser.me().await.is_some());
    world.advance(Duration::from_hours(24));
    assert_eq!(browser.me().await, None);
}

#[tokio::test]
async fn a_restart_keeps_sessions_states_and_the_key() {
    let mut world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    browser.get(&redirect).await;
    let cookies = [SESSION_COOKIE, BROWSER_COOKIE].map(|name| (name, browser.cookie(name).unwrap()));
    let open = world.state(&browser).await;

    world.restart().await;
    let browser = world.browser();
    for (name, value) in &cookies {
        browser.set_cookie(name, value);
    }
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
    let again = browser.get(&redirect).await;
    assert_eq!(again.location(), "/", "the outcome, sealed in the database, still opens");
    assert_eq!(browser.cookie(SESSION_COOKIE).as_ref(), Some(&cookies[0].1));
    browser.get(&crate::world::redirect(&world.code("lisi"), &open)).await;
    assert_eq!(browser.me().await.as_deref(), Some("lisi"));
}

#[tokio::test]
async fn the_page_of_the_app_finishes_the_sign_in_through_the_api() {
    let world = world().start().await;
    let browser = world.browser();
    let state = world.state(&browser).await;
    let body = json!({"authCode": world.code("zhangsan"), "state": state});
    let answer = browser.post_json(&format!("{API}/getLoginCode"), &body).await.json();
    assert_eq!(answer["errcode"], 0, "{answer}");
    assert_eq!((&answer["data"]["userId"], &answer["data"]["name"]), (&json!("zhangsan"), &json!("张三")));
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

#[tokio::test]
async fn tokens_in_the_database_are_hashes_and_sealed() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let token = browser.cookie(SESSION_COOKIE).unwrap();
    let cookie = browser.cookie(BROWSER_COOKIE).unwrap();
    for file in std::fs::read_dir(world.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [token.as_bytes(), cookie.as_bytes(), sample::SECRET.as_bytes()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }
}
