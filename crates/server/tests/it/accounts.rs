use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use wecom_login_model::{MemberRef, Secret};
use wecom_login_sign_in::{AuthorizationResponse, BrowserId, StateOwner, Visitor};
use wecom_login_simulator::{CodeRequest, CodeScope, Fault, FaultKind, SensitiveField, sample};
use wecom_login_store::{NewAccount, Store};

use crate::browser::{Browser, Page};
use crate::world::{ELEMENT, World, deliver, redirect, state_of, world};

async fn account(browser: &Browser) -> Value {
    browser.get_json("/me").await.json()["account"].clone()
}

async fn username(browser: &Browser) -> String {
    account(browser).await["username"].as_str().unwrap().to_owned()
}

/// Makes an account as an import does.
async fn import(store: &Store, username: &str, mobile: &str, email: &str, member: Option<&str>) {
    let new = NewAccount {
        username: username.parse().unwrap(),
        mobile: mobile.into(),
        email: email.into(),
        company: None,
        member: member.map(|member| member.parse().unwrap()),
    };
    store.import_account(&new, wecom_login_model::Timestamp::from_millis(1), false).await.unwrap();
}

fn second() -> Value {
    json!({
        "corpId": sample::SECOND_CORP_ID,
        "corpSecret": sample::SECOND_SECRET,
        "agentId": sample::SECOND_AGENT_ID,
    })
}

async fn sign_in_there(world: &World, browser: &Browser, user_id: &str) -> Page {
    let state = world.state_of(browser, "Second").await;
    let request = CodeRequest::member(sample::SECOND_CORP_ID, sample::SECOND_AGENT_ID, user_id);
    browser.get(&redirect(&world.wecom.issue_code(request), &state)).await
}

#[tokio::test]
async fn a_new_member_gets_an_account_and_keeps_it() {
    let world = world().instance("Second", second()).start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let first = account(&browser).await;
    assert_eq!(first["username"], "zhangsan");
    let other = world.browser();
    world.sign_in(&other, "ZhangSan").await;
    assert_eq!(account(&other).await, first);

    // The same userid in another company is another person, with another account and another name.
    let theirs = world.browser();
    sign_in_there(&world, &theirs, "zhangsan").await;
    let second = account(&theirs).await;
    assert_eq!(second["username"], "zhangsan-2");
    assert_ne!(second["id"], first["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_sign_ins_at_once_of_one_new_member_make_one_row_and_one_account() {
    let world = world().start().await;
    let mut redirects = Vec::new();
    for number in 0..64 {
        let browser = BrowserId::of_client(&format!("{number:032}")).unwrap();
        let config = world.login.login_config(&world.instance, StateOwner::Browser(&browser)).unwrap();
        let user_id = if number % 2 == 0 { "zhangsan" } else { "ZhangSan" };
        redirects.push(AuthorizationResponse {
            instance: world.instance.clone(),
            code: Secret::new(world.code(user_id)),
            state: Secret::new(config.state),
            visitor: Arc::new(Visitor::of(browser)),
        });
    }
    let start = Arc::new(tokio::sync::Barrier::new(64));
    let mut people = tokio::task::JoinSet::new();
    for redirect in redirects {
        let (login, start) = (world.login.clone(), start.clone());
        people.spawn(async move {
            start.wait().await;
            deliver(&login, &redirect).await.unwrap().session
        });
    }
    let sessions = people.join_all().await;
    let accounts: BTreeSet<_> = sessions.iter().map(|session| session.account_id.unwrap()).collect();
    let ids: BTreeSet<_> = sessions.iter().map(|session| session.id.clone()).collect();
    assert_eq!((accounts.len(), ids.len()), (1, 64));
    let (rows, total) = world.store().await.accounts(0, 10).await.unwrap();
    assert_eq!((total, rows[0].members.len()), (1, 1));
    assert_eq!(world.members().await.len(), 1);
}

#[tokio::test]
async fn without_auto_register_whoever_has_no_account_is_refused_by_a_number_of_its_own() {
    let world = world().config(json!({"autoRegister": false})).start().await;
    let browser = world.browser();
    let page = world.sign_in(&browser, "zhangsan").await;
    assert_eq!((page.status.as_u16(), page.problem()), (403, 710_105));
    assert_eq!(browser.me().await, None);
    assert_eq!(world.store().await.accounts(0, 1).await.unwrap().1, 0);

    import(&world.store().await, "boss", "", "", Some(&format!("{}/ZHANGSAN", sample::CORP_ID))).await;
    world.sign_in(&browser, "zhangsan").await;
    assert_eq!(username(&browser).await, "boss");
}

/// F18: the account is decided when the session begins, not before WeCom was asked.
#[tokio::test]
async fn unbinding_during_a_sign_in_leaves_no_session_without_an_account() {
    let world = world().config(json!({"autoRegister": false})).start().await;
    let store = world.store().await;
    let member: MemberRef = format!("{}/zhangsan", sample::CORP_ID).parse().unwrap();
    import(&store, "boss", "", "", Some(&member.to_string())).await;
    let browser = Arc::new(world.browser());
    let redirect = world.redirect(&browser, "zhangsan").await;
    world.wecom.fault(Fault::new("user/get", FaultKind::Hang));
    let signing_in = tokio::spawn({
        let browser = browser.clone();
        async move { browser.get(&redirect).await }
    });
    world.wecom.held(1).await;
    assert!(store.unbind_member(&member, world.now()).await.unwrap());
    world.wecom.clear_faults();
    let page = signing_in.await.unwrap();
    assert_eq!((page.status.as_u16(), page.problem()), (403, 710_105));
    assert_eq!(browser.me().await, None);
    let sessions = store.live_sessions(wecom_login_store::SessionsOf::default(), world.now(), 0, 1).await;
    assert_eq!(sessions.unwrap().1, 0);
}

#[tokio::test]
async fn by_user_id_an_account_is_found_once_and_for_one_company() {
    let config = json!({"autoRegister": false, "bindBy": "userId"});
    let mut there = second();
    there["autoRegister"] = json!(false);
    there["bindBy"] = json!("userId");
    let world = world().config(config).instance("Second", there).start().await;
    import(&world.store().await, "ZhangSan", "", "", None).await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    assert_eq!(username(&browser).await, "ZhangSan");
    assert_eq!(world.sign_in(&world.browser(), "lisi").await.problem(), 710_105);
    let page = sign_in_there(&world, &world.browser(), "zhangsan").await;
    assert_eq!(page.problem(), 710_105, "the account is somebody's");
}

#[tokio::test]
async fn an_administrators_account_is_found_by_nobody() {
    let config = json!({"autoRegister": false, "bindBy": "userId"});
    let world = world()
        .config(config)
        .settings(|settings| {
            // Of another company, who has never been here.
            settings.administrators.admins =
                [format!("{}/lisi", sample::SECOND_CORP_ID).parse::<MemberRef>().unwrap()]
                    .into_iter()
                    .collect();
        })
        .start()
        .await;
    import(&world.store().await, "lisi", "", "", None).await;
    assert_eq!(world.sign_in(&world.browser(), "lisi").await.problem(), 710_105);
}

#[tokio::test]
async fn nobody_is_found_by_a_display_name() {
    let world = world().config(json!({"bindBy": "userId"})).start().await;
    world
        .wecom
        .edit(sample::CORP_ID, |company| company.edit_member("lisi", |member| member.name = "boss".into()))
        .unwrap();
    import(&world.store().await, "boss", "", "", None).await;
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    assert_eq!(username(&browser).await, "lisi");
}

async fn sign_in_with_consent(world: &World, browser: &Browser, ticked: &[SensitiveField]) -> Page {
    let state = world.state(browser).await;
    let request = CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, "zhangsan");
    let code = world.wecom.issue_code(request.scope(CodeScope::PrivateInfo(ticked.to_vec())));
    browser.get(&redirect(&code, &state)).await
}

#[tokio::test]
async fn by_mobile_only_what_wecom_returns_now_counts() {
    let config = json!({"scope": "snsapi_privateinfo", "autoRegister": false, "bindBy": "mobile"});
    let world = world().config(config).start().await;
    let browser = world.browser();
    // WeCom tells the number, and the row keeps it; no account has it yet.
    assert_eq!(sign_in_with_consent(&world, &browser, &SensitiveField::ALL).await.problem(), 710_105);
    import(&world.store().await, "boss", "13800000001", "", None).await;
    // What the row remembers does not count.
    assert_eq!(sign_in_with_consent(&world, &browser, &[]).await.problem(), 710_105);
    let page = sign_in_with_consent(&world, &browser, &[SensitiveField::Mobile]).await;
    assert_eq!(page.location(), "/");
    assert_eq!(username(&browser).await, "boss");
    // From now on it costs what it costs everybody.
    world.wecom.reset_calls();
    assert_eq!(sign_in_with_consent(&world, &browser, &[]).await.location(), "/");
    assert_eq!(world.wecom.calls_of("user/get"), 0);
}

#[tokio::test]
async fn a_value_that_two_accounts_have_finds_none() {
    let config = json!({"scope": "snsapi_privateinfo", "autoRegister": false, "bindBy": "bizMail"});
    let world = world().config(config).start().await;
    let store = world.store().await;
    import(&store, "one", "", "Zhangsan@yunfan.example.com", None).await;
    import(&store, "two", "", "zhangsan@yunfan.example.com", None).await;
    let browser = world.browser();
    assert_eq!(sign_in_with_consent(&world, &browser, &SensitiveField::ALL).await.problem(), 710_105);
}

#[tokio::test]
async fn when_wecom_does_not_tell_nobody_gets_a_second_account_by_mistake() {
    let config = json!({"scope": "snsapi_privateinfo", "bindBy": "mobile"});
    let world = world().config(config).start().await;
    import(&world.store().await, "boss", "13800000001", "", None).await;
    world.wecom.fault(Fault::new("auth/getuserdetail", FaultKind::Status { code: 500 }));
    let browser = world.browser();
    let state = world.state(&browser).await;
    let request = CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, "zhangsan");
    let code = world.wecom.issue_code(request.scope(CodeScope::PrivateInfo(SensitiveField::ALL.to_vec())));
    let address = redirect(&code, &state);
    assert_eq!(browser.get(&address).await.status.as_u16(), 502);
    world.wecom.clear_faults();
    let page = browser.get(&address).await;
    assert_eq!(world.store().await.accounts(0, 1).await.unwrap().1, 1);
    // It has begun again by itself: WeCom tells it with a new code only.
    let request = CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, "zhangsan");
    let code = world.wecom.issue_code(request.scope(CodeScope::PrivateInfo(SensitiveField::ALL.to_vec())));
    assert_eq!(browser.get(&redirect(&code, &state_of(page.location()))).await.location(), "/");
    assert_eq!(username(&browser).await, "boss");
}

#[tokio::test]
async fn a_new_userid_keeps_account_and_session() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let before = account(&browser).await;
    world
        .wecom
        .edit(sample::CORP_ID, |company| {
            let mut member = company.member("zhangsan").unwrap().into_owned();
            company.remove_member("zhangsan");
            member.userid = "zhang.san".into();
            company.put_member(member);
        })
        .unwrap();
    // The person is faster than the event, and has got another account for the moment.
    let other = world.browser();
    world.sign_in(&other, "zhang.san").await;
    assert_ne!(account(&other).await, before);
    let directory = wecom_login_directory::Directory::new(world.store().await, Arc::new(world.clock.clone()));
    let (old, new) = ("zhangsan".parse_user(), "zhang.san".parse_user());
    assert!(directory.rename_member(world.instance.corp_id(), &old, &new).await.unwrap());
    assert!(!directory.rename_member(world.instance.corp_id(), &old, &new).await.unwrap(), "it comes twice");
    assert_eq!(other.me().await, None, "the session of the other account has ended");
    let me = browser.get_json("/me").await.json();
    assert_eq!((&me["userId"], &me["account"]), (&json!("zhang.san"), &before));
    world.sign_in(&other, "zhang.san").await;
    assert_eq!(account(&other).await, before);
    assert_eq!(world.members().await.len(), 1);
}

trait ParseUser {
    fn parse_user(&self) -> wecom_login_model::UserId;
}

impl ParseUser for str {
    fn parse_user(&self) -> wecom_login_model::UserId {
        wecom_login_model::UserId::parse(self).unwrap()
    }
}

#[tokio::test]
async fn the_library_names_a_member_and_makes_no_account() {
    let world = world().start().await;
    world.login.identify(&world.instance, &world.code("zhangsan"), None).await.unwrap();
    assert_eq!(world.store().await.accounts(0, 1).await.unwrap().1, 0);
    assert_eq!(world.instance.full_name(), ELEMENT);
}
