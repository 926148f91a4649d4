//! Headers as other programs, proxies and phones really send them.

use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use wecom_login_model::MemberRef;
use wecom_login_server::Settings;
use wecom_login_simulator::sample;

use crate::browser::Browser;
use crate::raw::RawRequest;
use crate::world::{API, BROWSER_COOKIE, REDIRECT, SESSION_COOKIE, World, redirect, world};

fn bytes(value: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(value).unwrap()
}

/// Who is signed in by these headers alone.
async fn me(world: &World, headers: &[(&'static str, Vec<u8>)]) -> Option<String> {
    let request = headers
        .iter()
        .fold(RawRequest::new("GET", "/me"), |request, (name, value)| request.header(name, value.clone()));
    let answer = request.send(world.address()).await;
    let (_, rest) = answer.text.split_once("\"userId\":\"")?;
    assert_eq!(answer.status, 200);
    Some(rest.split('"').next()?.to_owned())
}

#[tokio::test]
async fn f7_a_cookie_in_chinese_hides_no_cookie_of_ours() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let ours = format!("{SESSION_COOKIE}={}", browser.cookie(SESSION_COOKIE).unwrap());
    let (utf8, gbk) = ("corp_user=张三".as_bytes(), &b"corp_user=\xd5\xc5\xc8\xfd"[..]);
    let ours = ours.as_bytes();
    for cookies in [
        vec![[utf8, b"; ", ours].concat()],
        vec![[ours, b"; ", utf8].concat()],
        vec![[gbk, b"; ", ours].concat()],
        vec![[ours, b"; ", gbk].concat()],
        vec![gbk.to_vec(), ours.to_vec()],
        vec![ours.to_vec(), utf8.to_vec()],
        vec![[b"=;;; ", ours, b";;;="].concat()],
        vec![[b"=; q=\"", utf8, b"; ", ours, b"; \""].concat()],
        vec![[ours, b"; ", ours].concat(), ours.to_vec()],
    ] {
        let headers: Vec<_> = cookies.into_iter().map(|value| ("cookie", value)).collect();
        assert_eq!(me(&world, &headers).await.as_deref(), Some("zhangsan"), "{headers:?}");
    }
}

#[tokio::test]
async fn f7_a_sign_in_runs_beside_a_cookie_in_chinese() {
    let world = world().start().await;
    let browser = world.browser();
    browser.set_cookie("corp_user", "张三");
    assert_eq!(browser.get("/login").await.status, 200);
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/");
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
    assert_eq!(browser.post_json("/logout", &json!({})).await.status, 200);
    assert_eq!(browser.me().await, None);
}

/// Another page of the host can add a cookie of our name for a longer path; browsers send that one first.
#[tokio::test]
async fn f7_a_planted_twin_of_the_session_cookie_signs_nobody_out() {
    let world = world().start().await;
    let (browser, other) = (world.browser(), world.browser());
    world.sign_in(&browser, "zhangsan").await;
    world.sign_in(&other, "lisi").await;
    let cookie = |value: &str| format!("{SESSION_COOKIE}={value}");
    let token = |browser: &Browser| cookie(&browser.cookie(SESSION_COOKIE).unwrap());
    let (ours, theirs) = (token(&browser), token(&other));
    let unknown = cookie(&"A".repeat(43));
    let header = |cookies: &[&str]| vec![("cookie", cookies.join("; ").into_bytes())];
    for twin in ["", "planted", "张三", "\"", "A"] {
        let twin = cookie(twin);
        assert_eq!(me(&world, &header(&[&twin, &ours])).await.as_deref(), Some("zhangsan"), "{twin}");
    }
    assert_eq!(me(&world, &header(&[&unknown, &ours])).await.as_deref(), Some("zhangsan"));
    assert_eq!(me(&world, &header(&[&ours, &unknown])).await.as_deref(), Some("zhangsan"));
    assert_eq!(me(&world, &header(&[&theirs, &ours])).await.as_deref(), Some("lisi"), "the first active one");

    // Signing out ends them all: nobody stays signed in who believes to be signed out.
    let request = RawRequest::new("POST", "/logout").header("cookie", format!("{unknown}; {ours}; {theirs}"));
    assert_eq!(request.send(world.address()).await.status, 200);
    assert_eq!((browser.me().await, other.me().await), (None, None));
}

#[tokio::test]
async fn f7_a_new_sign_in_ends_every_former_session_of_the_browser() {
    let world = world().start().await;
    let (browser, former) = (world.browser(), world.browser());
    world.sign_in(&former, "lisi").await;
    let path = world.redirect(&browser, "zhangsan").await;
    let cookies = format!(
        "{BROWSER_COOKIE}={}; {SESSION_COOKIE}=planted; {SESSION_COOKIE}={}; {SESSION_COOKIE}={}",
        browser.cookie(BROWSER_COOKIE).unwrap(),
        "A".repeat(43),
        former.cookie(SESSION_COOKIE).unwrap(),
    );
    let answer = RawRequest::new("GET", &path).header("cookie", cookies).send(world.address()).await;
    assert_eq!(answer.status, 303);
    assert_eq!(former.me().await, None);
}

#[tokio::test]
async fn f7_wecom_is_recognised_beside_text_in_chinese() {
    let world = world().start().await;
    for agent in [
        "Mozilla/5.0 (Linux; Android 14; 华为) wxwork/4.1.30 MicroMessenger/7.0.1".as_bytes(),
        b"Mozilla/5.0 (\xbb\xaa\xce\xaa) wxwork/4.1.30",
        b"wxwork/4.1 \xff",
    ] {
        let browser = world.browser();
        let page =
            browser.send(browser.request(Method::GET, "/login").header("user-agent", bytes(agent))).await;
        let to = page.location();
        assert!(to.starts_with(&format!("{}/connect/oauth2/authorize", world.wecom.url())), "{to}");
    }
}

#[tokio::test]
async fn f7_every_other_header_is_read_beside_text_in_chinese() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let send = async |request: RequestBuilder| browser.send(request).await;
    let accept = bytes("text/html, x/华为".as_bytes());
    let page = send(browser.request(Method::GET, "/me").header("accept", accept)).await;
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    let language = bytes("中文;q=1, en".as_bytes());
    let page = send(browser.request(Method::GET, "/nothing").header("accept-language", language)).await;
    assert!(page.text.contains("<html lang=\"en\">"));
    let tag = browser.get("/client.js").await.header("etag").to_owned();
    let known = bytes(format!("\"张三\", {tag}").as_bytes());
    let page = send(browser.request(Method::GET, "/client.js").header("if-none-match", known)).await;
    assert_eq!(page.status, 304);
    let kind = bytes(b"application/json; x=\"\xd5\xc5\"");
    let request = browser.request(Method::POST, &format!("{API}/getLoginConfig"));
    let page = send(request.header("content-type", kind).body("{}")).await;
    assert_eq!(page.json()["errcode"], 0, "{page:?}");
    // A browser's name that cannot be read is refused where it counts, and hides no cookie elsewhere.
    let named =
        |method, path: &str| browser.request(method, path).header("x-wecom-login-browser", bytes(b"\xff"));
    assert_eq!(send(named(Method::POST, &format!("{API}/getLoginConfig"))).await.json()["errcode"], 710_308);
    assert_eq!(send(named(Method::GET, "/me")).await.status, 200);
    // Headers of another site count, whatever else they hold.
    for (name, value) in [("origin", &b"https://evil.example/\xff"[..]), ("sec-fetch-site", b"\xff")] {
        let request = browser.request(Method::POST, "/logout").header(name, bytes(value));
        assert_eq!(send(request).await.status, 403, "{name}");
    }
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

fn with_zhangsan(settings: &mut Settings) {
    let admin: MemberRef = format!("{}/zhangsan", sample::CORP_ID).parse().unwrap();
    settings.administrators.admins = [admin].into_iter().collect();
}

/// A reverse proxy that asks for a password passes the header on.
#[tokio::test]
async fn f22_only_bearer_tokens_replace_the_cookie() {
    let world = world().settings(with_zhangsan).start().await;
    for authorization in
        [&b"Basic c3RhZ2luZzpzdGFnaW5n"[..], b"Negotiate YII=", b"garbage", b"\xff\x80", "张".as_bytes()]
    {
        let browser = world.browser();
        let request =
            |method, path: &str| browser.request(method, path).header("authorization", bytes(authorization));
        let state =
            browser.send(request(Method::POST, &format!("{API}/getLoginConfig")).json(&json!({}))).await;
        let state = state.json()["data"]["state"].as_str().unwrap().to_owned();
        let path = redirect(&world.code("zhangsan"), &state);
        assert_eq!(browser.send(request(Method::GET, &path)).await.location(), "/");
        let page = browser.send(request(Method::GET, "/me")).await;
        assert_eq!((page.status.as_u16(), &page.json()["userId"]), (200, &json!("zhangsan")));
        assert_eq!(browser.send(request(Method::GET, "/console/api/accounts")).await.status, 200);
        let page = browser.send(request(Method::POST, "/logout")).await;
        assert_eq!((page.status.as_u16(), page.header("set-cookie").contains("Max-Age=0")), (200, true));
        let page = browser.send(request(Method::GET, "/me")).await;
        assert_eq!((page.status.as_u16(), page.header("www-authenticate")), (401, ""), "{page:?}");
    }
}

/// The password of a proxy is no wrong API key: it is not counted as a failure, nor audited.
#[tokio::test]
async fn f22_a_proxys_password_locks_nobody_out() {
    let world = world().settings(with_zhangsan).start().await;
    let browser = world.browser();
    for _ in 0..61 {
        let request =
            browser.request(Method::GET, "/console/api/accounts").header("authorization", "Basic eDp5");
        assert_eq!(browser.send(request).await.status, 401);
    }
    assert_eq!(world.store().await.audit_entries(0, 10).await.unwrap().len(), 0);
}

#[tokio::test]
async fn f22_of_several_authorization_headers_the_bearer_token_counts() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let cookie = format!("{SESSION_COOKIE}={}", browser.cookie(SESSION_COOKIE).unwrap()).into_bytes();
    let (basic, wrong) = (b"Basic eDp5".to_vec(), b"Bearer nonsense".to_vec());
    let header = |value: &[u8]| ("authorization", value.to_vec());
    let headers = [("cookie", cookie), header(&basic), header(&wrong)];
    assert_eq!(me(&world, &headers).await, None, "a wrong token is not made good by a cookie");
    assert_eq!(me(&world, &headers[..2]).await.as_deref(), Some("zhangsan"));
}

fn behind_a_proxy(settings: &mut Settings) {
    settings.network.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
}

/// The status of a sign-in with a code that WeCom refuses.
async fn bad_code(world: &World, forwarded: &[u8]) -> u16 {
    let browser = world.browser();
    let state = world.state(&browser).await;
    let request = browser.request(Method::GET, &redirect("guessed", &state));
    browser.send(request.header("x-forwarded-for", bytes(forwarded))).await.status.as_u16()
}

#[tokio::test]
async fn f8_every_form_of_x_forwarded_for_names_the_client() {
    let world = world().settings(behind_a_proxy).start().await;
    for (forwarded, address) in [
        (&b"203.0.113.7:51008"[..], "203.0.113.7"),
        (b"[2001:db8::1]:443", "2001:db8::1"),
        (b"\xff\xfe, 203.0.113.8", "203.0.113.8"),
        (b"unknown, \"203.0.113.9\"", "203.0.113.9"),
        (b"unknown", "unknown client behind 127.0.0.1"),
        (b"203.0.113.10, \x80", "unknown client behind 127.0.0.1"),
    ] {
        assert_eq!(bad_code(&world, forwarded).await, 400);
        let (_, entry) = world.store().await.audit_entries(0, 100).await.unwrap().pop().unwrap();
        assert_eq!((entry.outcome.as_str(), entry.address.as_deref()), ("bad_code", Some(address)));
    }
}

#[tokio::test]
async fn f6_a_proxy_that_is_not_trusted_is_counted() {
    async fn counted(change: fn(&mut Settings), forwarded: &'static [u8]) -> (String, String) {
        let world = world()
            .settings(move |settings| {
                with_zhangsan(settings);
                change(settings);
            })
            .start()
            .await;
        let browser = world.browser();
        world.sign_in(&browser, "zhangsan").await;
        for _ in 0..3 {
            let request =
                browser.request(Method::GET, "/healthz").header("x-forwarded-for", bytes(forwarded));
            browser.send(request).await;
        }
        let metrics = browser.get("/metrics").await.text;
        let count = |name: &str| {
            let line = metrics.lines().find(|line| line.starts_with(&format!("wecom_login_{name}_total ")));
            line.unwrap_or_else(|| panic!("{name}: {metrics}")).rsplit(' ').next().unwrap().to_owned()
        };
        (count("untrusted_forwarded"), count("unreadable_forwarded"))
    }
    assert_eq!(counted(|_| {}, b"203.0.113.7").await, ("3".to_owned(), "0".to_owned()));
    assert_eq!(counted(behind_a_proxy, b"203.0.113.7").await, ("0".to_owned(), "0".to_owned()));
    assert_eq!(counted(behind_a_proxy, b"\xff").await, ("0".to_owned(), "3".to_owned()));
}

/// F23: link checkers, previews and monitors send HEAD.
#[tokio::test]
async fn f23_head_has_no_effects() {
    let world = world().start().await;
    let browser = world.browser();
    let path = world.redirect(&browser, "zhangsan").await;
    let rows = async || world.store().await.rows(world.now()).await.unwrap();
    let before = rows().await;
    let head = |path: &str| browser.request(Method::HEAD, path);
    let phone = "Mozilla/5.0 wxwork/4.1 MicroMessenger/7.0";
    for (path, status) in [
        ("/login", 200),
        ("/login?lang=en&return_to=/x", 200),
        ("/", 200),
        (path.as_str(), 405),
        (REDIRECT, 405),
        ("/api/acme/portal/callback", 404),
        (&format!("{API}/getLoginConfig"), 404),
        ("/WW_verify_x.txt", 404),
        ("/wecom/callback/Example", 200),
        ("/me", 401),
        ("/nothing", 404),
    ] {
        for agent in ["curl/8", phone] {
            let page = browser.send(head(path).header("user-agent", agent)).await;
            let told = (page.status.as_u16(), page.header("set-cookie"), page.text.as_str());
            assert_eq!(told, (status, "", ""), "{path}");
            assert!(!page.headers.contains_key("location"), "{path}: {page:?}");
            // RFC 9110, 8.6: that of GET, or none.
            assert_ne!(page.header("content-length"), "0", "{path}");
        }
    }
    assert_eq!(rows().await, before);
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 0);
    assert_eq!(browser.get(&path).await.location(), "/", "the code is unused");
}
