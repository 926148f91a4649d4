//! Bindings by the member: /login?bind=1 binds the next proved member to the account of the visitor's session.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use wecom_login_simulator::{CodeRequest, sample};
use wecom_login_testkit::cookies::pairs;

use crate::browser::{Browser, Page};
use crate::world::{API, BROWSER_COOKIE, ELEMENT, SESSION_COOKIE, World, redirect, state_of, world};

const SECOND: &str = "auths.loginTypes.Second";
const DESKTOP: &str =
    "Mozilla/5.0 (Windows NT 10.0) Chrome/116 wxwork/4.1.36 (MicroMessenger/6.2) WindowsWechat";
const PHONE: &str = "Mozilla/5.0 (Linux; Android 14) Mobile wxwork/4.1.36 MicroMessenger/7.0.1";
const WECHAT: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 MicroMessenger/8.0.50";

fn second() -> Value {
    json!({
        "corpId": sample::SECOND_CORP_ID,
        "corpSecret": sample::SECOND_SECRET,
        "agentId": sample::SECOND_AGENT_ID,
    })
}

async fn account(browser: &Browser) -> Value {
    browser.get_json("/me").await.json()["account"].clone()
}

async fn sign_in_there(world: &World, browser: &Browser, user_id: &str) -> Page {
    let state = world.state_of(browser, "Second").await;
    browser.get(&redirect(&code_there(world, user_id), &state)).await
}

/// Opens the page for binding.
async fn binding_page(browser: &Browser, element: &str) -> Page {
    let page = browser.get(&format!("/login?bind=1&element={element}")).await;
    assert_eq!(page.status.as_u16(), 200, "{}", page.text);
    page
}

/// The state in the page's link.
fn state_in(page: &Page) -> String {
    let (_, rest) = page.text.split_once("&#38;state=").unwrap();
    rest.chars().take_while(char::is_ascii_alphanumeric).collect()
}

async fn binding_state(browser: &Browser, element: &str) -> String {
    state_in(&binding_page(browser, element).await)
}

/// The flow cookie that the answer sets: name and value.
fn flow_cookie(page: &Page) -> (String, String) {
    let cookies = pairs(&page.headers);
    let flow = cookies.iter().find(|cookie| cookie.starts_with("wecom_login_flow_")).unwrap();
    let (name, value) = flow.split_once('=').unwrap();
    (name.to_owned(), value.to_owned())
}

fn code_there(world: &World, user_id: &str) -> String {
    world.wecom.issue_code(CodeRequest::member(sample::SECOND_CORP_ID, sample::SECOND_AGENT_ID, user_id))
}

async fn get_as(browser: &Browser, agent: &str, path: &str) -> Page {
    browser.send(browser.request(Method::GET, path).header("user-agent", agent)).await
}

/// The number of members that are bound to each account.
async fn bound(world: &World) -> Vec<usize> {
    let accounts = world.store().await.accounts(0, 100).await.unwrap().0;
    accounts.iter().map(|account| account.members.len()).collect()
}

/// The text of the element with this hook, without its tags.
fn shown(page: &Page, hook: &str) -> Option<String> {
    let (_, rest) = page.text.split_once(&format!("data-testid=\"{hook}\">"))?;
    let mut text = String::new();
    let mut depth = 1;
    let mut rest = rest;
    while depth > 0 {
        let (before, tag) = rest.split_once('<')?;
        text.push_str(before);
        depth = if tag.starts_with('/') { depth - 1 } else { depth + 1 };
        rest = tag.split_once('>')?.1;
    }
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn f21_the_page_says_whose_account_gets_another_way_in() {
    let world = world().instance("Second", second()).start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let sign_in = world.browser().get(&format!("/login?element={SECOND}")).await;
    for (language, title, warning, away) in [
        ("zh", "绑定企业微信身份", "今后可以登录账号 zhangsan（张三）。", "不绑定，返回首页"),
        (
            "en",
            "Bind a WeCom identity",
            "can sign in to the account zhangsan (张三).",
            "Do nothing and go back",
        ),
    ] {
        let page = browser.get(&format!("/login?bind=1&element={SECOND}&lang={language}")).await;
        assert_eq!(shown(&page, "sign-in-title").as_deref(), Some(title));
        assert_ne!(shown(&page, "sign-in-title"), shown(&sign_in, "sign-in-title"));
        assert!(shown(&page, "binding-warning").unwrap().contains(warning), "{}", page.text);
        assert_eq!(shown(&page, "binding-account").as_deref(), Some("zhangsan"));
        assert_eq!(shown(&page, "binding-leave").as_deref(), Some(away));
        assert!(page.text.contains("href=\"/\" data-testid=\"binding-leave\""), "{}", page.text);
        // The other language is the same page.
        assert!(
            page.text.contains(&format!("/login?bind=1&#38;element={SECOND}&#38;lang=en")),
            "{}",
            page.text
        );

        let choose = browser.get(&format!("/login?bind=1&lang={language}")).await;
        assert!(shown(&choose, "binding-warning").unwrap().contains(warning), "{}", choose.text);
        assert_eq!(shown(&choose, "binding-leave").as_deref(), Some(away));
        assert!(choose.text.contains(&format!("/login?element={SECOND}&#38;bind=1")), "{}", choose.text);
    }
    for text in [&sign_in.text, &world.browser().get("/login").await.text] {
        assert!(!text.contains("binding-"), "{text}");
    }
}

#[tokio::test]
async fn f21_inside_wecom_nobody_is_bound_without_a_tap() {
    let world = world().instance("Second", second()).start().await;
    for agent in [DESKTOP, PHONE, WECHAT] {
        let browser = world.browser();
        world.sign_in(&browser, "zhangsan").await;
        let page = get_as(&browser, agent, &format!("/login?bind=1&element={SECOND}&lang=en")).await;
        assert_eq!(page.status.as_u16(), 200, "{agent}");
        let warning = shown(&page, "binding-warning").unwrap();
        assert!(
            warning.starts_with("When you tap the button") && warning.contains("zhangsan (张三)."),
            "{warning}"
        );
        assert_eq!(shown(&page, "sign-in-link").as_deref(), Some("Bind this member"));
        let oauth =
            format!("href=\"{}/connect/oauth2/authorize?appid={}", world.wecom.url(), sample::SECOND_CORP_ID);
        assert!(page.text.contains(&oauth), "{}", page.text);
        assert!(!page.text.contains("sign-in-panel") && !page.text.contains("scan"), "{}", page.text);
    }
    assert_eq!(bound(&world).await, [1]);
}

#[tokio::test]
async fn f15_in_the_workbench_wecom_is_asked_who_is_there_before_the_page_for_binding() {
    let world = world().instance("Second", second()).start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    world.advance(Duration::from_mins(1));
    let entry = format!("/login?bind=1&element={SECOND}");
    // What a browser says of a redirect that came by WeCom.
    let arrive = async |path: &str| {
        let request = browser.request(Method::GET, path).header("user-agent", DESKTOP);
        browser.send(request.header("sec-fetch-site", "cross-site")).await
    };
    for (user_id, name) in [("zhangsan", "张三"), ("lisi", "李四")] {
        let login = get_as(&browser, DESKTOP, &entry).await;
        assert!(login.location().starts_with(&format!("/login?element={ELEMENT}&return_to=")), "{login:?}");
        let oauth = get_as(&browser, DESKTOP, login.location()).await;
        let back =
            get_as(&browser, DESKTOP, &redirect(&world.code(user_id), &state_of(oauth.location()))).await;
        assert_eq!(back.location(), format!("{}{entry}#", world.url));
        let page = arrive(&entry).await;
        assert_eq!(page.status.as_u16(), 200, "{}", page.text);
        assert_eq!(
            shown(&page, "binding-account").as_deref(),
            Some(user_id),
            "the account of who is there now"
        );
        assert_eq!(shown(&page, "binding-name").as_deref(), Some(name));
        world.advance(Duration::from_mins(1));
    }
    assert_eq!(bound(&world).await, [1, 1]);
}

#[tokio::test]
async fn f21_the_home_page_says_once_whom_a_binding_has_bound() {
    let world = world().instance("Second", second()).start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    assert_eq!(shown(&browser.get("/").await, "bound-userid"), None);
    let state = binding_state(&browser, SECOND).await;
    let address = redirect(&code_there(&world, "heshui"), &state);
    for delivery in 1..=2 {
        assert_eq!(browser.get(&address).await.location(), "/");
        let home = browser.get("/").await;
        assert_eq!(shown(&home, "bound-userid").as_deref(), Some("heshui"), "delivery {delivery}");
        assert!(shown(&home, "bound-notice").unwrap().contains("何水（heshui）今后可以登录你的账号"));
        assert_eq!(shown(&browser.get("/").await, "bound-userid"), None, "once");
    }
}

#[tokio::test]
async fn the_notice_of_a_binding_is_shown_to_its_session_alone() {
    const NOTICE: &str = "wecom_login_bound";
    let world = world().instance("Second", second()).start().await;
    let (browser, other) = (world.browser(), world.browser());
    world.sign_in(&browser, "zhangsan").await;
    world.sign_in(&other, "lisi").await;
    let state = binding_state(&browser, SECOND).await;
    browser.get(&redirect(&code_there(&world, "heshui"), &state)).await;
    let sealed = browser.cookie(NOTICE).unwrap();
    assert!(!sealed.contains("heshui"));
    for value in [sealed.as_str(), "heshui", "{\"user_id\":\"boss\",\"name\":\"\"}", &"a".repeat(3000)] {
        other.set_cookie(NOTICE, value);
        let home = other.get("/").await;
        assert_eq!((home.status.as_u16(), shown(&home, "bound-notice")), (200, None), "{value}");
    }
    world.sign_in(&browser, "zhangsan").await;
    assert_eq!(shown(&browser.get("/").await, "bound-notice"), None, "the session has ended");
}

/// Asserts that the redirect, and getLoginCode with the same values, bind nobody and sign nobody in.
async fn assert_lost(world: &World, browser: &Browser, state: &str) {
    let (before, calls) = (bound(world).await, world.wecom.calls_of("auth/getuserinfo"));
    let session = browser.cookie(SESSION_COOKIE);
    let page = browser.get(&redirect(&code_there(world, "heshui"), state)).await;
    assert_eq!((page.status.as_u16(), page.problem(), pairs(&page.headers)), (400, 710_108, vec![]));
    let again = format!("href=\"/login?element={SECOND}&#38;bind=1\" data-testid=\"problem-retry\"");
    assert!(page.text.contains(&again), "{}", page.text);
    let path = format!("{}/getLoginCode", API.replace("Example", "Second"));
    let answer =
        browser.post_json(&path, &json!({"authCode": code_there(world, "heshui"), "state": state})).await;
    assert_eq!((answer.json()["errcode"].as_i64(), pairs(&answer.headers)), (Some(710_108), vec![]));
    assert_eq!((bound(world).await, browser.cookie(SESSION_COOKIE)), (before, session));
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), calls, "WeCom is not asked");
}

#[tokio::test]
async fn a_binding_without_its_flow_cookie_never_signs_anybody_in() {
    let world = world().instance("Second", second()).start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let page = binding_page(&browser, SECOND).await;
    let (name, value) = flow_cookie(&page);
    browser.set_cookie(&name, "");
    assert_lost(&world, &browser, &state_in(&page)).await;
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));

    // Neither in a browser that has nothing but its name.
    let bare = world.browser();
    bare.set_cookie(BROWSER_COOKIE, &browser.cookie(BROWSER_COOKIE).unwrap());
    assert_lost(&world, &bare, &state_in(&page)).await;
    assert_eq!(bare.me().await, None);

    // The state is not used up: with its cookie it binds.
    browser.set_cookie(&name, &value);
    assert_eq!(browser.get(&redirect(&code_there(&world, "heshui"), &state_in(&page))).await.location(), "/");
    assert_eq!(bound(&world).await, [2]);
}

#[tokio::test]
async fn a_binding_with_the_cookie_of_another_flow_is_lost() {
    let world = world().instance("Second", second()).start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let mine = binding_page(&browser, SECOND).await;
    let (name, _) = flow_cookie(&mine);
    let sign_in = world.browser();
    sign_in.set_cookie(BROWSER_COOKIE, &browser.cookie(BROWSER_COOKIE).unwrap());
    let others = [
        flow_cookie(&binding_page(&browser, SECOND).await),
        flow_cookie(&sign_in.get(&format!("/login?element={SECOND}&return_to=/")).await),
    ];
    for (_, other) in others {
        browser.set_cookie(&name, &other);
        assert_lost(&world, &browser, &state_in(&mine)).await;
    }
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

#[tokio::test]
async fn a_binding_in_a_browser_whose_session_cookie_is_gone_signs_nobody_in() {
    let world = world().instance("Second", second()).start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let state = binding_state(&browser, SECOND).await;
    browser.set_cookie(SESSION_COOKIE, "");
    let page = browser.get(&redirect(&code_there(&world, "heshui"), &state)).await;
    assert_eq!((page.status.as_u16(), browser.cookie(SESSION_COOKIE), browser.me().await), (303, None, None));
    assert_eq!(bound(&world).await, [2], "the session that asked for it is active");
}

#[tokio::test]
async fn a_person_binds_another_identity_and_stays_who_they_are() {
    let world = world().instance("Second", second()).start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let (mine, token) = (browser.get_json("/me").await.json(), browser.cookie(SESSION_COOKIE));
    let state = binding_state(&browser, SECOND).await;
    let address = redirect(&code_there(&world, "heshui"), &state);
    for _ in 0..2 {
        let page = browser.get(&address).await;
        assert!(page.location().ends_with('/'), "{}", page.location());
    }
    assert_eq!(browser.cookie(SESSION_COOKIE), token, "the session goes on");
    assert_eq!(browser.get_json("/me").await.json()["userId"], mine["userId"], "and is whose it was");

    let elsewhere = world.browser();
    sign_in_there(&world, &elsewhere, "heshui").await;
    assert_eq!(account(&elsewhere).await, mine["account"]);
}

#[tokio::test]
async fn an_identity_that_is_somebodys_is_not_taken_from_them() {
    let world = world().instance("Second", second()).start().await;
    let (browser, theirs) = (world.browser(), world.browser());
    world.sign_in(&browser, "zhangsan").await;
    sign_in_there(&world, &theirs, "heshui").await;
    let before = account(&theirs).await;
    let state = binding_state(&browser, SECOND).await;
    let page = browser.get(&redirect(&code_there(&world, "heshui"), &state)).await;
    assert_eq!((page.status.as_u16(), page.problem()), (403, 710_106));
    assert_eq!(account(&theirs).await, before);
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

#[tokio::test]
async fn a_binding_needs_its_session_until_the_end() {
    let world = world().instance("Second", second()).start().await;
    let browser = world.browser();
    let page = browser.get("/login?bind=1&element=auths.loginTypes.Second").await;
    assert_eq!((page.status.as_u16(), page.problem()), (401, 710_301));

    world.sign_in(&browser, "zhangsan").await;
    let state = binding_state(&browser, SECOND).await;
    browser.post_json("/logout", &json!({})).await;
    // Somebody else takes the browser over.
    world.sign_in(&browser, "lisi").await;
    let page = browser.get(&redirect(&code_there(&world, "heshui"), &state)).await;
    assert_eq!(page.problem(), 710_107);
    let again = format!("href=\"/login?element={SECOND}&#38;bind=1\" data-testid=\"problem-retry\"");
    assert!(page.text.contains(&again), "{}", page.text);
    assert_eq!(shown(&binding_page(&browser, SECOND).await, "binding-account").as_deref(), Some("lisi"));
    let members = world.store().await.accounts(0, 10).await.unwrap().0;
    assert!(members.iter().all(|row| row.members.len() == 1), "nothing was bound");
}

#[tokio::test]
async fn a_binding_is_not_begun_by_another_site_and_not_finished_by_another_browser() {
    let world = world().instance("Second", second()).start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    for site in ["cross-site", "same-site"] {
        let request = browser.request(reqwest::Method::GET, "/login?bind=1").header("sec-fetch-site", site);
        let page = browser.send(request).await;
        assert_eq!((page.status.as_u16(), page.problem()), (403, 710_302));
    }
    let state = binding_state(&browser, SECOND).await;
    let address = redirect(&code_there(&world, "heshui"), &state);
    let page = world.browser().get(&address).await;
    assert_eq!(page.problem(), 710_006, "it is not begun again without its session");
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1);
}
