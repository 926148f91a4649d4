//! F14, F19: a userid is given to the next person, and an administrator unbinds a member.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use wecom_login_accounts::{Accounts, Admins, Confirmed, Rehire};
use wecom_login_model::{MemberRef, MemberStatus, Profile};
use wecom_login_server::Settings;
use wecom_login_simulator::{CodeRequest, CodeScope, Fault, FaultKind, SensitiveField, sample};
use wecom_login_store::{Asked, NewAccount};

use crate::browser::{Browser, Page};
use crate::world::{World, redirect, state_of, world};

const ACCOUNTS: &str = "/console/api/accounts";

fn member(user_id: &str) -> MemberRef {
    format!("{}/{user_id}", sample::CORP_ID).parse().unwrap()
}

fn with_zhangsan(settings: &mut Settings) {
    settings.administrators.admins = [member("ZhangSan")].into_iter().collect();
}

fn asking(settings: &mut Settings) {
    settings.accounts.rehire = Rehire::Confirm;
}

async fn signed_in(world: &World, user_id: &str) -> Browser {
    let browser = world.browser();
    let page = world.sign_in(&browser, user_id).await;
    assert_eq!(page.location(), "/", "{page:?}");
    browser
}

async fn account(browser: &Browser) -> Value {
    browser.get_json("/me").await.json()["account"].clone()
}

/// The member is deleted. The next person with the userid has that name.
async fn is_given_to(world: &World, user_id: &str, name: &str) {
    let (store, who) = (world.store().await, member(user_id));
    let known = store.member(&who.corp_id, &who.user_id).await.unwrap().unwrap();
    let deleted = Profile { status: Some(MemberStatus::Left), ..known.profile };
    let asked = Asked { number: store.next_number().await.unwrap(), at: world.now() };
    let app = (world.instance.corp_id(), world.instance.agent_id());
    store.record_visible(app, (&who.user_id, &deleted), asked, world.now()).await.unwrap();
    let named = |company: &mut wecom_login_simulator::Company| {
        assert!(company.edit_member(user_id, |member| name.clone_into(&mut member.name)));
    };
    world.wecom.edit(sample::CORP_ID, named).unwrap();
    world.advance(Duration::from_secs(1));
}

fn answer(page: &Page) -> (u16, i64) {
    (page.status.as_u16(), page.json()["errcode"].as_i64().unwrap())
}

#[tokio::test]
async fn f14_the_next_person_with_an_administrators_userid_has_neither_account_nor_rights_nor_contact_data() {
    let world = world().config(json!({"scope": "snsapi_privateinfo"})).settings(with_zhangsan).start().await;
    let admin = world.browser();
    let state = world.state(&admin).await;
    let request = CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, "zhangsan");
    let code = world.wecom.issue_code(request.scope(CodeScope::PrivateInfo(SensitiveField::ALL.to_vec())));
    admin.get(&redirect(&code, &state)).await;
    let before = admin.get_json("/me").await.json();
    assert!(before["mobile"].as_str().is_some_and(|mobile| !mobile.is_empty()), "{before}");
    assert_eq!(answer(&admin.get_json(ACCOUNTS).await), (200, 0));

    is_given_to(&world, "zhangsan", "另一个人").await;
    let next = signed_in(&world, "zhangsan").await;
    let me = next.get_json("/me").await.json();
    assert_ne!(me["account"]["id"], before["account"]["id"]);
    assert_eq!((&me["mobile"], &me["email"]), (&json!(""), &json!("")), "{me}");
    assert_eq!(answer(&next.get_json(ACCOUNTS).await), (403, 710_314));
    assert_eq!(admin.me().await, None, "the sessions of the leaver have ended");

    // An administrator of the server says that it is the right person.
    let admins = Admins::new(vec![member("zhangsan")]);
    let accounts = Accounts::new(world.store().await, std::sync::Arc::new(world.clock.clone()), admins);
    let confirmed = accounts.confirm_administrator(&member("zhangsan")).await.unwrap();
    assert!(matches!(confirmed, Some(Confirmed::Done(_))), "{confirmed:?}");
    let page = next.get_json(ACCOUNTS).await.json();
    let [first, second] = &page["data"]["rowDatas"].as_array().unwrap()[..] else { panic!("{page}") };
    assert_eq!(first["formerMembers"][0]["userId"], "zhangsan", "the former account is shown");
    assert_eq!(
        (&first["formerMembers"][0]["isUndecided"], &second["formerMembers"]),
        (&json!(false), &json!([]))
    );
}

#[tokio::test]
async fn f14_a_deleted_administrator_who_is_back_has_the_account_and_needs_to_be_confirmed() {
    let world = world().settings(with_zhangsan).start().await;
    let before = account(&signed_in(&world, "zhangsan").await).await;
    let name = world.members().await.len();
    assert_eq!(name, 1);
    is_given_to(&world, "zhangsan", "张 三").await;
    let back = signed_in(&world, "zhangsan").await;
    assert_eq!(account(&back).await, before);
    assert_eq!(answer(&back.get_json(ACCOUNTS).await), (403, 710_314));
}

#[tokio::test]
async fn f14_a_return_that_needs_to_be_confirmed_is_refused_with_what_the_administrator_must_do() {
    let world = world().settings(asking).start().await;
    let before = account(&signed_in(&world, "lisi").await).await;
    is_given_to(&world, "lisi", "李四").await;
    let browser = world.browser();
    let page = world.sign_in(&browser, "lisi").await;
    assert_eq!((page.status.as_u16(), page.problem()), (403, 710_109));
    assert!(page.text.contains("account bind") && page.text.contains("account unbind"), "{}", page.text);
    assert_eq!(browser.me().await, None);

    let store = world.store().await;
    let keys = wecom_login_accounts::ApiKeys::new(
        store,
        std::sync::Arc::new(world.clock.clone()),
        std::sync::Arc::new(wecom_login_model::SystemEntropy),
    );
    let key = keys.add("hr").await.unwrap().unwrap();
    let body = json!({"username": "lisi", "corpId": sample::CORP_ID, "userId": "lisi"});
    let request = browser
        .request(reqwest::Method::POST, "/console/api/accounts/bind")
        .header("authorization", format!("Bearer {}", key.secret().expose()));
    assert_eq!(answer(&browser.send(request.json(&body)).await), (200, 0));
    assert_eq!(account(&signed_in(&world, "lisi").await).await, before);
}

#[tokio::test]
async fn f14_an_administrators_session_without_an_account_is_asked_to_sign_in_again() {
    let world = world().settings(with_zhangsan).start().await;
    let admin = signed_in(&world, "zhangsan").await;
    let options = SqliteConnectOptions::new().filename(world.data().join("wecom-login.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    // As sessions of versions without accounts are.
    sqlx::query("UPDATE sessions SET account_id = NULL").execute(&mut connection).await.unwrap();
    assert_eq!(answer(&admin.get_json(ACCOUNTS).await), (401, 710_301));
    let admin = signed_in(&world, "zhangsan").await;
    assert_eq!(answer(&admin.get_json(ACCOUNTS).await), (200, 0));
}

#[tokio::test]
async fn f19_the_next_sign_in_does_not_undo_an_administrators_unbind() {
    let world = world().config(json!({"bindBy": "userId"})).settings(with_zhangsan).start().await;
    let admin = signed_in(&world, "zhangsan").await;
    let new = NewAccount {
        username: "lisi".parse().unwrap(),
        mobile: String::new(),
        email: String::new(),
        company: None,
        member: None,
    };
    world.store().await.import_account(&new, world.now(), false).await.unwrap();
    let before = account(&signed_in(&world, "lisi").await).await;
    let who = json!({"corpId": sample::CORP_ID, "userId": "lisi"});
    let unbound = admin.post_json("/console/api/accounts/unbind", &who).await;
    assert_eq!(answer(&unbound), (200, 0));
    let after = account(&signed_in(&world, "lisi").await).await;
    assert_eq!((&before["username"], &after["username"]), (&json!("lisi"), &json!("lisi-2")));
    let page = admin.get_json(ACCOUNTS).await.json();
    let row =
        page["data"]["rowDatas"].as_array().unwrap().iter().find(|row| row["username"] == "lisi").unwrap();
    assert_eq!(row["formerMembers"][0]["reason"], "unbound", "{row}");
}

/// The member had an account when WeCom named them, so nobody asked WeCom for the number that the search needs.
#[tokio::test]
async fn f19_who_is_unbound_during_a_sign_in_begins_again_and_is_searched() {
    let world = world().config(json!({"scope": "snsapi_privateinfo", "bindBy": "mobile"})).start().await;
    let store = world.store().await;
    signed_in(&world, "zhangsan").await;
    let browser = std::sync::Arc::new(world.browser());
    let state = world.state(&browser).await;
    let request = CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, "zhangsan");
    let code = world.wecom.issue_code(request.scope(CodeScope::PrivateInfo(SensitiveField::ALL.to_vec())));
    world.wecom.fault(Fault::new("auth/getuserdetail", FaultKind::Hang));
    let signing_in = tokio::spawn({
        let (browser, address) = (browser.clone(), redirect(&code, &state));
        async move { browser.get(&address).await }
    });
    world.wecom.held(1).await;
    assert!(store.unbind_member(&member("zhangsan"), world.now()).await.unwrap());
    world.wecom.clear_faults();
    let page = signing_in.await.unwrap();
    assert_eq!((page.status.as_u16(), browser.me().await), (303, None), "{page:?}");
    assert_eq!(store.accounts(0, 1).await.unwrap().1, 1, "no account without a search");

    let new = NewAccount {
        username: "boss".parse().unwrap(),
        mobile: "13800000001".to_owned(),
        email: String::new(),
        company: None,
        member: None,
    };
    store.import_account(&new, world.now(), false).await.unwrap();
    let request = CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, "zhangsan");
    let code = world.wecom.issue_code(request.scope(CodeScope::PrivateInfo(SensitiveField::ALL.to_vec())));
    browser.get(&redirect(&code, &state_of(page.location()))).await;
    assert_eq!(account(&browser).await["username"], "boss");
}

#[tokio::test]
async fn f19_a_list_without_companies_is_refused_line_by_line_where_several_are_served() {
    let second = json!({
        "corpId": sample::SECOND_CORP_ID,
        "corpSecret": sample::SECOND_SECRET,
        "agentId": sample::SECOND_AGENT_ID,
    });
    let world = world().instance("Second", second).settings(with_zhangsan).start().await;
    let admin = signed_in(&world, "zhangsan").await;
    let request = admin.request(reqwest::Method::POST, "/console/api/accounts/import");
    let list = format!("username,mobile,corpId\none,13800000001,\ntwo,13800000002,{}\n", sample::CORP_ID);
    let page = admin.send(request.header("content-type", "text/csv").body(list)).await.json();
    assert_eq!((&page["data"]["created"], &page["data"]["bad"][0]["line"]), (&json!(1), &json!(2)), "{page}");
    assert!(page["data"]["bad"][0]["reason"].as_str().unwrap().contains("corpId is required"), "{page}");
}
