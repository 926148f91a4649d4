use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use wecom_login_model::Secret;
use wecom_login_sign_in::{AuthorizationResponse, BrowserId, StateOwner, Visitor};
use wecom_login_simulator::{Fault, FaultKind, sample};

use wecom_login_testkit::world::{API, SESSION_COOKIE, deliver, redirect, world};

#[tokio::test]
async fn one_after_the_other() {
    let world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    let first = browser.get(&redirect).await;
    let token = browser.cookie(SESSION_COOKIE).unwrap();
    let second = browser.get(&redirect).await;
    assert_eq!((first.location(), second.location()), ("/", "/"));
    assert_eq!(browser.cookie(SESSION_COOKIE).unwrap(), token);
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1);
}

#[tokio::test]
async fn sixty_four_at_the_same_moment() {
    let world = world().start().await;
    let browser = Arc::new(world.browser());
    let redirect: Arc<str> = world.redirect(&browser, "zhangsan").await.into();
    world.wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Hang));
    let mut deliveries = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (browser, redirect) = (browser.clone(), redirect.clone());
        deliveries.spawn(async move {
            let page = browser.send(browser.request(reqwest::Method::GET, &redirect)).await;
            assert_eq!((page.status.as_u16(), page.location()), (303, "/"), "{}", page.text);
            page.header("set-cookie").split(';').next().unwrap().to_owned()
        });
    }
    world.wecom.held(1).await;
    world.wecom.clear_faults();
    let tokens: std::collections::BTreeSet<String> = deliveries.join_all().await.into_iter().collect();
    assert_eq!(tokens.len(), 1, "one session");
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1);
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

/// Calls the library directly: without HTTP in between, many deliveries read the state before one claims it.
#[tokio::test(flavor = "multi_thread")]
async fn sixteen_in_one_breath_again_and_again() {
    let world = world().start().await;
    let browser = BrowserId::of_client(&"b".repeat(32)).unwrap();
    for round in 1..=20 {
        let config = world.login.login_config(&world.instance, StateOwner::Browser(&browser)).unwrap();
        let redirect = AuthorizationResponse {
            instance: world.instance.clone(),
            code: Secret::new(world.code("zhangsan")),
            state: Secret::new(config.state),
            visitor: Arc::new(Visitor::of(browser.clone())),
        };
        let start = Arc::new(tokio::sync::Barrier::new(16));
        let mut deliveries = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let (login, redirect, start) = (world.login.clone(), redirect.clone(), start.clone());
            deliveries.spawn(async move {
                start.wait().await;
                deliver(&login, &redirect).await.unwrap().token
            });
        }
        let tokens = deliveries.join_all().await;
        assert!(tokens.windows(2).all(|pair| pair[0] == pair[1]), "one session");
        assert_eq!(world.wecom.calls_of("auth/getuserinfo"), round);
    }
}

#[tokio::test]
async fn after_signing_out_the_same_redirect_signs_nobody_in() {
    let world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    browser.get(&redirect).await;
    browser.post_json("/logout", &json!({})).await;
    let page = browser.get(&redirect).await;
    assert_eq!((page.status.as_u16(), page.problem()), (400, 710_005));
    assert_eq!(browser.me().await, None);
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1);
}

#[tokio::test]
async fn after_five_minutes_it_is_over() {
    let world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    browser.get(&redirect).await;
    world.advance(Duration::from_secs(299));
    assert_eq!(browser.get(&redirect).await.location(), "/");
    world.advance(Duration::from_secs(1));
    assert_eq!(browser.get(&redirect).await.problem(), 710_005);
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"), "the session itself goes on");
}

#[tokio::test]
async fn by_the_redirect_and_by_the_page() {
    let world = world().start().await;
    let browser = world.browser();
    let (state, code) = (world.state(&browser).await, world.code("zhangsan"));
    browser.get(&redirect(&code, &state)).await;
    let token = browser.cookie(SESSION_COOKIE).unwrap();
    let body = json!({"authCode": code, "state": state});
    let answer = browser.post_json(&format!("{API}/getLoginCode"), &body).await.json();
    assert_eq!((&answer["errcode"], &answer["data"]["userId"]), (&json!(0), &json!("zhangsan")));
    assert_eq!(browser.cookie(SESSION_COOKIE).unwrap(), token);
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1);
}

#[tokio::test]
async fn the_first_delivery_is_abandoned_and_the_second_gets_the_session() {
    let world = world().start().await;
    let browser = Arc::new(world.browser());
    let redirect = world.redirect(&browser, "zhangsan").await;
    world.wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Hang));
    let abandoned = tokio::spawn({
        let (browser, redirect) = (browser.clone(), redirect.clone());
        async move { browser.get(&redirect).await }
    });
    world.wecom.held(1).await;
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    world.wecom.clear_faults();
    assert_eq!(browser.get(&redirect).await.location(), "/");
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1);
}

#[tokio::test]
async fn a_refusal_is_told_again_without_asking_again() {
    let world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, sample::OUT_OF_SCOPE).await;
    for _ in 0..2 {
        assert_eq!(browser.get(&redirect).await.problem(), 60111);
    }
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1);
}

#[tokio::test]
async fn a_second_call_with_wrong_arguments_ends_nothing() {
    let world = world().start().await;
    let browser = world.browser();
    let (state, code) = (world.state(&browser).await, world.code("zhangsan"));
    browser.get(&redirect(&code, &state)).await;
    let body = json!({"authCode": code, "state": state, "unknown": 1});
    let answer = browser.post_json(&format!("{API}/getLoginCode"), &body).await.json();
    assert_eq!(answer["errcode"], 710_308);
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}
