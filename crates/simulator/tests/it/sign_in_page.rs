//! The sign-in pages: who is shown, and where each way out leads.

use serde_json::{Value, json};
use wecom_login_simulator::{Company, Desktop, Options, Simulator, sample};

use crate::browser::{Answer, get, parameter, redeem, redirect, send, start};

const NEW: &str = "/wwlogin/sso/login?login_type=CorpApp&appid=ww5ca1ab1e5ca1ab1e&agentid=1000002";
const OLD: &str = "/wwopen/sso/qrConnect?appid=ww5ca1ab1e5ca1ab1e&agentid=1000001";
const REDIRECT: &str = "&redirect_uri=http%3A%2F%2F127.0.0.1%3A9000%2Fcb%3Fa%3Db&state=S1";

/// The key that the page's links carry.
fn key(page: &Answer) -> &str {
    assert_eq!(page.status, 200);
    page.body
        .split("data-key=\"")
        .nth(1)
        .unwrap_or_else(|| panic!("{}", page.body))
        .split('"')
        .next()
        .unwrap()
}

/// What the page tells the panel that embeds it.
fn told(page: &Answer) -> Value {
    let json = page.body.split("name=\"panel\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    serde_json::from_str(&json.replace("&#34;", "\"")).unwrap()
}

async fn open(sim: &Simulator, link: &str) -> String {
    key(&get(sim, &format!("{link}{REDIRECT}")).await).to_owned()
}

#[tokio::test]
async fn confirming_leads_back_with_code_and_state() {
    let sim = start().await;
    let key = open(&sim, NEW).await;
    let confirm = get(&sim, &format!("/wwlogin/confirm?key={key}&userid=zhangsan")).await;
    assert!(confirm.body.contains("id=\"confirm\"") && confirm.body.contains("张三"));
    let back = get(&sim, &format!("/wwlogin/finish?key={key}&userid=zhangsan")).await;
    let (base, pairs) = redirect(&back);
    assert_eq!(base, "http://127.0.0.1:9000/cb");
    assert_eq!(pairs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "code", "state"]);
    assert_eq!(parameter(&back, "state").as_deref(), Some("S1"));
    assert_eq!(
        redeem(&sim, &parameter(&back, "code").unwrap()).await,
        json!({"errcode": 0, "errmsg": "ok", "userid": "zhangsan"})
    );
    assert_eq!(back.header("cache-control"), "no-store");
}

#[tokio::test]
async fn declining_leads_back_with_the_state_alone() {
    let sim = start().await;
    let key = open(&sim, NEW).await;
    let back = get(&sim, &format!("/wwlogin/finish?key={key}&decline=1")).await;
    assert_eq!(redirect(&back).1, [("a".to_owned(), "b".to_owned()), ("state".to_owned(), "S1".to_owned())]);
}

#[tokio::test]
async fn a_non_member_brings_an_openid() {
    let sim = start().await;
    let key = open(&sim, NEW).await;
    let back = get(&sim, &format!("/wwlogin/finish?key={key}&openid={}", sample::OUTSIDER)).await;
    assert_eq!(redeem(&sim, &parameter(&back, "code").unwrap()).await["openid"], sample::OUTSIDER);
}

#[tokio::test]
async fn a_member_outside_the_scope_passes_the_new_page_and_not_the_old_one() {
    let sim = start().await;
    let person = format!("userid={}", sample::OUT_OF_SCOPE);
    let key = open(&sim, NEW).await;
    let confirm = get(&sim, &format!("/wwlogin/confirm?key={key}&{person}")).await;
    assert!(confirm.body.contains("不在可见范围"));
    let back = get(&sim, &format!("/wwlogin/finish?key={key}&{person}")).await;
    assert_eq!(redeem(&sim, &parameter(&back, "code").unwrap()).await["userid"], sample::OUT_OF_SCOPE);

    let key = open(&sim, OLD).await;
    for step in ["confirm", "finish"] {
        let page = get(&sim, &format!("/wwlogin/{step}?key={key}&{person}")).await;
        assert!(page.status == 200 && page.body.contains("无权限"), "{step}");
    }
    let inside = get(&sim, &format!("/wwlogin/finish?key={key}&userid=lisi")).await;
    assert_eq!(inside.status, 302);
}

#[tokio::test]
async fn the_phone_signs_in_the_page_that_waits() {
    let sim = start().await;
    let key = open(&sim, NEW).await;
    let status = async || get(&sim, &format!("/wwlogin/status?key={key}")).await.json();
    assert_eq!(status().await["state"], "waiting");
    let scan = get(&sim, &format!("/wwlogin/scan?key={key}&phone=1")).await;
    assert!(scan.body.contains("data-userid=\"zhangsan\""));
    assert_eq!(status().await["state"], "scanned");
    let phone = get(&sim, &format!("/wwlogin/finish?key={key}&userid=lisi&phone=1")).await;
    assert!(phone.status == 200 && phone.body.contains("登录已确认"));
    let done = status().await;
    let location = url::Url::parse(done["location"].as_str().unwrap()).unwrap();
    let code = location.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert_eq!(redeem(&sim, &code).await["userid"], "lisi");
}

#[tokio::test]
async fn the_window_that_goes_back_follows_redirect_type() {
    let sim = start().await;
    for (link, target) in [("", "_top"), ("&redirect_type=top", "_top"), ("&redirect_type=self", "_self")] {
        let key = open(&sim, &format!("{NEW}{link}")).await;
        let confirm = get(&sim, &format!("/wwlogin/confirm?key={key}&userid=lisi")).await;
        let button = confirm.body.lines().find(|line| line.contains("id=\"confirm\"")).unwrap();
        assert!(button.contains(&format!("target=\"{target}\"")), "{link}: {button}");
    }
    let key = open(&sim, &format!("{NEW}&redirect_type=callback")).await;
    let page = get(&sim, &format!("/wwlogin/finish?key={key}&userid=lisi")).await;
    let told = told(&page);
    assert_eq!(
        (&told["listener"], &told["name"]),
        (&json!("http://127.0.0.1:9000"), &json!("onLoginSuccess"))
    );
    let code = told["payload"]["code"].as_str().unwrap();
    assert_eq!(redeem(&sim, code).await["userid"], "lisi");
}

#[tokio::test]
async fn the_desktop_client_offers_its_own_member_one_click() {
    let sim = start().await;
    let set = async |body: &str| crate::browser::post(&sim, "/_sim/desktop", body).await;
    let page = async || get(&sim, &format!("{NEW}{REDIRECT}")).await;
    for (body, signed_in) in [
        ("{}", false),
        (r#"{"userid": "ZhangSan"}"#, true),
        (r#"{"userid": "zhangsan", "corpid": "wwdeca1c0ffeedecaf"}"#, false),
    ] {
        assert_eq!(set(body).await.status, 200, "{body}");
        let page = page().await;
        assert_eq!(told(&page)["payload"], json!({"isWeComLogin": signed_in}), "{body}");
        assert_eq!(page.body.contains("id=\"quick\""), signed_in, "{body}");
    }
    assert_eq!(get(&sim, "/_sim/desktop").await.json()["userid"], "zhangsan");
    assert_eq!(set(r#"{"userid": "nobody"}"#).await.status, 400);
    send(&sim, "DELETE", "/_sim/desktop", &[], "").await.unwrap();
    assert_eq!(get(&sim, "/_sim/desktop").await.json(), json!({"running": false}));
    // The older page knows no desktop client and no panel.
    sim.set_desktop(Desktop::SignedIn { corpid: sample::CORP_ID.to_owned(), userid: "zhangsan".to_owned() });
    let old = get(&sim, &format!("{OLD}{REDIRECT}")).await.body;
    assert!(!old.contains("id=\"quick\"") && !old.contains("name=\"panel\""));
}

#[tokio::test]
async fn a_wrong_domain_is_named_on_a_page_with_status_200() {
    let sim = start().await;
    sim.edit(sample::CORP_ID, |company| {
        company.edit_app(sample::AGENT_ID, |app| {
            app.login_domains = vec!["app.example.com".to_owned()];
            app.oauth_domains = vec!["oauth.example.com:8443".to_owned()];
        })
    })
    .unwrap();
    for (uri, fits) in [
        ("https%3A%2F%2Fapp.example.com%2Fcb", true),
        ("http%3A%2F%2Fapp.example.com%2Fcb", true),
        ("https%3A%2F%2Foauth.example.com%3A8443%2F", true),
        ("https%3A%2F%2Fapp.example.com%3A8443%2Fcb", false),
        ("https%3A%2F%2Foauth.example.com%2F", false),
        ("https%3A%2F%2Fapp.example.com.evil.example%2F", false),
    ] {
        let page = get(&sim, &format!("{NEW}&redirect_uri={uri}&state=x")).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.body.contains("redirect_uri 与配置的授权完成回调域名不一致"), !fits, "{uri}");
        assert_eq!(page.body.contains("<svg"), fits, "{uri}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_link_is_said_on_the_page() {
    let sim = start().await;
    for (link, text) in [
        ("/wwlogin/sso/login?appid=ww5ca1ab1e5ca1ab1e&agentid=1000002", "login_type"),
        ("/wwlogin/sso/login?login_type=ServiceApp&appid=ww5ca1ab1e5ca1ab1e&agentid=1000002", "login_type"),
        ("/wwlogin/sso/login?login_type=CorpApp&appid=ww0&agentid=1000002", "appid"),
        ("/wwlogin/sso/login?login_type=CorpApp&appid=ww5ca1ab1e5ca1ab1e&agentid=7", "agentid"),
        ("/wwlogin/sso/login?login_type=CorpApp&appid=ww5ca1ab1e5ca1ab1e", "agentid"),
        ("/wwopen/sso/qrConnect?appid=ww0&agentid=1", "appid"),
    ] {
        let page = get(&sim, &format!("{link}{REDIRECT}")).await;
        assert!(page.status == 200 && page.body.contains(text) && !page.body.contains("<svg"), "{link}");
    }
    let page = get(&sim, &format!("{NEW}&redirect_uri=nonsense")).await;
    assert!(page.body.contains("redirect_uri"));
    let expired = get(&sim, "/wwlogin/finish?key=unknown&userid=lisi").await;
    assert!(expired.status == 200 && expired.body.contains("已过期"));
    let key = open(&sim, NEW).await;
    sim.advance(std::time::Duration::from_mins(5));
    let expired = get(&sim, &format!("/wwlogin/finish?key={key}&userid=lisi")).await;
    assert!(expired.status == 200 && expired.body.contains("已过期"));
}

#[tokio::test]
async fn pages_speak_chinese_unless_asked_for_english() {
    let sim = start().await;
    for (lang, accepted, tag) in [
        ("", "", "zh-CN"),
        ("&lang=en", "zh-CN", "en"),
        ("&lang=zh", "en-US", "zh-CN"),
        ("", "en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("", "fr,zh;q=0.5", "zh-CN"),
        ("", "fr", "zh-CN"),
    ] {
        let path = format!("{NEW}{REDIRECT}{lang}");
        let page = send(&sim, "GET", &path, &[("accept-language", accepted)], "").await.unwrap();
        assert!(page.body.contains(&format!("<html lang=\"{tag}\" ")), "{lang} {accepted}");
    }
}

#[tokio::test]
async fn a_page_runs_no_script_but_its_own_and_takes_nothing_from_the_link_as_markup() {
    let sim = start().await;
    let page = get(&sim, &format!("{NEW}{REDIRECT}%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")).await;
    assert!(!page.body.contains("<script>"));
    assert_eq!(page.body.matches("<script").count(), 1);
    assert!(!page.body.contains(" style=") && !page.body.contains(" onclick="));
    let policy = page.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    let key = key(&page);
    let search = get(&sim, &format!("/wwlogin/people?key={key}&q=%3Cb%3E")).await;
    assert!(!search.body.contains("<b>"));
}

#[tokio::test]
async fn people_stand_in_the_order_in_which_the_company_was_written() {
    let sim = start().await;
    let order = |page: &Answer| -> Vec<String> {
        let links = page.body.split("data-userid=\"").skip(1);
        links.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let page = get(&sim, &format!("{NEW}{REDIRECT}")).await;
    let written =
        ["zhangsan", "lisi", "wangwu", "zhaoliu", "qianqi", "sunba", "chenjiu", "Ouyang.Na", "wu10"];
    assert_eq!(order(&page), written);
    let found = get(&sim, &format!("/wwlogin/people?key={}&q=front", key(&page))).await;
    assert_eq!(order(&found), ["wangwu", "Ouyang.Na"]);
}

#[tokio::test]
async fn departments_go_by_their_english_names_on_english_pages() {
    let sim = start().await;
    for (lang, department) in [("en", "R&#38;D · lisi"), ("zh", "研发中心 · lisi")] {
        let page = get(&sim, &format!("{NEW}{REDIRECT}&lang={lang}")).await;
        assert!(page.body.contains(department), "{lang}: {}", page.body);
        let confirm = get(&sim, &format!("/wwlogin/confirm?key={}&userid=lisi", key(&page))).await;
        assert!(confirm.body.contains(department), "{lang}");
    }
    // The second company's departments have none.
    let second = NEW.replace(sample::CORP_ID, sample::SECOND_CORP_ID);
    let page = get(&sim, &format!("{second}{REDIRECT}&lang=en")).await;
    assert!(page.body.contains("采购部 · zhangsan"), "{}", page.body);
}

#[tokio::test]
async fn a_big_company_is_searched_and_never_listed() {
    let company = Company::generated(3000, 40, 1);
    let options = Options { companies: vec![company], ..Options::default() };
    let sim = Simulator::start(options).await.unwrap();
    let page = get(&sim, &format!("{NEW}{REDIRECT}")).await;
    assert_eq!(page.body.matches("data-userid=").count(), 12);
    let key = key(&page);
    let found = get(&sim, &format!("/wwlogin/people?key={key}&q=M002999")).await;
    assert_eq!(found.body.matches("data-userid=").count(), 1);
    assert!(found.body.contains("data-userid=\"m002999\""));
    let found = get(&sim, &format!("/wwlogin/people?key={key}&q=%E5%BC%A0%E4%B8%89")).await;
    assert!(found.body.contains("data-userid=\"zhangsan\""));
    assert!(get(&sim, &format!("/wwlogin/people?key={key}&q=nobody")).await.body.contains("没有找到"));
}

#[tokio::test]
async fn a_link_with_a_parameter_twice_is_read_by_its_first() {
    let sim = start().await;
    let page = get(&sim, &format!("{NEW}{REDIRECT}&agentid=7&state=S2&redirect_uri=x")).await;
    let back = get(&sim, &format!("/wwlogin/finish?key={}&userid=lisi", key(&page))).await;
    assert_eq!(parameter(&back, "state").as_deref(), Some("S1"));
}

#[tokio::test]
async fn a_state_may_be_anything_and_comes_back_unchanged() {
    let sim = start().await;
    let home = "&redirect_uri=http%3A%2F%2F127.0.0.1%3A9000%2Fcb";
    for (given, expected) in
        [("&state=a%20b%2B%26%3D%E5%BC%A0", Some("a b+&=张")), ("&state=", Some("")), ("", None)]
    {
        let page = get(&sim, &format!("{NEW}{home}{given}")).await;
        let back = get(&sim, &format!("/wwlogin/finish?key={}&userid=lisi", key(&page))).await;
        assert_eq!(parameter(&back, "state").as_deref(), expected);
        let declined = get(&sim, &format!("/wwlogin/finish?key={}&decline=1", key(&page))).await;
        assert_eq!(parameter(&declined, "state").as_deref(), expected);
        assert!(!declined.header("location").ends_with('?'));
    }
}
