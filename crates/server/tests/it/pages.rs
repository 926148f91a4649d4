use crate::world::{ELEMENT, REDIRECT, world};

#[tokio::test]
async fn the_sign_in_page_frames_wecoms_page_and_nothing_else() {
    let world = world().start().await;
    let page = world.browser().get("/login").await;
    assert_eq!(page.status.as_u16(), 200);
    let policy = page.header("content-security-policy");
    assert!(policy.ends_with(&format!("frame-src {}", world.wecom.url())), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        (
            "permissions-policy",
            &format!(
                "camera=(), geolocation=(), microphone=(), payment=(), usb=(), local-network-access=(self \"{}\")",
                world.wecom.url()
            ),
        ),
    ] {
        assert_eq!(page.header(name), value);
    }
    assert_eq!(page.header("x-request-id").len(), 32);
}

#[tokio::test]
async fn pages_speak_the_visitors_language() {
    let world = world().start().await;
    let browser = world.browser();
    let page = async |accept: &str, path: &str| {
        browser.send(browser.request(reqwest::Method::GET, path).header("accept-language", accept)).await.text
    };
    assert!(page("en-GB,en;q=0.9", "/login").await.contains("<html lang=\"en\">"));
    assert!(page("fr", "/login").await.contains("<html lang=\"zh-CN\">"));
    assert!(page("zh-CN", "/login?lang=en").await.contains("<html lang=\"en\">"));
    // The choice is kept for the pages that come after WeCom's redirect.
    assert!(page("zh-CN", &format!("{REDIRECT}?state=x")).await.contains("<html lang=\"en\">"));
    assert!(page("en", "/nothing?lang=zh").await.contains("<html lang=\"zh-CN\">"));
    assert!(page("en", "/login").await.contains("<html lang=\"zh-CN\">"), "whatever page it was chosen on");
}

#[tokio::test]
async fn declining_is_told_as_such() {
    let world = world().start().await;
    let browser = world.browser();
    let state = world.state(&browser).await;
    let page = browser.get(&format!("{REDIRECT}?state={state}")).await;
    assert_eq!((page.status.as_u16(), page.problem()), (403, 710_001));
    assert!(page.text.contains(&format!("/login?element={ELEMENT}")), "{}", page.text);
}

#[tokio::test]
async fn the_bare_redirect_address_leads_to_the_sign_in_page() {
    let world = world().start().await;
    assert_eq!(world.browser().get(REDIRECT).await.location(), format!("/login?element={ELEMENT}"));
}

#[tokio::test]
async fn a_page_that_takes_the_redirect_is_stood_in_for() {
    let world = world().config(serde_json::json!({"callback": "page"})).start().await;
    let browser = world.browser();
    browser.get("/login?return_to=/reports").await;
    let state = world.state(&browser).await;
    let page = browser.get(&format!("{REDIRECT}?code={}&state={state}", world.code("zhangsan"))).await;
    assert_eq!(
        (page.status.as_u16(), world.wecom.calls_of("auth/getuserinfo")),
        (200, 0),
        "the client asks, not we"
    );
    assert!(page.text.contains(&format!("data-element=\"{ELEMENT}\" data-next=\"/\"")), "{}", page.text);
    assert!(page.header("content-security-policy").ends_with("; connect-src 'self'"));
    assert!(!page.text.contains(&state), "the script reads it from the address");
    // Whoever said no, or brings a state of nobody's, is told by us as ever.
    let page = browser.get(&format!("{REDIRECT}?state={state}")).await;
    assert_eq!((page.status.as_u16(), page.problem()), (403, 710_001));
    let page = browser.get(&crate::world::redirect("x", &"x".repeat(32))).await;
    assert_eq!((page.status.as_u16(), page.problem()), (400, 710_003));
}

#[tokio::test]
async fn several_instances_are_a_choice() {
    let world = world().instance("Second", serde_json::json!({})).start().await;
    let page = world.browser().get("/login?return_to=/reports").await;
    for name in ["Example", "Second"] {
        assert!(page.text.contains(&format!("Sign-in of {name}")), "{}", page.text);
        assert!(page.text.contains(&format!("/login?element=auths.loginTypes.{name}&#38;return_to=")));
    }
    let page = world.browser().get(&format!("/login?element={ELEMENT}")).await;
    assert!(page.text.contains("sign-in-panel"));
    let page = world.browser().get("/login?element=auths.loginTypes.Nobody").await;
    assert_eq!((page.status.as_u16(), page.problem()), (404, 710_311));
}

#[tokio::test]
async fn the_session_leads_past_the_sign_in_page() {
    let world = world().start().await;
    let browser = world.browser();
    assert_eq!(browser.get("/").await.location(), "/login");
    world.sign_in(&browser, "zhangsan").await;
    assert_eq!(browser.get("/login").await.location(), "/");
    assert_eq!(browser.get("/login?return_to=/healthz").await.location(), format!("{}/healthz", world.url));
    let home = browser.get("/").await;
    assert!(home.text.contains("张三") && home.text.contains("zhangsan"), "{}", home.text);
}

#[tokio::test]
async fn an_address_elsewhere_is_not_returned_to() {
    let world = world().start().await;
    for return_to in ["https://evil.example", "//evil.example", "/%5Cevil.example", "javascript:alert(1)"] {
        let page = world.browser().get(&format!("/login?return_to={return_to}")).await;
        assert_eq!((page.status.as_u16(), page.problem()), (400, 710_309), "{return_to}");
    }
}

#[tokio::test]
async fn inside_wecom_nothing_needs_a_tap() {
    let world = world().start().await;
    for agent in [
        "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 Chrome/108 Safari/537.36 wxwork/4.1.30 MicroMessenger/7.0.1",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.50",
    ] {
        let browser = world.browser();
        let page =
            browser.send(browser.request(reqwest::Method::GET, "/login").header("user-agent", agent)).await;
        let link = page.location();
        let base = format!("{}/connect/oauth2/authorize?appid=", world.wecom.url());
        assert!(link.starts_with(&base) && link.contains("scope=snsapi_base"), "{link}");
    }
}

#[tokio::test]
async fn inside_wecom_its_fragment_does_not_stay() {
    let world = world().start().await;
    let browser = world.browser();
    let agent = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 wxwork/4.1.30 MicroMessenger/7.0.1";
    for (login, address) in
        [("/login", "/#".to_owned()), ("/login?return_to=/a%23b", format!("{}/a#b", world.url))]
    {
        let page =
            browser.send(browser.request(reqwest::Method::GET, login).header("user-agent", agent)).await;
        let link = url::Url::parse(page.location()).unwrap();
        let state = link.query_pairs().find(|(key, _)| key == "state").unwrap().1.into_owned();
        let redirect = crate::world::redirect(&world.code("zhangsan"), &state);
        let page =
            browser.send(browser.request(reqwest::Method::GET, &redirect).header("user-agent", agent)).await;
        assert_eq!(page.location(), address);
        browser.post_json("/logout", &serde_json::json!({})).await;
    }
}

#[tokio::test]
async fn an_instance_whose_redirect_is_not_ours_is_off_and_says_why() {
    let off = [
        ("http://127.0.0.1:9/auth/wecom", "redirectUri is at http://127.0.0.1:9"),
        ("https://login.example.com/auth/wecom", "redirectUri is at https://login.example.com"),
    ];
    for (redirect_uri, reason) in off {
        let world = world().config(serde_json::json!({"redirectUri": redirect_uri})).start().await;
        let page = world.browser().get("/login").await;
        assert_eq!((page.status.as_u16(), page.problem()), (503, 710_310));
        assert!(page.text.contains(reason), "{}", page.text);
    }
    let world = world()
        .config(serde_json::json!({"redirectUri": "https://app.example.com/in", "callback": "page"}))
        .start()
        .await;
    let page = world.browser().get("/login").await;
    assert_eq!(page.status.as_u16(), 200, "the app's own page takes it");
    assert!(
        !page.text.contains("sign-in-panel"),
        "WeCom gives codes to pages of the redirect's origin alone"
    );
    assert!(!page.header("content-security-policy").contains("frame-src"));
}

#[tokio::test]
async fn what_is_not_there_is_told_as_a_page() {
    let world = world().start().await;
    let browser = world.browser();
    for path in ["/nothing", "/assets/nothing.css", "/api/", "/%ff", "/auth/wecom/"] {
        let page = browser.get(path).await;
        assert_eq!((page.status.as_u16(), page.problem()), (404, 710_305), "{path}");
    }
    assert_eq!(browser.send(browser.request(reqwest::Method::POST, "/me")).await.status.as_u16(), 405);
    assert_eq!(browser.get("/logout").await.status.as_u16(), 405, "no state change by GET");
}

#[tokio::test]
async fn a_head_request_does_not_use_up_the_code() {
    let world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    let page = browser.send(browser.request(reqwest::Method::HEAD, &redirect)).await;
    assert_eq!((page.status.as_u16(), world.wecom.calls_of("auth/getuserinfo")), (405, 0));
    assert_eq!(browser.get(&redirect).await.location(), "/");
}

#[tokio::test]
async fn wecoms_own_host_gets_wecoms_own_panel() {
    let world =
        world().config(serde_json::json!({"loginBase": "https://login.work.weixin.qq.com"})).start().await;
    let page = world.browser().get("/login").await;
    assert!(
        page.text.contains("data-login-url=\"https://login.work.weixin.qq.com/wwlogin/sso/login?"),
        "{}",
        page.text
    );
    let policy = page.header("content-security-policy");
    assert!(policy.ends_with("; connect-src 'self'; frame-src https://login.work.weixin.qq.com"), "{policy}");
    let script = world.browser().get("/assets/wecom-jssdk-2.4.4.js").await;
    assert!(script.header("cache-control").contains("immutable"));
    assert!(script.text.contains("createWWLoginPanel"));
}

#[tokio::test]
async fn assets_may_be_kept() {
    let world = world().start().await;
    let browser = world.browser();
    let page = browser.get("/login").await.text;
    let (_, rest) = page.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let style = browser.get(rest.split('"').next().unwrap()).await;
    assert_eq!(style.status.as_u16(), 200);
    assert!(style.header("content-type").starts_with("text/css"));
    assert!(style.header("cache-control").contains("immutable"));
}
