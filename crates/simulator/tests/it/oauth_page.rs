//! The OAuth page inside the client: silent, with consent, and refused.

use serde_json::{Value, json};
use wecom_login_simulator::{Person, SensitiveField, Simulator, sample};

use crate::browser::{Answer, old_token, parameter, post, redeem, redirect, send, start, token};

const PHONE: (&str, &str) =
    ("user-agent", "Mozilla/5.0 (Linux; Android 14) wxwork/4.1.30 MicroMessenger/7.0.1");
const BASE: &str = "appid=ww5ca1ab1e5ca1ab1e&response_type=code";
const HOME: &str = "&redirect_uri=http%3A%2F%2F127.0.0.1%3A9000%2Fcb%3Faction%3Dget";

async fn authorize(sim: &Simulator, query: &str, headers: &[(&str, &str)]) -> Answer {
    let headers: Vec<_> = std::iter::once(PHONE).chain(headers.iter().copied()).collect();
    send(sim, "GET", &format!("/connect/oauth2/authorize?{query}"), &headers, "").await.unwrap()
}

async fn on_device(who: &str) -> Simulator {
    let sim = start().await;
    sim.hold_device(Some(Person::Member(who.to_owned())));
    sim
}

/// Sends the consent page's form with those fields ticked.
async fn answer(sim: &Simulator, page: &Answer, fields: &[&str], answer: &str) -> Answer {
    let key = page.body.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let fields = fields.iter().fold(String::new(), |list, field| list + "&field=" + field);
    post(sim, "/connect/consent", &format!("key={key}{fields}&answer={answer}")).await
}

#[tokio::test]
async fn base_goes_back_at_once_and_keeps_the_query() {
    let sim = on_device("zhangsan").await;
    let back =
        authorize(&sim, &format!("{BASE}{HOME}&scope=snsapi_base&state=S1&agentid=1000002"), &[]).await;
    let (base, pairs) = redirect(&back);
    assert_eq!(base, "http://127.0.0.1:9000/cb");
    assert_eq!(pairs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["action", "code", "state"]);
    let person = redeem(&sim, &parameter(&back, "code").unwrap()).await;
    assert_eq!(person, json!({"errcode": 0, "errmsg": "ok", "userid": "zhangsan"}));
}

#[tokio::test]
async fn an_empty_state_is_sent_too() {
    let sim = on_device("zhangsan").await;
    let back = authorize(&sim, &format!("{BASE}{HOME}&scope=snsapi_base&agentid=1000002"), &[]).await;
    assert_eq!(parameter(&back, "state").as_deref(), Some(""));
}

#[tokio::test]
async fn without_agentid_every_app_of_that_host_may_redeem() {
    let sim = on_device("zhangsan").await;
    for token in [token(&sim).await, old_token(&sim).await] {
        let back = authorize(&sim, &format!("{BASE}{HOME}&scope=snsapi_privateinfo&state=x"), &[]).await;
        let code = parameter(&back, "code").unwrap();
        let path = format!("/cgi-bin/auth/getuserinfo?access_token={token}&code={code}");
        let person = crate::browser::get(&sim, &path).await.json();
        // No agentid: treated as snsapi_base, so there is no ticket.
        assert_eq!((&person["userid"], person.get("user_ticket")), (&json!("zhangsan"), None));
    }
}

#[tokio::test]
async fn consent_gives_a_ticket_for_what_was_ticked() {
    let sim = on_device("zhangsan").await;
    sim.edit(sample::CORP_ID, |company| {
        company.edit_app(sample::AGENT_ID, |app| {
            app.sensitive_fields = vec![SensitiveField::Mobile, SensitiveField::Email];
        })
    })
    .unwrap();
    let link = format!("{BASE}{HOME}&scope=snsapi_privateinfo&state=S1&agentid=1000002");
    let page = authorize(&sim, &link, &[]).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.body.matches("type=\"checkbox\"").count(), 2);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' http://127.0.0.1:9000"), "{policy}");

    let back = answer(&sim, &page, &["mobile", "address"], "allow").await;
    assert_eq!(parameter(&back, "state").as_deref(), Some("S1"));
    let person = redeem(&sim, &parameter(&back, "code").unwrap()).await;
    let body = json!({"user_ticket": person["user_ticket"]}).to_string();
    let path = format!("/cgi-bin/auth/getuserdetail?access_token={}", token(&sim).await);
    let detail = post(&sim, &path, &body).await.json();
    assert_eq!(detail["mobile"], "13800000001");
    assert_eq!((detail.get("email"), detail.get("address")), (None, None));

    let page = authorize(&sim, &link, &[]).await;
    let refused = answer(&sim, &page, &[], "refuse").await;
    assert_eq!((parameter(&refused, "code"), parameter(&refused, "state").as_deref()), (None, Some("S1")));
}

#[tokio::test]
async fn consent_is_for_members_in_the_scope() {
    let link = format!("{BASE}{HOME}&scope=snsapi_privateinfo&state=S1&agentid=1000002");
    let sim = on_device(sample::OUT_OF_SCOPE).await;
    let page = authorize(&sim, &link, &[]).await;
    assert!(page.status == 200 && page.body.contains("无权限"));
    // Nobody outside the company is asked; the openid goes back silently.
    sim.hold_device(Some(Person::Outsider("oX".to_owned())));
    let back = authorize(&sim, &link, &[]).await;
    assert_eq!(redeem(&sim, &parameter(&back, "code").unwrap()).await["openid"], "oX");
}

#[tokio::test]
async fn the_page_opens_in_the_client_only() {
    let sim = on_device("zhangsan").await;
    let link = format!("/connect/oauth2/authorize?{BASE}{HOME}&scope=snsapi_base&state=x&agentid=1000002");
    let page = send(&sim, "GET", &link, &[("user-agent", "Mozilla/5.0 Chrome/140")], "").await.unwrap();
    assert!(page.status == 200 && page.body.contains("请在企业微信客户端打开链接"));
    sim.behave(|behaviour| behaviour.oauth_needs_client = false);
    assert_eq!(send(&sim, "GET", &link, &[], "").await.unwrap().status, 302);
}

#[tokio::test]
async fn wechat_with_the_plug_in_opens_it_and_a_binding_decides_who_it_is() {
    const WECHAT: (&str, &str) = ("user-agent", "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50 NetType/WIFI");
    let sim = start().await;
    let link = format!("/connect/oauth2/authorize?{BASE}{HOME}&scope=snsapi_base&state=x&agentid=1000002");
    for (who, key, value) in [
        (Person::Member("zhangsan".to_owned()), "userid", "zhangsan"),
        (Person::Outsider("oWeChat".to_owned()), "openid", "oWeChat"),
    ] {
        sim.hold_device(Some(who));
        let back = send(&sim, "GET", &link, &[WECHAT], "").await.unwrap();
        assert_eq!(redeem(&sim, &parameter(&back, "code").unwrap()).await[key], value);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_link_is_said_on_the_page() {
    let sim = on_device("zhangsan").await;
    let good_state = "a".repeat(128);
    let long = "a".repeat(129);
    for (query, text) in [
        (format!("{BASE}{HOME}&scope=snsapi_base&state={long}"), "84025"),
        (format!("{BASE}{HOME}&scope=snsapi_base&state=a-b"), "84025"),
        (format!("{BASE}{HOME}&scope=snsapi_login"), "scope"),
        (format!("appid=ww5ca1ab1e5ca1ab1e{HOME}&scope=snsapi_base"), "response_type"),
        (format!("appid=ww0&response_type=code{HOME}&scope=snsapi_base"), "appid"),
        (format!("{BASE}{HOME}&scope=snsapi_base&agentid=7"), "agentid"),
        (
            format!("{BASE}&scope=snsapi_base&redirect_uri=https%3A%2F%2Fevil.example%2F"),
            "redirect_uri参数错误",
        ),
        (format!("{BASE}&scope=snsapi_base&redirect_uri=x"), "redirect_uri"),
    ] {
        let page = authorize(&sim, &query, &[]).await;
        assert!(page.status == 200 && page.body.contains(text), "{query}: {}", page.body);
    }
    let good = authorize(&sim, &format!("{BASE}{HOME}&scope=snsapi_base&state={good_state}"), &[]).await;
    assert_eq!(good.status, 302);
}

#[tokio::test]
async fn a_browser_is_asked_once_whose_phone_it_is() {
    let sim = start().await;
    let link = format!("{BASE}{HOME}&scope=snsapi_base&state=S1&agentid=1000002");
    let page = authorize(&sim, &link, &[]).await;
    let choose = page.body.split("href=\"").find(|part| part.contains("userid=lisi\"")).unwrap();
    let choose = choose.split('"').next().unwrap().replace("&#38;", "&");
    let chosen = send(&sim, "GET", &choose, &[PHONE], "").await.unwrap();
    assert_eq!(
        (chosen.status, chosen.header("location")),
        (302, format!("/connect/oauth2/authorize?{link}").as_str())
    );
    let cookie = chosen.header("set-cookie").split(';').next().unwrap();
    let back = authorize(&sim, &link, &[("cookie", cookie)]).await;
    assert_eq!(redeem(&sim, &parameter(&back, "code").unwrap()).await["userid"], "lisi");
    // Another company does not know that phone.
    let other = link.replace(sample::CORP_ID, sample::SECOND_CORP_ID);
    assert_eq!(authorize(&sim, &other, &[("cookie", cookie)]).await.status, 200);
}

#[tokio::test]
async fn f7_a_phone_is_known_beside_text_in_chinese() {
    let sim = start().await;
    let link = format!("/connect/oauth2/authorize?{BASE}{HOME}&scope=snsapi_base&state=S1&agentid=1000002");
    let phone = ("user-agent", "Mozilla/5.0 (Linux; Android 14; 华为) wxwork/4.1.30 MicroMessenger/7.0.1");
    let page = send(&sim, "GET", &link, &[phone, ("accept-language", "中文, en")], "").await.unwrap();
    assert!(page.status == 200 && page.body.contains("<html lang=\"en\""), "{}", page.body);
    let choose = page.body.split("href=\"").find(|part| part.contains("userid=lisi\"")).unwrap();
    let choose = choose.split('"').next().unwrap().replace("&#38;", "&");
    let chosen = send(&sim, "GET", &choose, &[phone], "").await.unwrap();
    let cookie = chosen.header("set-cookie").split(';').next().unwrap();
    let name = cookie.split('=').next().unwrap();
    for cookies in [
        format!("corp_user=张三; {cookie}"),
        format!("=;;; {name}=张三; {name}; {cookie}; x=张三"),
        format!("\";{cookie};"),
    ] {
        let back = send(&sim, "GET", &link, &[phone, ("cookie", &cookies)], "").await.unwrap();
        let code = parameter(&back, "code").unwrap_or_else(|| panic!("{cookies}: {}", back.body));
        assert_eq!(redeem(&sim, &code).await["userid"], "lisi", "{cookies}");
    }
}

#[tokio::test]
async fn the_device_can_be_set_over_http() {
    let sim = start().await;
    let link = format!("{BASE}{HOME}&scope=snsapi_base&state=S1&agentid=1000002");
    for (body, key, value) in
        [(json!({"userid": "qianqi"}), "userid", "qianqi"), (json!({"openid": "oX"}), "openid", "oX")]
    {
        assert_eq!(post(&sim, "/_sim/device", &body.to_string()).await.status, 200);
        let back = authorize(&sim, &link, &[]).await;
        let person: Value = redeem(&sim, &parameter(&back, "code").unwrap()).await;
        assert_eq!(person[key], value);
    }
    assert_eq!(post(&sim, "/_sim/device", "{}").await.status, 400);
}
