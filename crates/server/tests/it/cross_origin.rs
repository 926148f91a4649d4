//! What browsers let pages of other origins do (CORS).

use reqwest::Method;
use serde_json::json;

use crate::browser::Page;
use crate::front_end::{FrontEnd, ORIGIN, Pair, listed};
use crate::world::{API, world};

const ALLOW: [&str; 5] = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
];

fn allowed(page: &Page) -> Vec<&str> {
    ALLOW.into_iter().filter(|name| page.headers.contains_key(*name)).collect()
}

async fn preflight(front: &FrontEnd, method: &str, path: &str) -> Page {
    let request = front.request(Method::OPTIONS, path).header("access-control-request-method", method);
    front.browser.send(request.header("access-control-request-headers", "authorization,content-type")).await
}

#[tokio::test]
async fn a_configured_origin_may_ask_for_what_a_sign_in_needs() {
    let world = world().settings(listed).start().await;
    for site in ["cross-site", "same-site"] {
        let front = FrontEnd::page(&world, ORIGIN, site);
        for (method, path, with_cookies) in [
            ("GET", "/me".to_owned(), true),
            ("POST", "/logout".to_owned(), true),
            ("POST", "/session/refresh".to_owned(), false),
            ("POST", format!("{API}/getLoginConfig"), true),
            ("POST", format!("{API}/getLoginCode"), true),
            ("GET", "/client.js".to_owned(), false),
        ] {
            let page = preflight(&front, method, &path).await;
            assert_eq!((page.status.as_u16(), page.text.as_str()), (204, ""), "{path}");
            assert_eq!(page.header("access-control-allow-origin"), ORIGIN);
            assert_eq!(page.header("access-control-allow-methods"), method);
            let headers = page.header("access-control-allow-headers");
            assert_eq!(headers, "authorization, content-type, x-wecom-login-browser");
            assert_eq!(page.header("vary"), "origin");
            let credentials = if with_cookies { "true" } else { "" };
            assert_eq!(page.header("access-control-allow-credentials"), credentials, "{path}");

            let request = front.request(method.parse().unwrap(), &path);
            let page = front.browser.send(request).await;
            assert_eq!(page.header("access-control-allow-origin"), ORIGIN, "{path}: {page:?}");
            assert_eq!(page.header("access-control-expose-headers"), "x-request-id, x-wecom-login-hosts");
            assert_eq!(
                (page.header("vary"), page.header("access-control-allow-credentials")),
                ("origin", credentials)
            );
        }
    }
}

#[tokio::test]
async fn a_configured_origin_signs_in_with_a_pair() {
    let world = world().settings(listed).start().await;
    let front = FrontEnd::page(&world, ORIGIN, "cross-site");
    let pair = front.pair(&world, "zhangsan").await;
    assert_eq!(front.me(&pair.access).await.as_deref(), Some("zhangsan"));
    let next = front.next(&pair.refresh).await.unwrap();
    let request = front.request(Method::POST, "/logout").json(&json!({"refreshToken": next.refresh}));
    assert_eq!(front.browser.send(request).await.status.as_u16(), 200);
    assert_eq!(front.me(&next.access).await, None);
}

#[tokio::test]
async fn a_configured_origin_may_do_nothing_else() {
    let world = world().settings(listed).start().await;
    let front = FrontEnd::page(&world, ORIGIN, "cross-site");
    for path in [
        format!("{API}/getUserInfo"),
        format!("{API}/syncUserInfo"),
        "/console/api/accounts/import".to_owned(),
        "/console/api/accounts/bind".to_owned(),
    ] {
        assert_eq!(allowed(&preflight(&front, "POST", &path).await), [""; 0], "{path}");
        let page = front.browser.send(front.request(Method::POST, &path).json(&json!({}))).await;
        assert_eq!((page.status.as_u16(), &page.json()["errcode"]), (403, &json!(710_302)), "{path}");
        assert_eq!(allowed(&page), [""; 0], "{path}");
    }
    for path in ["/", "/login", "/console/api/accounts"] {
        let page = front.browser.send(front.request(Method::GET, path)).await;
        assert_eq!(allowed(&page), [""; 0], "{path}");
    }
}

#[tokio::test]
async fn other_origins_are_told_nothing_and_change_nothing() {
    let world = world().settings(listed).start().await;
    let pair = FrontEnd::program(&world).pair(&world, "zhangsan").await;
    for origin in
        ["https://evil.example", "null", "http://app.example.org", "https://app.example.org.evil.example"]
    {
        for site in ["cross-site", "same-site"] {
            let front = FrontEnd::page(&world, origin, site);
            for path in [
                "/logout",
                "/session/refresh",
                &format!("{API}/getLoginConfig"),
                &format!("{API}/getLoginCode"),
            ] {
                let page = preflight(&front, "POST", path).await;
                assert_eq!((page.status.as_u16(), allowed(&page)), (403, vec![]), "{origin} {path}");
                let request = front.request(Method::POST, path).json(&json!({"refreshToken": pair.refresh}));
                let page = front.browser.send(request).await;
                assert_eq!((page.status.as_u16(), allowed(&page)), (403, vec![]), "{origin} {path}");
                assert_eq!(page.header("vary"), "origin", "caches must not give it to others");
            }
            for path in ["/me", "/client.js"] {
                assert_eq!(preflight(&front, "GET", path).await.status.as_u16(), 403);
                let page = front.browser.send(front.request(Method::GET, path)).await;
                assert_eq!((allowed(&page), page.header("vary")), (vec![], "origin"), "{origin} {path}");
            }
        }
    }
    let program = FrontEnd::program(&world);
    assert_eq!(program.me(&pair.access).await.as_deref(), Some("zhangsan"));
    assert!(program.next(&pair.refresh).await.is_ok());
}

#[tokio::test]
async fn an_origin_that_is_not_configured_by_default_is_a_stranger() {
    let world = world().start().await;
    let front = FrontEnd::page(&world, ORIGIN, "cross-site");
    assert_eq!(front.call("getLoginConfig", json!({})).await.status.as_u16(), 403);
}

#[tokio::test]
async fn another_host_of_our_site_signs_in_by_cookie() {
    let world = world().settings(listed).start().await;
    let front = FrontEnd::page(&world, ORIGIN, "same-site");
    let call = async |function: &str, body| {
        let request = front.request(Method::POST, &format!("{API}/{function}")).json(&body);
        front.browser.send(request).await.json()
    };
    let state = call("getLoginConfig", json!({})).await["data"]["state"].clone();
    let answer = call("getLoginCode", json!({"authCode": world.code("zhangsan"), "state": state})).await;
    assert_eq!((&answer["data"]["userId"], answer.get("session")), (&json!("zhangsan"), None), "{answer}");
    assert_eq!(front.browser.me().await.as_deref(), Some("zhangsan"));
}

#[tokio::test]
async fn errors_can_be_read_by_who_may_ask() {
    let world = world().settings(listed).start().await;
    let front = FrontEnd::page(&world, ORIGIN, "cross-site");
    let page = front.call("getLoginCode", json!({"authCode": "c", "state": "x"})).await;
    assert_eq!(page.json()["errcode"], 710_003);
    assert_eq!(page.header("access-control-allow-origin"), ORIGIN);
    let page = front.refresh(&json!({"refreshToken": "nonsense"})).await;
    assert_eq!((page.status.as_u16(), page.header("access-control-allow-origin")), (401, ORIGIN));
}

#[tokio::test]
async fn options_that_ask_nothing_are_no_preflight() {
    let world = world().settings(listed).start().await;
    let front = FrontEnd::page(&world, ORIGIN, "cross-site");
    let page = front.browser.send(front.request(Method::OPTIONS, "/me")).await;
    assert_eq!(page.status.as_u16(), 405);
    let pair: Pair = front.pair(&world, "zhangsan").await;
    assert!(front.me(&pair.access).await.is_some());
}
