use std::time::Duration;

use wecom_login_testkit::world::browser::Browser;
use wecom_login_testkit::world::{SESSION_COOKIE, World, redirect, state_of, world};

async fn return_to_of(world: &World, browser: &Browser, state: &str) -> String {
    browser.get(&redirect(&world.code("zhangsan"), state)).await.location().to_owned()
}

/// Opens the sign-in page and returns the state in its link.
async fn state_of_page(browser: &Browser) -> String {
    let page = browser.get("/login?return_to=/reports").await;
    let (_, rest) = page.text.split_once("&#38;state=").unwrap();
    rest.chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[tokio::test]
async fn an_expired_sign_in_begins_again_and_still_returns_to_where_it_should() {
    let world = world().start().await;
    let browser = world.browser();
    let state = state_of_page(&browser).await;
    world.advance(Duration::from_mins(10));
    let page = browser.get(&redirect(&world.code("zhangsan"), &state)).await;
    assert_eq!(page.status.as_u16(), 303);
    assert!(page.location().starts_with(&format!("{}/wwlogin/sso/login?", world.wecom.url())), "{page:?}");
    assert_eq!((browser.me().await, world.wecom.calls_of("auth/getuserinfo")), (None, 0));

    let fresh = state_of(page.location());
    assert_ne!(fresh, state);
    assert_eq!(return_to_of(&world, &browser, &fresh).await, format!("{}/reports", world.url));
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

#[tokio::test]
async fn one_second_before_it_expires_it_works() {
    let world = world().start().await;
    let browser = world.browser();
    let state = state_of_page(&browser).await;
    world.advance(Duration::from_secs(599));
    assert_eq!(return_to_of(&world, &browser, &state).await, format!("{}/reports", world.url));
}

#[tokio::test]
async fn a_lost_cookie_begins_again_at_most_twice_and_then_is_explained() {
    let world = world().start().await;
    let browser = world.browser();
    let mut state = state_of_page(&browser).await;
    for _ in 0..2 {
        browser.forget_cookies();
        let page = browser.get(&redirect(&world.code("zhangsan"), &state)).await;
        assert_eq!(page.status.as_u16(), 303);
        state = state_of(page.location());
    }
    browser.forget_cookies();
    let page = browser.get(&redirect(&world.code("zhangsan"), &state)).await;
    assert_eq!((page.status.as_u16(), page.problem()), (400, 710_008));
    assert_eq!((browser.cookie(SESSION_COOKIE), world.wecom.calls_of("auth/getuserinfo")), (None, 0));
}

#[tokio::test]
async fn the_other_browser_that_the_desktop_client_opened_goes_on_by_itself() {
    let world = world().start().await;
    let (first, second) = (world.browser(), world.browser());
    let state = state_of_page(&first).await;
    let page = second.get(&redirect(&world.code("zhangsan"), &state)).await;
    let fresh = state_of(page.location());
    // Where the sign-in was to lead is in a cookie of the first browser.
    assert_eq!(return_to_of(&world, &second, &fresh).await, "/");
    assert_eq!((first.me().await, second.me().await.as_deref()), (None, Some("zhangsan")));
}

#[tokio::test]
async fn a_state_that_was_used_does_not_begin_again() {
    let world = world().start().await;
    let (owner, other) = (world.browser(), world.browser());
    let state = state_of_page(&owner).await;
    let code = world.code("zhangsan");
    owner.get(&redirect(&code, &state)).await;
    let page = other.get(&redirect(&code, &state)).await;
    assert_eq!(page.status.as_u16(), 400);
    assert_eq!(other.cookie(SESSION_COOKIE), None);
}

#[tokio::test]
async fn inside_wecom_it_begins_again_inside_wecom() {
    let world = world().start().await;
    let browser = world.browser();
    let state = state_of_page(&browser).await;
    browser.forget_cookies();
    let request = browser
        .request(reqwest::Method::GET, &redirect(&world.code("zhangsan"), &state))
        .header("user-agent", "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 wxwork/4.1.30 MicroMessenger/7.0.1");
    let page = browser.send(request).await;
    let link = page.location();
    assert!(link.starts_with(&format!("{}/connect/oauth2/authorize?", world.wecom.url())), "{link}");
    assert!(link.ends_with("#wechat_redirect"), "{link}");
}

#[tokio::test]
async fn a_record_is_forgotten_an_hour_after_it_expired() {
    let world = world().start().await;
    let browser = world.browser();
    let state = state_of_page(&browser).await;
    world.advance(Duration::from_mins(70));
    let page = browser.get(&redirect(&world.code("zhangsan"), &state)).await;
    assert_eq!((page.status.as_u16(), page.problem()), (400, 710_003));
}

#[tokio::test]
async fn a_restart_asks_for_no_other_access_token_unless_that_one_was_taken_back() {
    let mut world = world().start().await;
    world.sign_in(&world.browser(), "zhangsan").await;
    assert_eq!(world.wecom.calls_of("gettoken"), 1);
    world.restart().await;
    let browser = world.browser();
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/");
    assert_eq!(world.wecom.calls_of("gettoken"), 1);

    world.restart().await;
    world.wecom.expire_tokens();
    assert_eq!(world.sign_in(&world.browser(), "zhangsan").await.location(), "/");
    assert_eq!(world.wecom.calls_of("gettoken"), 2);
    world.restart().await;
    assert_eq!(world.sign_in(&world.browser(), "zhangsan").await.location(), "/");
    assert_eq!(world.wecom.calls_of("gettoken"), 2, "the new one is shared too");
}

#[tokio::test]
async fn the_access_token_is_not_readable_in_the_data_folder() {
    let world = world().start().await;
    let token = world.login.get_access_token(&world.instance).await.unwrap();
    world.store().await.close().await;
    let mut looked_at = 0;
    for file in std::fs::read_dir(world.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        looked_at += bytes.len();
        assert!(!bytes.windows(token.expose().len()).any(|window| window == token.expose().as_bytes()));
    }
    assert!(looked_at > 10_000, "the database is there");
}
