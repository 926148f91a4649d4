use serde_json::{Value, json};
use wecom_login_simulator::sample;

use crate::world::{API, world};

#[tokio::test]
async fn the_config_holds_what_the_link_needs_and_no_secret() {
    let world = world().start().await;
    let browser = world.browser();
    let answer = browser.post_json(&format!("{API}/getLoginConfig"), &json!({})).await;
    assert!(!answer.text.contains(sample::SECRET));
    let envelope = answer.json();
    assert_eq!((&envelope["errcode"], &envelope["errmsg"]), (&json!(0), &Value::Null));
    assert_eq!(envelope["requestId"], answer.header("x-request-id"));
    let data = envelope["data"].as_object().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["agentId", "corpId", "redirectUri", "state"]);
    assert_eq!(
        (&data["agentId"], &data["corpId"]),
        (&json!(sample::AGENT_ID.to_string()), &json!(sample::CORP_ID))
    );
    let state = data["state"].as_str().unwrap();
    assert!(state.len() >= 32 && state.bytes().all(|byte| byte.is_ascii_alphanumeric()));
}

#[tokio::test]
async fn arguments_are_checked_by_name() {
    let world = world().start().await;
    let browser = world.browser();
    let call = async |function: &str, body: Value| {
        let request = browser.request(reqwest::Method::POST, &format!("{API}/{function}"));
        let page = browser.send(request.header("accept-language", "en").json(&body)).await;
        assert_eq!(page.status.as_u16(), 200);
        let answer = page.json();
        (answer["errcode"].as_i64().unwrap(), answer["errmsg"].as_str().unwrap().to_owned())
    };
    let bad = |text: &str| (710_308, text.to_owned());
    assert_eq!(call("getLoginConfig", json!({"x": 1})).await, bad("There is no argument x."));
    assert_eq!(call("getLoginCode", json!({})).await, bad("The argument authCode is missing."));
    assert_eq!(
        call("getLoginCode", json!({"authCode": 7})).await,
        bad("The argument authCode must be a string.")
    );
    let wrong_state = json!({"authCode": "c", "state": []});
    assert_eq!(call("getLoginCode", wrong_state).await, bad("The argument state must be a string."));
    assert_eq!(
        call("getLoginCode", json!({"authCode": "c"})).await.0,
        710_002,
        "over HTTP a state is required"
    );
    assert_eq!(call("getLoginCode", json!({"authCode": "c", "state": null})).await.0, 710_002);
}

#[tokio::test]
async fn a_browser_without_its_cookie_is_another_browser() {
    let world = world().start().await;
    let browser = world.browser();
    let state = world.state(&browser).await;
    browser.forget_cookies();
    let body = json!({"authCode": world.code("zhangsan"), "state": state});
    let answer = browser.post_json(&format!("{API}/getLoginCode"), &body).await.json();
    assert_eq!((&answer["errcode"], &answer["data"]), (&json!(710_006), &json!({})));
}

#[tokio::test]
async fn any_text_is_a_possible_code() {
    let world = world().start().await;
    let browser = world.browser();
    for code in ["", "授权码", "two words", &"a".repeat(513), "never-issued", "\u{0}"] {
        let body = json!({"authCode": code, "state": world.state(&browser).await});
        let answer = browser.post_json(&format!("{API}/getLoginCode"), &body).await.json();
        assert_eq!(answer["errcode"], 40029, "{code:?}: {answer}");
    }
}

#[tokio::test]
async fn only_the_open_functions_of_real_elements_are_there() {
    let world = world().start().await;
    let browser = world.browser();
    for path in [
        format!("{API}/getAccessToken"),
        format!("{API}/getLoginConfig/"),
        "/api/acme/portal/auths/loginTypes/Nobody/getLoginConfig".to_owned(),
        "/api/acme/portal/auths.loginTypes/Example/getLoginConfig".to_owned(),
        "/api/acme/other/auths/loginTypes/Example/getLoginConfig".to_owned(),
        "/api/other/portal/auths/loginTypes/Example/getLoginConfig".to_owned(),
        "/api/acme/portal/getLoginConfig".to_owned(),
    ] {
        let page = browser.post_json(&path, &json!({})).await;
        assert_eq!((page.status.as_u16(), &page.json()["errcode"]), (404, &json!(710_313)), "{path}");
    }
}

#[tokio::test]
async fn functions_for_administrators_are_theirs_alone() {
    let world = world().start().await;
    let browser = world.browser();
    for (function, body) in [
        ("getUserInfo", json!({"userId": "zhangsan"})),
        ("syncUserInfo", json!({"userId": "zhangsan"})),
        ("syncDepartmentInfo", json!({})),
    ] {
        let call =
            async || browser.post_json(&format!("{API}/{function}"), &body).await.json()["errcode"].clone();
        assert_eq!(call().await, 710_301, "nobody is signed in");
        world.sign_in(&browser, "zhangsan").await;
        assert_eq!(call().await, 710_314, "a member is not an administrator");
        browser.forget_cookies();
    }
    assert_eq!(world.wecom.calls_of("department/list"), 0);
}

#[tokio::test]
async fn bodies_are_json_objects_of_at_most_64_kib() {
    let world = world().start().await;
    let browser = world.browser();
    let post = async |content_type: &str, body: String| {
        let request = browser.request(reqwest::Method::POST, &format!("{API}/getLoginConfig"));
        let page = browser.send(request.header("content-type", content_type).body(body)).await;
        (page.status.as_u16(), page.json()["errcode"].as_i64().unwrap())
    };
    assert_eq!(post("text/plain", String::new()).await, (200, 0));
    assert_eq!(post("application/json; charset=utf-8", "{}".into()).await, (200, 0));
    for (content_type, body) in [
        ("text/plain", "{}"),
        ("application/x-www-form-urlencoded", "a=b"),
        ("application/json", "[]"),
        ("application/json", "{"),
        ("application/json", "null"),
    ] {
        assert_eq!(post(content_type, body.into()).await, (415, 710_307), "{content_type} {body}");
    }
    let large = json!({"x": "a".repeat(64 * 1024)}).to_string();
    assert_eq!(post("application/json", large).await, (413, 710_306));
}
