use std::fmt::Write as _;
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use wecom_login_accounts::ApiKeys;
use wecom_login_model::{MemberRef, SystemEntropy};
use wecom_login_server::Settings;
use wecom_login_simulator::{CodeRequest, sample};
use wecom_login_testkit::wait::{found, until};

use crate::browser::{Browser, Page};
use crate::world::{API, World, redirect, world};

const ACCOUNTS: &str = "/console/api/accounts";

fn with_zhangsan(settings: &mut Settings) {
    let admin: MemberRef = format!("{}/ZhangSan", sample::CORP_ID).parse().unwrap();
    settings.administrators.admins = [admin].into_iter().collect();
}

fn keys(world: &World, store: wecom_login_store::Store) -> ApiKeys {
    ApiKeys::new(store, Arc::new(world.clock.clone()), Arc::new(SystemEntropy))
}

async fn with_key(browser: &Browser, method: Method, path: &str, key: &str, body: &Value) -> Page {
    let request = browser.request(method, path).header("authorization", format!("Bearer {key}"));
    browser.send(if body.is_null() { request } else { request.json(body) }).await
}

fn answer(page: &Page) -> (u16, i64) {
    (page.status.as_u16(), page.json()["errcode"].as_i64().unwrap())
}

#[tokio::test]
async fn only_a_listed_member_of_that_company_administers() {
    let second = json!({
        "corpId": sample::SECOND_CORP_ID,
        "corpSecret": sample::SECOND_SECRET,
        "agentId": sample::SECOND_AGENT_ID,
    });
    let world = world().instance("Second", second).settings(with_zhangsan).start().await;
    let (admin, member, theirs) = (world.browser(), world.browser(), world.browser());
    assert_eq!(answer(&admin.get_json(ACCOUNTS).await), (401, 710_301));

    world.sign_in(&admin, "zhangsan").await;
    world.sign_in(&member, "lisi").await;
    let state = world.state_of(&theirs, "Second").await;
    let request = CodeRequest::member(sample::SECOND_CORP_ID, sample::SECOND_AGENT_ID, "zhangsan");
    theirs.get(&redirect(&world.wecom.issue_code(request), &state)).await;
    assert_eq!(theirs.me().await.as_deref(), Some("zhangsan"));

    assert_eq!(answer(&member.get_json(ACCOUNTS).await), (403, 710_314));
    assert_eq!(answer(&theirs.get_json(ACCOUNTS).await), (403, 710_314), "no administrator there");
    let page = admin.get_json(&format!("{ACCOUNTS}?page=2&size=2")).await.json();
    assert_eq!(
        (&page["data"]["totalCount"], &page["data"]["rowDatas"][0]["username"]),
        (&json!(3), &json!("zhangsan-2"))
    );
    for query in ["page=0", "size=501", "page=x", "page=99999999999999999"] {
        assert_eq!(answer(&admin.get_json(&format!("{ACCOUNTS}?{query}")).await), (400, 710_308), "{query}");
    }
}

#[tokio::test]
async fn another_site_cannot_use_an_administrators_session() {
    let world = world().settings(with_zhangsan).start().await;
    let admin = world.browser();
    world.sign_in(&admin, "zhangsan").await;
    let member = json!({"corpId": sample::CORP_ID, "userId": "zhangsan"});
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = admin.request(Method::POST, &format!("{ACCOUNTS}/unbind")).header(header, value);
        assert_eq!(answer(&admin.send(request.json(&member)).await), (403, 710_302));
    }
    assert_eq!(admin.me().await.as_deref(), Some("zhangsan"));
}

#[tokio::test]
async fn a_key_opens_until_it_is_removed_and_is_nowhere_in_the_database() {
    let world = world().start().await;
    let (browser, store) = (world.browser(), world.store().await);
    let keys = keys(&world, store);
    let key = keys.add("billing").await.unwrap().unwrap();
    assert!(keys.add("billing").await.unwrap().is_none(), "a name is one key's");
    let text = key.secret().expose();
    assert!(text.starts_with("wecom-login-key_"));
    assert_eq!(keys.list().await.unwrap()[0].last_used_at, None);

    let get = async |key: String| {
        let answered = with_key(&browser, Method::GET, ACCOUNTS, &key, &Value::Null).await;
        answer(&answered)
    };
    assert_eq!(get(text.to_owned()).await, (200, 0));
    let used = keys.list().await.unwrap()[0].last_used_at.unwrap();
    assert_eq!(used.as_millis() % 3_600_000, 0, "to the hour");
    for wrong in
        ["", "x", &text[..text.len() - 1], &format!("{}A", &text[..text.len() - 1]), &format!("{text}A")]
    {
        if wrong != text {
            assert_eq!(get(wrong.to_owned()).await, (403, 710_314));
        }
    }
    let page = browser.get_json(&format!("{ACCOUNTS}?key={text}&access_token={text}")).await;
    assert_eq!(answer(&page), (401, 710_301), "a key in an address is none");

    for entry in std::fs::read_dir(world.data()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()));
    }
    assert!(keys.remove("billing").await.unwrap() && !keys.remove("billing").await.unwrap());
    assert_eq!(get(text.to_owned()).await, (403, 710_314));
}

#[tokio::test]
async fn an_import_goes_on_when_its_client_goes_away() {
    const LINES: usize = 3_000;
    let world = world().settings(with_zhangsan).start().await;
    let store = world.store().await;
    let key = keys(&world, store.clone()).add("hr").await.unwrap().unwrap();
    let mut list = String::from("username\n");
    for number in 0..LINES {
        writeln!(list, "person{number}").unwrap();
    }
    let head = format!(
        "POST {ACCOUNTS}/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nAuthorization: Bearer {}\r\n\
         Content-Length: {}\r\n\r\n",
        key.secret().expose(),
        list.len()
    );
    let mut client = tokio::net::TcpStream::connect(world.address()).await.unwrap();
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(list.as_bytes()).await.unwrap();
    until("the first account", async || store.accounts(0, 1).await.unwrap().1 > 0).await;
    drop(client);
    let told = found("the end of the import", async || {
        let entries = store.audit_entries(0, 10).await.unwrap();
        let imported = entries.iter().find(|(_, entry)| entry.event == "accounts_imported");
        imported.map(|(_, entry)| entry.clone()).ok_or(entries)
    })
    .await;
    assert_eq!((told.detail["created"].as_u64(), told.actor.as_str()), (Some(3_000), "API key hr"));
    assert_eq!(store.accounts(0, 1).await.unwrap().1, 3_000);
}

#[tokio::test]
async fn accounts_are_imported_bound_and_unbound() {
    let world = world().config(json!({"autoRegister": false})).start().await;
    let (program, person) = (world.browser(), world.browser());
    let key = keys(&world, world.store().await).add("hr").await.unwrap().unwrap();
    let key = key.secret().expose();
    let import = async |query: &str, kind: &str, body: &str| {
        let request = program
            .request(Method::POST, &format!("{ACCOUNTS}/import{query}"))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", kind)
            .body(body.to_owned());
        program.send(request).await
    };
    let csv = "username,mobile\nboss,13800000001\n,\nclerk,\n";
    let expected = json!({"created": 2, "updated": 0, "unchanged": 0, "bad": [{"line": 3,
        "reason": "username must be 1 to 64 letters, digits or _-@.+, the first a letter or a digit"}]});
    assert_eq!(import("?dryRun=true", "text/csv", csv).await.json()["data"], expected);
    assert_eq!(world.store().await.accounts(0, 1).await.unwrap().1, 0);
    assert_eq!(import("", "text/csv; charset=utf-8", csv).await.json()["data"], expected);
    let again =
        import("", "application/x-ndjson", r#"{"username":"BOSS","email":"b@example.com"}"#).await.json();
    assert_eq!(again["data"]["updated"], 1);
    assert_eq!(answer(&import("", "text/plain", csv).await), (400, 710_405));
    assert_eq!(answer(&import("", "text/csv", "name\nx").await), (400, 710_405));

    let call = async |function: &str, body: Value| {
        let path = format!("{ACCOUNTS}/{function}");
        answer(&with_key(&program, Method::POST, &path, key, &body).await)
    };
    let member = json!({"corpId": sample::CORP_ID, "userId": "ZHANGSAN"});
    let binding = |name: &str| json!({"username": name, "corpId": sample::CORP_ID, "userId": "ZHANGSAN"});
    assert_eq!(call("bind", binding("nobody")).await, (404, 710_402));
    assert_eq!(call("bind", binding("boss")).await, (200, 0));
    assert_eq!(call("bind", binding("boss")).await, (200, 0));
    assert_eq!(call("bind", binding("clerk")).await, (409, 710_403));
    assert_eq!(call("bind", member.clone()).await, (400, 710_308));
    world.sign_in(&person, "zhangsan").await;
    assert_eq!(person.get_json("/me").await.json()["account"]["username"], "boss");

    assert_eq!(call("unbind", member.clone()).await, (200, 0));
    assert_eq!(person.me().await, None, "signed out");
    assert_eq!(call("unbind", member).await, (404, 710_404));
    assert_eq!(world.sign_in(&person, "zhangsan").await.problem(), 710_105);
}

#[tokio::test]
async fn functions_for_administrators_answer_administrators() {
    let world = world().settings(with_zhangsan).start().await;
    let path = format!("{API}/getUserInfo");
    let body = json!({"userId": "lisi"});
    let (admin, member, program) = (world.browser(), world.browser(), world.browser());
    world.sign_in(&admin, "zhangsan").await;
    world.sign_in(&member, "lisi").await;
    assert_eq!(answer(&program.post_json(&path, &body).await), (200, 710_301));
    assert_eq!(answer(&member.post_json(&path, &body).await), (200, 710_314));
    assert_eq!(answer(&admin.post_json(&path, &body).await), (200, 0));
    let key = keys(&world, world.store().await).add("hr").await.unwrap().unwrap();
    assert_eq!(
        answer(&with_key(&program, Method::POST, &path, key.secret().expose(), &body).await),
        (200, 0)
    );
}
