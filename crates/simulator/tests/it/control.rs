//! Control over HTTP, for tests in other languages.

use serde_json::{Value, json};
use wecom_login_simulator::{Simulator, sample};

use crate::browser::{Answer, get, redeem, send, start, token};

async fn control(sim: &Simulator, method: &str, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(sim, method, &format!("/_sim/{path}"), &[], &body).await.unwrap()
}

#[tokio::test]
async fn codes_for_members_and_for_any_openid() {
    let sim = start().await;
    let code = async |body: Value| {
        control(&sim, "POST", "code", body).await.json()["code"].as_str().unwrap().to_owned()
    };
    let (corpid, agentid) = (sample::CORP_ID, sample::AGENT_ID);
    let member = code(json!({"corpid": corpid, "agentid": agentid, "userid": "zhangsan"})).await;
    assert_eq!(redeem(&sim, &member).await["userid"], "zhangsan");
    let outsider = code(json!({"corpid": corpid, "agentid": agentid.to_string(), "openid": "oAny"})).await;
    assert_eq!(redeem(&sim, &outsider).await["openid"], "oAny");
    let consent =
        json!({"agentid": agentid, "userid": "lisi", "scope": "snsapi_privateinfo", "fields": ["mobile"]});
    assert!(redeem(&sim, &code(consent).await).await["user_ticket"].is_string());
    let elsewhere = json!({"agentid": agentid, "userid": "lisi", "host": "evil.example"});
    assert_eq!(redeem(&sim, &code(elsewhere).await).await["errcode"], 50001);
}

#[tokio::test]
async fn bad_input_is_400_and_says_why() {
    let sim = start().await;
    for (method, path, body, word) in [
        ("POST", "code", json!({"userid": "nobody"}), "nobody"),
        ("POST", "code", json!({"agentid": 7, "userid": "lisi"}), "7"),
        ("POST", "code", json!({"agentid": "x", "userid": "lisi"}), "agentid"),
        ("POST", "code", json!({"corpid": "ww0", "userid": "lisi"}), "ww0"),
        ("POST", "code", json!({"userid": "lisi", "openid": "o"}), "either"),
        ("POST", "code", json!({}), "either"),
        ("POST", "code", json!({"user": "lisi"}), "user"),
        ("POST", "code", json!({"userid": "lisi", "scope": "x"}), "scope"),
        ("POST", "code", Value::Null, "EOF"),
        ("POST", "faults", json!({"endpoint": "gettoken", "kind": "x"}), "kind"),
        ("POST", "faults", json!({"endpoint": "nothing", "kind": "hang"}), "nothing"),
        ("POST", "faults", json!({"endpoint": "gettoken", "kind": "latency"}), "ms"),
        ("POST", "faults", json!({"endpoint": "gettoken", "kind": "status", "code": 99}), "code"),
        ("POST", "faults", json!({"endpoint": "gettoken", "kind": "hang", "times": 0}), "times"),
        ("POST", "faults", json!({"endpoint": "gettoken", "kind": "hang", "probability": 2}), "probability"),
        ("POST", "clock", json!({"advance_seconds": -1}), "-1"),
        ("POST", "tokens", json!({"action": "x"}), "action"),
        ("POST", "members", json!({"userid": "张"}), "userid"),
        ("POST", "members", json!({"userid": "a", "department": [99]}), "99"),
        ("POST", "members", json!({"userid": "a", "status": 3}), "status"),
        ("POST", "members", json!({"userid": "a", "nmae": "x"}), "nmae"),
        ("POST", "departments", json!({"name": "x"}), "id"),
        ("PATCH", "departments/2", json!({"id": 3}), "id"),
        ("PATCH", "members/lisi", json!([]), "object"),
        ("PATCH", "apps/1000002", json!({"agentid": 3}), "agentid"),
        ("PATCH", "apps/1000002", json!({"made": "yesterday"}), "yesterday"),
        ("PATCH", "behaviour", json!({"outside_scope": 1}), "outside_scope"),
    ] {
        let answer = control(&sim, method, path, body.clone()).await;
        let error = answer.json()["error"].as_str().unwrap_or_default().to_owned();
        assert!(answer.status == 400 && error.contains(word), "{method} {path} {body}: {answer:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_is_there_409() {
    let sim = start().await;
    for (method, path) in [
        ("GET", "members/nobody"),
        ("PATCH", "members/nobody"),
        ("DELETE", "members/nobody"),
        ("DELETE", "departments/99"),
        ("GET", "apps/7"),
    ] {
        assert_eq!(control(&sim, method, path, json!({})).await.status, 404, "{method} {path}");
    }
    for (method, path, body) in [
        ("POST", "members", json!({"userid": "LISI"})),
        ("POST", "departments", json!({"id": 2})),
        ("PATCH", "members/lisi", json!({"userid": "zhangsan"})),
    ] {
        assert_eq!(control(&sim, method, path, body).await.status, 409, "{method} {path}");
    }
}

#[tokio::test]
async fn members_departments_and_apps_can_be_edited() {
    let sim = start().await;
    let token = token(&sim).await;
    let api = async |path: &str| get(&sim, &format!("/cgi-bin/{path}&access_token={token}")).await.json();

    let departments =
        json!([{"id": 20, "name": "新部门", "parentid": 1}, {"id": 21, "name": "新组", "parentid": 20}]);
    assert_eq!(control(&sim, "POST", "departments", departments).await.status, 200);
    assert_eq!(control(&sim, "PATCH", "departments/20", json!({"name": "改名"})).await.status, 200);
    assert_eq!(api("department/get?id=20").await["department"]["name"], "改名");
    control(&sim, "POST", "members", json!({"userid": "new", "name": "新人", "department": [21]})).await;
    assert_eq!(api("user/get?userid=new").await["main_department"], 21);
    control(&sim, "PATCH", "members/new", json!({"userid": "renamed", "department": [2]})).await;
    assert_eq!(api("user/get?userid=new").await["errcode"], 60111);
    assert_eq!(api("user/get?userid=renamed").await["main_department"], 2);
    control(&sim, "DELETE", "members/renamed", Value::Null).await;
    assert_eq!(api("user/get?userid=renamed").await["errcode"], 60111);
    control(&sim, "DELETE", "departments/21", Value::Null).await;
    assert_eq!(api("department/get?id=21").await["errcode"], 60003);

    let changed = json!({"made": "before", "scope": {"departments": [2]}, "trusted_ips": ["127.0.0.1"]});
    let app = control(&sim, "PATCH", "apps/1000002", changed).await.json();
    assert_eq!((&app["made"], app.get("secret")), (&json!("before"), None));
    assert_eq!(api("user/get?userid=lisi").await["mobile"], "13800000002");
    assert_eq!(api("department/get?id=1").await["errcode"], 60011);

    let second = format!("members/zhangsan?corpid={}", sample::SECOND_CORP_ID);
    assert_eq!(control(&sim, "GET", &second, Value::Null).await.json()["name"], "张山");

    assert_eq!(control(&sim, "POST", "reset", Value::Null).await.status, 200);
    let list = api("department/list?").await;
    assert_eq!(list["department"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn calls_are_counted_since_the_last_reset() {
    let sim = start().await;
    redeem(&sim, "x").await;
    redeem(&sim, "x").await;
    let expected = json!({"calls": {"auth/getuserinfo": 2, "gettoken": 2}});
    assert_eq!(control(&sim, "GET", "calls", Value::Null).await.json(), expected);
    control(&sim, "DELETE", "calls", Value::Null).await;
    assert_eq!(control(&sim, "GET", "calls", Value::Null).await.json(), json!({"calls": {}}));
}

#[tokio::test]
async fn clock_tokens_behaviour_and_faults() {
    let sim = start().await;
    let token = token(&sim).await;
    let path = format!("/cgi-bin/department/list?access_token={token}");
    control(&sim, "POST", "clock", json!({"advance_seconds": 7200})).await;
    assert_eq!(get(&sim, &path).await.errcode(), 42001);

    let token = crate::browser::token(&sim).await;
    let path = format!("/cgi-bin/department/list?access_token={token}");
    let other = json!({"action": "revoke", "agentid": sample::OLD_AGENT_ID});
    control(&sim, "POST", "tokens", other).await;
    assert_eq!(get(&sim, &path).await.errcode(), 0);
    control(&sim, "POST", "tokens", json!({"action": "rotate"})).await;
    assert_ne!(crate::browser::token(&sim).await, token);
    control(&sim, "POST", "tokens", json!({"action": "expire", "corpid": sample::CORP_ID})).await;
    assert_eq!(get(&sim, &path).await.errcode(), 42001);
    control(&sim, "POST", "tokens", json!({"action": "revoke", "agentid": sample::AGENT_ID})).await;
    assert_eq!(get(&sim, &path).await.errcode(), 40014);

    let behaviour = control(&sim, "PATCH", "behaviour", json!({"renewal": "new", "token_seconds": 60})).await;
    assert_eq!(behaviour.json()["wrong_secrets"], 2000);
    assert_ne!(crate::browser::token(&sim).await, crate::browser::token(&sim).await);

    let faults = json!([{"endpoint": "gettoken", "kind": "errcode", "code": -1, "times": 1},
                        {"endpoint": "*", "kind": "status", "code": 500}]);
    control(&sim, "POST", "faults", faults.clone()).await;
    assert_eq!(
        control(&sim, "GET", "faults", Value::Null).await.json(),
        json!({"faults": faults, "held": 0})
    );
    assert_eq!(get(&sim, "/cgi-bin/gettoken").await.errcode(), -1);
    assert_eq!(get(&sim, "/cgi-bin/gettoken").await.status, 500);
    control(&sim, "DELETE", "faults", Value::Null).await;
    assert_eq!(get(&sim, "/cgi-bin/gettoken").await.errcode(), 41004);
}

#[tokio::test]
async fn no_web_page_can_reach_the_controls() {
    let sim = start().await;
    for (host, origin, status) in [
        ("localhost", None, 200),
        ("127.0.0.1:80", None, 200),
        ("[::1]:80", None, 200),
        ("localhost", Some("http://127.0.0.1:5000"), 200),
        ("evil.example", None, 403),
        ("localhost.evil.example", None, 403),
        ("127.0.0.1.evil.example", None, 403),
        ("evil.example@localhost", Some("http://evil.example"), 403),
        ("localhost", Some("https://evil.example"), 403),
        ("localhost", Some("null"), 403),
    ] {
        let headers: Vec<_> =
            [("host", host)].into_iter().chain(origin.map(|origin| ("origin", origin))).collect();
        let answer = send(&sim, "GET", "/_sim/calls", &headers, "").await.unwrap();
        assert_eq!(answer.status, status, "{host} {origin:?}");
    }
}
