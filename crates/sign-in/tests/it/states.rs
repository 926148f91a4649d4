use wecom_login_sign_in::StateOwner;
use wecom_login_testkit::world::{BROWSER_COOKIE, REDIRECT, redirect, world};

#[tokio::test]
async fn a_state_works_once() {
    let world = world().start().await;
    let browser = world.browser();
    let state = world.state(&browser).await;
    browser.get(&redirect(&world.code("zhangsan"), &state)).await;
    let page = browser.get(&redirect(&world.code("lisi"), &state)).await;
    assert_eq!((page.status.as_u16(), page.problem()), (400, 710_005));
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1);
}

#[tokio::test]
async fn a_state_that_was_never_issued_is_refused_before_wecom_is_asked() {
    let world = world().start().await;
    let browser = world.browser();
    world.state(&browser).await;
    for state in ["A".repeat(32), "x".to_owned(), "%00".to_owned(), "张".repeat(200)] {
        let page = browser.get(&redirect(&world.code("zhangsan"), &state)).await;
        assert_eq!((page.status.as_u16(), page.problem()), (400, 710_003), "{state}");
    }
    let page = browser.get(&format!("{REDIRECT}?code={}", world.code("zhangsan"))).await;
    assert_eq!((page.status.as_u16(), page.problem()), (400, 710_002));
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 0);
    assert_eq!(browser.me().await, None);
}

#[tokio::test]
async fn a_state_of_another_browser_is_refused_and_stays_good_for_its_own() {
    let world = world().start().await;
    let (victim, thief) = (world.browser(), world.browser());
    let stolen = world.state(&victim).await;
    world.state(&thief).await;
    let code = world.code("zhangsan");
    let page = thief.get(&redirect(&code, &stolen)).await;
    assert_eq!((page.status.as_u16(), page.problem()), (400, 710_006));
    assert_eq!((thief.me().await, world.wecom.calls_of("auth/getuserinfo")), (None, 0));

    victim.get(&redirect(&code, &stolen)).await;
    assert_eq!(victim.me().await.as_deref(), Some("zhangsan"));
    let page = thief.get(&redirect(&code, &stolen)).await;
    assert_eq!(page.problem(), 40029, "other browsers learn only that the code is used");
    assert_eq!(thief.me().await, None);
}

#[tokio::test]
async fn a_state_of_the_library_is_not_valid_over_http() {
    let world = world().start().await;
    let browser = world.browser();
    world.state(&browser).await;
    let config = world.login.login_config(&world.instance, StateOwner::Library).unwrap();
    let page = browser.get(&redirect(&world.code("zhangsan"), &config.state)).await;
    assert_eq!((page.status.as_u16(), page.problem()), (400, 710_007));
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 0);
}

#[tokio::test]
async fn the_library_takes_its_own_state_once_and_needs_none() {
    let world = world().start().await;
    let config = world.login.login_config(&world.instance, StateOwner::Library).unwrap();
    let identify = async |code: &str, state: Option<&str>| {
        world
            .login
            .identify(&world.instance, code, state)
            .await
            .map(|user| user.name)
            .map_err(|refusal| refusal.code())
    };
    assert_eq!(identify(&world.code("zhangsan"), Some(&config.state)).await.as_deref(), Ok("张三"));
    assert_eq!(identify(&world.code("zhangsan"), Some(&config.state)).await, Err(710_005));
    assert_eq!(identify(&world.code("lisi"), None).await.as_deref(), Ok("李四"));
    assert_eq!(identify(&world.code("lisi"), Some("AAAA")).await, Err(710_003));
    let of_a_browser = world.state(&world.browser()).await;
    assert_eq!(identify(&world.code("lisi"), Some(&of_a_browser)).await, Err(710_003));
    for impossible in ["", "授权码", "two words", &"a".repeat(513)] {
        assert_eq!(identify(impossible, None).await, Err(40029), "{impossible:?}");
    }
}

#[tokio::test]
async fn a_code_used_in_a_browser_is_40029_to_the_library() {
    let world = world().start().await;
    let browser = world.browser();
    let (state, code) = (world.state(&browser).await, world.code("zhangsan"));
    browser.get(&redirect(&code, &state)).await;
    let refusal = world.login.identify(&world.instance, &code, None).await.unwrap_err();
    assert_eq!(refusal.code(), 40029);
}

#[tokio::test]
async fn two_states_open_in_one_browser_both_work() {
    let world = world().start().await;
    let browser = world.browser();
    let first = world.state(&browser).await;
    let cookie = browser.cookie(BROWSER_COOKIE).unwrap();
    let second = world.state(&browser).await;
    assert_eq!(browser.cookie(BROWSER_COOKIE).unwrap(), cookie, "issuing a state never changes the cookie");
    assert_ne!(first, second);
    browser.get(&redirect(&world.code("zhangsan"), &second)).await;
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
    browser.get(&redirect(&world.code("lisi"), &first)).await;
    assert_eq!(browser.me().await.as_deref(), Some("lisi"));
}
