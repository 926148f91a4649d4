//! Authorization codes: five minutes, one use, bound to company, app and host.

use std::time::Duration;

use serde_json::json;
use wecom_login_simulator::{CodeRequest, Simulator, sample};

use crate::browser::{Answer, get, old_token, redeem, start, token, token_of};

async fn with_token(sim: &Simulator, token: &str, code: &str) -> Answer {
    get(sim, &format!("/cgi-bin/auth/getuserinfo?access_token={token}&code={code}")).await
}

#[tokio::test]
async fn a_code_names_the_member_once() {
    let sim = start().await;
    let (token, code) = (token(&sim).await, sim.code_for("ZHANGSAN"));
    let answer = with_token(&sim, &token, &code).await.json();
    assert_eq!(answer, json!({"errcode": 0, "errmsg": "ok", "userid": "zhangsan"}));
    assert_eq!(with_token(&sim, &token, &code).await.errcode(), 40029);
    assert_eq!((sim.calls_of("auth/getuserinfo"), sim.calls_of("gettoken")), (2, 1));
}

#[tokio::test]
async fn a_code_dies_after_five_minutes() {
    let sim = start().await;
    let (fresh, late) = (sim.code_for("lisi"), sim.code_for("lisi"));
    sim.advance(Duration::from_mins(4));
    assert_eq!(redeem(&sim, &fresh).await["errcode"], 0);
    sim.advance(Duration::from_mins(1));
    assert_eq!(redeem(&sim, &late).await["errcode"], 40029);
    assert_eq!(redeem(&sim, "never-issued").await["errcode"], 40029);
}

#[tokio::test]
async fn another_apps_token_gets_50001_and_leaves_the_code_unused() {
    let sim = start().await;
    let code = sim.code_for("lisi");
    let old = old_token(&sim).await;
    let other = token_of(&sim, sample::SECOND_CORP_ID, sample::SECOND_SECRET).await;
    assert_eq!(with_token(&sim, &old, &code).await.errcode(), 50001);
    assert_eq!(with_token(&sim, &other, &code).await.errcode(), 50001);
    assert_eq!(redeem(&sim, &code).await["userid"], "lisi");
}

#[tokio::test]
async fn the_host_that_got_the_code_must_be_the_apps() {
    let sim = start().await;
    for (host, errcode) in [("127.0.0.1:5000", 0), ("localhost", 0), ("evil.example", 50001)] {
        let request = CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, "lisi").host(host);
        let code = sim.issue_code(request);
        assert_eq!(redeem(&sim, &code).await["errcode"], errcode, "{host}");
    }
}

#[tokio::test]
async fn what_is_refused_before_the_code_does_not_use_it_up() {
    let sim = start().await;
    let (token, code) = (token(&sim).await, sim.code_for("lisi"));
    assert_eq!(with_token(&sim, "wrong", &code).await.errcode(), 40014);
    let gate = |ips: Option<Vec<String>>| {
        sim.edit(sample::CORP_ID, |company| company.edit_app(sample::AGENT_ID, |app| app.trusted_ips = ips))
            .unwrap()
    };
    gate(Some(vec!["10.0.0.1".to_owned()]));
    assert_eq!(with_token(&sim, &token, &code).await.errcode(), 60020);
    gate(None);
    assert_eq!(with_token(&sim, &token, &code).await.errcode(), 0);
}

#[tokio::test]
async fn outsiders_have_openids_and_known_customers_a_second_name() {
    let sim = start().await;
    let code =
        |openid: &str| sim.issue_code(CodeRequest::outsider(sample::CORP_ID, sample::AGENT_ID, openid));
    let known = redeem(&sim, &code(sample::OUTSIDER)).await;
    assert_eq!(
        known,
        json!({"errcode": 0, "errmsg": "ok", "openid": sample::OUTSIDER,
               "external_userid": "wmAAAAsimulatedCustomer00001"})
    );
    assert_eq!(redeem(&sim, &code("oX")).await, json!({"errcode": 0, "errmsg": "ok", "openid": "oX"}));
}

#[tokio::test]
async fn the_old_endpoint_spells_its_keys_in_its_own_way() {
    let sim = start().await;
    let token = token(&sim).await;
    let legacy = async |code: &str| {
        get(&sim, &format!("/cgi-bin/user/getuserinfo?access_token={token}&code={code}")).await.json()
    };
    let member = legacy(&sim.code_for("lisi")).await;
    assert_eq!(member, json!({"errcode": 0, "errmsg": "ok", "UserId": "lisi", "DeviceId": ""}));
    let outsider = CodeRequest::outsider(sample::CORP_ID, sample::AGENT_ID, "oX");
    let outsider = legacy(&sim.issue_code(outsider)).await;
    assert_eq!(outsider, json!({"errcode": 0, "errmsg": "ok", "OpenId": "oX", "DeviceId": ""}));
}

#[tokio::test]
async fn the_userid_comes_whether_or_not_the_app_may_see_the_member() {
    let sim = start().await;
    for userid in [sample::OUT_OF_SCOPE, sample::DISABLED, sample::NOT_ACTIVATED] {
        assert_eq!(redeem(&sim, &sim.code_for(userid)).await["userid"], userid);
    }
    let code = sim.code_for("qianqi");
    sim.edit(sample::CORP_ID, |company| company.remove_member("qianqi")).unwrap();
    assert_eq!(redeem(&sim, &code).await["userid"], "qianqi");
}

#[tokio::test]
async fn the_same_userid_in_another_company_is_somebody_else() {
    let sim = start().await;
    let token = token_of(&sim, sample::SECOND_CORP_ID, sample::SECOND_SECRET).await;
    let name = get(&sim, &format!("/cgi-bin/user/get?access_token={token}&userid=zhangsan")).await.json();
    assert_eq!(name["name"], "张山");
}
