//! What every endpoint checks, in the live service's order: path, token present, token valid, address,
//! permission, parameters.

use wecom_login_simulator::{Simulator, sample};

use crate::browser::{Answer, get, post, send, start, token};

/// (endpoint, POST body if it takes one, errcode of a call with a good token and no parameters, fields that stay)
const ENDPOINTS: &[(&str, Option<&str>, i64, &[&str])] = &[
    ("auth/getuserinfo", None, 41008, &[]),
    ("user/getuserinfo", None, 41008, &[]),
    ("auth/getuserdetail", Some("{}"), 84090, &[]),
    ("user/get", None, 41009, &["department", "order", "is_leader_in_dept", "direct_leader"]),
    ("user/simplelist", None, 60123, &["userlist"]),
    ("user/list", None, 60123, &["userlist"]),
    ("user/getuserid", Some("{}"), 40063, &[]),
    ("user/get_userid_by_email", Some("{}"), 40063, &[]),
    ("department/list", None, 0, &["department"]),
    ("department/simplelist", None, 0, &["department_id"]),
    ("department/get", None, 60123, &[]),
    ("agent/get", None, 41011, &[]),
    ("get_api_domain_ip", None, 0, &["ip_list"]),
];

async fn call(sim: &Simulator, endpoint: &str, query: &str, body: Option<&str>) -> Answer {
    let path = format!("/cgi-bin/{endpoint}?{query}");
    match body {
        Some(body) => post(sim, &path, body).await,
        None => get(sim, &path).await,
    }
}

#[tokio::test]
async fn each_endpoint_checks_in_order() {
    for (endpoint, body, bare, kept) in ENDPOINTS {
        let sim = start().await;
        let token = token(&sim).await;
        let good = format!("access_token={token}");

        let refused = call(&sim, endpoint, "", *body).await;
        assert_eq!(refused.errcode(), 41001, "{endpoint}");
        for field in *kept {
            assert_eq!(refused.json()[field], serde_json::json!([]), "{endpoint} keeps {field} in failures");
        }
        assert_eq!(call(&sim, endpoint, "access_token=", *body).await.errcode(), 41001, "{endpoint}");
        assert_eq!(call(&sim, endpoint, "access_token=wrong", *body).await.errcode(), 40014, "{endpoint}");
        assert_eq!(call(&sim, endpoint, &good, *body).await.errcode(), *bare, "{endpoint}");

        // The address comes before permission and parameters, the token before the address.
        sim.edit(sample::CORP_ID, |company| {
            company.edit_app(sample::AGENT_ID, |app| {
                app.trusted_ips = Some(vec!["10.0.0.1".to_owned()]);
                app.enabled = false;
            })
        })
        .unwrap();
        assert_eq!(call(&sim, endpoint, &good, *body).await.errcode(), 60020, "{endpoint}");
        assert_eq!(call(&sim, endpoint, "access_token=wrong", *body).await.errcode(), 40014, "{endpoint}");
        sim.edit(sample::CORP_ID, |company| {
            company.edit_app(sample::AGENT_ID, |app| app.trusted_ips = Some(vec!["127.0.0.1".to_owned()]))
        })
        .unwrap();
        assert_eq!(call(&sim, endpoint, &good, *body).await.errcode(), 50003, "{endpoint}");

        sim.expire_tokens();
        assert_eq!(call(&sim, endpoint, &good, *body).await.errcode(), 42001, "{endpoint}");
        sim.revoke_tokens();
        assert_eq!(call(&sim, endpoint, &good, *body).await.errcode(), 40014, "{endpoint}");
    }
}

#[tokio::test]
async fn gettoken_checks_its_parameters_and_has_no_gate() {
    let sim = start().await;
    let (corpid, secret) = (sample::CORP_ID, sample::SECRET);
    sim.edit(corpid, |company| company.edit_app(sample::AGENT_ID, |app| app.trusted_ips = Some(Vec::new())))
        .unwrap();
    for (query, errcode) in [
        (String::new(), 41004),
        (format!("corpid={corpid}"), 41004),
        (format!("corpsecret={secret}"), 41002),
        (format!("corpid=ww0000000000000000&corpsecret={secret}"), 40013),
        (format!("corpid={corpid}&corpsecret=wrong"), 40001),
        (format!("corpid={}&corpsecret={secret}", sample::SECOND_CORP_ID), 40001),
        (format!("corpid={corpid}&corpsecret={secret}"), 0),
    ] {
        assert_eq!(call(&sim, "gettoken", &query, None).await.errcode(), errcode, "{query}");
    }
    sim.edit(corpid, |company| company.edit_app(sample::AGENT_ID, |app| app.enabled = false)).unwrap();
    let query = format!("corpid={corpid}&corpsecret={secret}");
    assert_eq!(call(&sim, "gettoken", &query, None).await.errcode(), 40001);
}

#[tokio::test]
async fn a_token_counts_in_the_query_only() {
    let sim = start().await;
    let token = token(&sim).await;
    let bearer = format!("Bearer {token}");
    let headed =
        send(&sim, "GET", "/cgi-bin/department/list", &[("authorization", &bearer)], "").await.unwrap();
    assert_eq!(headed.errcode(), 41001);
    let body = format!(r#"{{"access_token":"{token}","mobile":"13800000001"}}"#);
    assert_eq!(post(&sim, "/cgi-bin/user/getuserid", &body).await.errcode(), 41001);
}

#[tokio::test]
async fn a_refusal_is_200_with_headers_and_a_tail() {
    let sim = start().await;
    let answer = get(&sim, "/cgi-bin/auth/getuserinfo").await;
    let errmsg = answer.json()["errmsg"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("content-type"), "application/json; charset=UTF-8");
    assert_eq!((answer.header("error-code"), answer.header("error-msg")), ("41001", errmsg.as_str()));
    let tail = errmsg.strip_prefix("access_token missing, hint: [").unwrap();
    let (hint, tail) = tail.split_once(']').unwrap();
    assert!(hint.len() == 25 && hint.bytes().all(|byte| byte.is_ascii_digit()), "{hint}");
    assert_eq!(
        tail,
        ", from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e=41001"
    );
    let good = get(&sim, &format!("/cgi-bin/department/list?access_token={}", token(&sim).await)).await;
    assert_eq!((good.errcode(), good.header("error-code")), (0, ""));
}

#[tokio::test]
async fn some_endpoints_refuse_a_wrong_token_without_a_tail() {
    let sim = start().await;
    for (endpoint, _, _, _) in ENDPOINTS {
        let answer = get(&sim, &format!("/cgi-bin/{endpoint}?access_token=wrong")).await.json();
        let bare = ["user/get", "department/simplelist"].contains(endpoint);
        assert_eq!(answer["errmsg"] == "invalid access_token", bare, "{endpoint}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_and_empty() {
    let sim = start().await;
    for path in ["/cgi-bin/user/nothing", "/cgi-bin/", "/nothing", "/"] {
        let answer = get(&sim, path).await;
        assert_eq!((answer.status, answer.body.as_str()), (404, ""), "{path}");
    }
    assert!(sim.calls().is_empty());
}

#[tokio::test]
async fn a_body_that_is_no_json_is_read_as_empty_and_named() {
    let sim = start().await;
    let path = format!("/cgi-bin/user/getuserid?access_token={}", token(&sim).await);
    let answer = post(&sim, &path, "{mobile").await;
    assert_eq!(answer.errcode(), 40063);
    assert!(answer.json()["errmsg"].as_str().unwrap().starts_with("Warning: wrong json format. "));
    assert_eq!(get(&sim, &path).await.errcode(), 40058);
}

#[tokio::test]
async fn an_app_asks_about_itself_only() {
    let sim = start().await;
    let path = format!("/cgi-bin/agent/get?access_token={}&agentid=", token(&sim).await);
    let own = get(&sim, &format!("{path}{}", sample::AGENT_ID)).await.json();
    assert_eq!(own["allow_partys"]["partyid"], serde_json::json!([1]));
    assert_eq!(get(&sim, &format!("{path}{}", sample::OLD_AGENT_ID)).await.errcode(), 301_002);
    assert_eq!(get(&sim, &format!("{path}7")).await.errcode(), 40056);
    assert_eq!(get(&sim, &format!("{path}x")).await.errcode(), 40056);
}
