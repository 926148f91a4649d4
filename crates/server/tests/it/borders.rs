use reqwest::Method;
use serde_json::json;
use wecom_login_server::Settings;
use wecom_login_simulator::sample;

use crate::browser::Browser;
use crate::world::{API, BROWSER_COOKIE, SESSION_COOKIE, redirect, world};

async fn post(browser: &Browser, path: &str, headers: &[(&str, &str)]) -> u16 {
    let mut request = browser.request(Method::POST, path).json(&json!({}));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request).await.status.as_u16()
}

#[tokio::test]
async fn other_sites_change_nothing() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    for headers in [
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        [("sec-fetch-site", "same-site"), ("origin", world.url.as_str())],
        [("origin", "null"), ("x", "")],
        [("origin", "http://127.0.0.1:1"), ("x", "")],
    ] {
        assert_eq!(post(&browser, "/logout", &headers).await, 403);
        assert_eq!(post(&browser, &format!("{API}/getLoginConfig"), &headers).await, 403);
    }
    assert!(browser.me().await.is_some());
    assert_eq!(post(&browser, "/logout", &[("sec-fetch-site", "same-origin")]).await, 200);
    assert_eq!(browser.me().await, None);
}

fn behind_tls(settings: &mut Settings) {
    settings.public_url = "https://login.example.com".parse().unwrap();
}

#[tokio::test]
async fn behind_tls_cookies_are_bound_to_the_host_and_links_come_from_the_settings() {
    let world = world()
        .config(json!({"redirectUri": "https://login.example.com/auth/wecom"}))
        .settings(behind_tls)
        .start()
        .await;
    let browser = world.browser();
    let request = browser.request(Method::GET, "/login?return_to=/reports").header("host", "evil.example");
    let page = browser.send(request.header("x-forwarded-host", "evil.example")).await;
    assert!(!page.text.contains("evil.example"));
    assert_eq!(page.header("strict-transport-security"), "max-age=31536000");
    let browser_cookie = format!("__Host-{BROWSER_COOKIE}");
    assert!(browser.cookie(&browser_cookie).is_some());
    let state = world.state(&browser).await;
    let page = browser.get(&redirect(&world.code("zhangsan"), &state)).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with(&format!("__Host-{SESSION_COOKIE}=")), "{cookie}");
    for attribute in ["; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

#[tokio::test]
async fn a_token_in_another_place_than_its_cookie_opens_nothing() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let token = browser.cookie(SESSION_COOKIE).unwrap();
    let stranger = world.browser();
    let request = stranger.request(Method::GET, "/me").header("authorization", format!("Bearer {token}"));
    assert_eq!(stranger.send(request).await.status.as_u16(), 401);
    stranger.set_cookie(SESSION_COOKIE, &format!("{}x", &token[..42]));
    assert_eq!(stranger.me().await, None);
}

/// One rejection, and the form that its route declares.
#[tokio::test]
async fn a_refusal_has_the_form_of_its_route() {
    let world = world().start().await;
    let browser = world.browser();
    let send = async |method: Method, path: &str, accept: &str| {
        let request = browser.request(method, path).header("accept", accept);
        browser.send(request.header("origin", "https://evil.example")).await
    };
    let (html, any) = ("text/html", "*/*");

    let page = send(Method::GET, "/nothing", html).await;
    assert_eq!((page.status.as_u16(), page.problem()), (404, 710_305));
    let json = send(Method::POST, "/login", html).await;
    assert_eq!((json.status.as_u16(), &json.json()["errcode"]), (403, &json!(710_302)));
    assert_eq!(json.json()["requestId"], json.header("x-request-id"));
    let page = send(Method::POST, "/logout", html).await;
    assert_eq!((page.status.as_u16(), page.problem()), (403, 710_302));
    let json = send(Method::POST, "/logout", any).await;
    assert_eq!((json.status.as_u16(), &json.json()["errcode"]), (403, &json!(710_302)));
    for path in ["/console/api/sync", &format!("{API}/getLoginCode")] {
        let envelope = send(Method::POST, path, html).await;
        assert_eq!((envelope.status.as_u16(), &envelope.json()["errcode"]), (403, &json!(710_302)), "{path}");
        assert_eq!(envelope.json()["data"], json!({}), "{path}");
    }
    let oauth = browser.post_json("/oauth2/token", &json!({})).await;
    assert_eq!((oauth.status.as_u16(), &oauth.json()["error"]), (404, &json!("invalid_request")));
    assert!(oauth.json()["error_description"].as_str().unwrap().starts_with("710305: "), "{oauth:?}");
    let text = browser.post_json("/wecom/callback/Nobody", &json!({})).await;
    assert_eq!(
        (text.status.as_u16(), text.text.as_str()),
        (404, "710321: No WeCom callback is configured at this address.\n")
    );
}

/// RFC 9110, 15.5.6
#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let world = world().start().await;
    let browser = world.browser();
    for (method, path, allowed) in [
        (Method::PUT, "/login", "GET, POST, HEAD"),
        (Method::GET, "/logout", "POST"),
        (Method::DELETE, "/console/api/sessions", "GET, HEAD"),
        (Method::POST, "/healthz", "GET, HEAD"),
    ] {
        let answer = browser.send(browser.request(method, path)).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, allowed), "{path}");
    }
}

/// The platform's own examples have redirects below /api/; what this server keeps for itself takes none.
#[tokio::test]
async fn a_redirect_may_lie_below_api_and_at_no_path_of_ours() {
    let world = world().start().await;
    for (name, path) in [("Below", "/api/acme/portal/callback"), ("Kept", "/oauth2/callback")] {
        let folder = format!("auths/loginTypes/{name}");
        let config = json!({
            "corpId": sample::CORP_ID, "corpSecret": sample::SECRET, "agentId": sample::AGENT_ID,
            "redirectUri": format!("{}{path}", world.url), "apiBase": world.wecom.api_url(),
            "loginBase": world.wecom.url(), "oauthBase": world.wecom.url(),
        });
        world.write(&format!("{folder}/{name}.json"), &config);
        let element = json!({"title": name, "type": "auths.loginTypes.QywxInnerType"});
        world.write(&format!("{folder}/e.json"), &element);
    }
    let browser = world.browser();
    let bookmark = browser.get("/api/acme/portal/callback").await;
    assert_eq!(
        (bookmark.status.as_u16(), bookmark.location()),
        (303, "/login?element=auths.loginTypes.Below")
    );
    assert_eq!(world.server().browser_off().len(), 1);
    let (instance, reason) = world.server().browser_off().remove(0);
    assert_eq!(instance, "auths.loginTypes.Kept");
    assert_eq!(reason, "redirectUri has the path /oauth2/callback; /oauth2/ belongs to this server");
}
