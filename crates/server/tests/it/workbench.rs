//! F15: several people use WeCom on one computer. Each entry inside WeCom asks it who is there now.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::SET_COOKIE;
use serde_json::{Value, json};
use wecom_login_element::{BoxFuture, Call, Code, Environment, Next, Outcome, Type};
use wecom_login_simulator::sample;
use wecom_login_testkit::cookies::pairs;

use crate::browser::{Browser, Page};
use crate::operations::bearer;
use crate::world::{API, ELEMENT, SESSION_COOKIE, World, redirect, state_of, world};

const DESKTOP: &str = "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 Chrome/116 Safari/537.36 wxwork/4.1.36 (MicroMessenger/6.2) WindowsWechat";
const PHONE: &str = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Version/4.0 Chrome/116 Mobile Safari/537.36 wxwork/4.1.36 MicroMessenger/7.0.1";
const WECHAT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.50";

/// After this time WeCom is asked again.
const PROOF: Duration = Duration::from_mins(1);
/// A second less than [`PROOF`].
const ALMOST: Duration = Duration::from_secs(59);

/// WeCom's client, and the browser in it.
struct Client<'a> {
    world: &'a World,
    browser: Browser,
    agent: &'static str,
}

impl<'a> Client<'a> {
    fn new(world: &'a World, agent: &'static str) -> Self {
        Self { world, browser: world.browser(), agent }
    }

    async fn get(&self, path: &str) -> Page {
        self.browser.send(self.browser.request(Method::GET, path).header("user-agent", self.agent)).await
    }

    /// Follows our own redirects from an entry to WeCom's OAuth page; returns the state in its link.
    async fn state_at(&self, entry: &str) -> String {
        let mut page = self.get(entry).await;
        while page.location().starts_with('/') {
            let next = page.location().to_owned();
            page = self.get(&next).await;
        }
        assert!(
            page.location().starts_with(&format!("{}/connect/oauth2/", self.world.wecom.url())),
            "{page:?}"
        );
        state_of(page.location())
    }

    /// Opens an entry while the client belongs to that member; WeCom is asked.
    async fn enter(&self, entry: &str, user_id: &str) -> Page {
        let state = self.state_at(entry).await;
        self.get(&redirect(&self.world.code(user_id), &state)).await
    }

    /// What /me says, and the session's cookie.
    async fn session(&self) -> (Value, Option<String>) {
        (self.browser.get_json("/me").await.json(), self.browser.cookie(SESSION_COOKIE))
    }
}

/// Where an answer leads, without our own origin.
fn path_of<'a>(world: &World, page: &'a Page) -> &'a str {
    page.location().strip_prefix(&world.url).unwrap_or(page.location())
}

/// The session cookies that an answer sets.
fn sessions_in(page: &Page) -> Vec<String> {
    pairs(&page.headers).into_iter().filter(|cookie| cookie.starts_with(SESSION_COOKIE)).collect()
}

fn proofs(world: &World) -> u64 {
    world.wecom.calls_of("auth/getuserinfo")
}

/// The audit rows of sign-ins and of ended sessions: event, outcome, session and reason.
async fn audit(world: &World) -> Vec<[String; 4]> {
    let rows = world.store().await.audit_entries(0, 1000).await.unwrap();
    let rows = rows.into_iter().map(|(_, entry)| json!(entry));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = rows.map(|row| {
        [text(&row["event"]), text(&row["outcome"]), text(&row["session"]), text(&row["detail"]["reason"])]
    });
    told.filter(|[event, ..]| event == "sign_in" || event == "session_ended").collect()
}

/// How many sign-ins had each of these outcomes.
async fn counts<const N: usize>(world: &World, outcomes: [&str; N]) -> [u64; N] {
    let key = bearer(world).await;
    let browser = world.browser();
    let page = browser.send(browser.request(Method::GET, "/metrics").header("authorization", key)).await;
    outcomes.map(|outcome| {
        let series = format!("wecom_login_sign_ins_total{{instance=\"{ELEMENT}\",outcome=\"{outcome}\"}} ");
        let mut lines = page.text.lines();
        lines.find_map(|line| line.strip_prefix(&series)).map_or(0, |value| value.parse().unwrap())
    })
}

#[tokio::test]
async fn f15_within_a_minute_wecom_is_not_asked_again() {
    let world = world().start().await;
    let client = Client::new(&world, DESKTOP);
    assert_eq!(path_of(&world, &client.enter("/login", "zhangsan").await), "/#");
    world.advance(ALMOST);
    assert_eq!(client.get("/").await.status.as_u16(), 200);
    let there = client.get("/login?return_to=/reports").await;
    assert_eq!(there.location(), format!("{}/reports", world.url));
    assert_eq!(proofs(&world), 1);
}

#[tokio::test]
async fn f15_after_a_minute_each_entry_asks_again_and_leads_where_it_was_to_lead() {
    let world = world().start().await;
    for (entry, there) in [
        ("/", "/#"),
        ("/?from=mail", "/?from=mail#"),
        ("/login", "/#"),
        ("/login?return_to=/reports", "/reports#"),
        ("/login?return_to=/reports%23top", "/reports#top"),
    ] {
        let client = Client::new(&world, DESKTOP);
        client.enter("/login", "zhangsan").await;
        world.advance(PROOF);
        let before = proofs(&world);
        let page = client.enter(entry, "zhangsan").await;
        assert_eq!((path_of(&world, &page), proofs(&world) - before), (there, 1), "{entry}");
    }
}

#[tokio::test]
async fn f15_the_page_of_a_member_is_shown_at_no_address_without_asking() {
    let world = world().start().await;
    let client = Client::new(&world, DESKTOP);
    client.enter("/login", "zhangsan").await;
    world.advance(PROOF);
    let me = |accept: &'static str| {
        let request = client.browser.request(Method::GET, "/me").header("user-agent", DESKTOP);
        client.browser.send(request.header("accept", accept))
    };
    let page = me("text/html").await;
    assert_eq!(page.location(), format!("/login?element={ELEMENT}&return_to=%2Fme"));
    assert_eq!(me("application/json").await.json()["userId"], "zhangsan", "programs get an answer");
}

#[tokio::test]
async fn f15_the_same_member_goes_on_in_the_same_session() {
    let world = world().start().await;
    let client = Client::new(&world, DESKTOP);
    client.enter("/login", "zhangsan").await;
    let before = client.session().await;
    for _ in 0..2 {
        world.advance(PROOF);
        let page = client.enter("/", "ZhangSan").await;
        assert_eq!((path_of(&world, &page), sessions_in(&page)), ("/#", vec![]));
    }
    assert_eq!(client.session().await, before, "neither the session nor signedInAt has moved");
    // Each proof counts for a minute of its own.
    world.advance(ALMOST);
    assert_eq!(client.get("/").await.status.as_u16(), 200);

    let rows = audit(&world).await;
    let outcomes: Vec<_> =
        rows.iter().map(|[event, outcome, ..]| (event.as_str(), outcome.as_str())).collect();
    assert_eq!(outcomes, [("sign_in", "ok"), ("sign_in", "continued"), ("sign_in", "continued")]);
    assert!(rows.iter().all(|[_, _, session, _]| *session == rows[0][2] && !session.is_empty()));
    assert_eq!(counts(&world, ["ok", "continued"]).await, [1, 2]);
}

#[tokio::test]
async fn f15_another_member_takes_the_sessions_place() {
    let world = world().start().await;
    let client = Client::new(&world, DESKTOP);
    client.enter("/login", "zhangsan").await;
    let (_, former) = client.session().await;
    world.advance(PROOF);
    assert_eq!(client.enter("/login?return_to=/reports", "lisi").await.status.as_u16(), 303);
    let (me, token) = client.session().await;
    assert_eq!(me["userId"], "lisi");
    assert_ne!(token, former);

    let copy = world.browser();
    copy.set_cookie(SESSION_COOKIE, &former.unwrap());
    assert_eq!(copy.me().await, None, "the former cookie is worth nothing");
    let rows = audit(&world).await;
    let ended = rows.iter().find(|[event, ..]| event == "session_ended").unwrap();
    assert_eq!((&ended[2], ended[3].as_str()), (&rows[0][2], "replaced"));
    assert_eq!(counts(&world, ["ok", "continued"]).await, [2, 0]);
}

#[tokio::test]
async fn f15_the_next_person_is_refused_and_nobody_is_signed_in_for_them() {
    let world = world().start().await;
    let client = Client::new(&world, DESKTOP);
    client.enter("/login", "zhangsan").await;
    world.advance(PROOF);
    let state = client.state_at("/").await;
    let disabled = client.get(&redirect(&world.code(sample::DISABLED), &state)).await;
    assert_eq!(disabled.problem(), 710_103);
    // Whatever they open next asks again: what zhangsan sees is not shown to them.
    for entry in ["/", "/login"] {
        client.state_at(entry).await;
    }
}

/// Refuses lisi.
struct WithoutLisi;

impl Type for WithoutLisi {
    fn call<'a>(&'a self, call: Call<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        Box::pin(async move {
            let outcome = next.call(call).await?;
            if outcome.value["userId"] == "lisi" {
                return Err(Code::new(9_000_001, "lisi uses another door"));
            }
            Ok(outcome)
        })
    }
}

#[tokio::test]
async fn a_member_whom_an_own_type_refuses_ends_nobodys_session() {
    let register = |environment: Environment| {
        environment.with_type("acme.portal", "auths.loginTypes.QywxInnerType", WithoutLisi)
    };
    let world = world()
        .file(
            "auths/loginTypes/QywxInnerType/e.json",
            json!({"title": "Ours", "type": "auths.loginTypes.Meta"}),
        )
        .register(register)
        .start()
        .await;
    let client = Client::new(&world, DESKTOP);
    client.enter("/login", "zhangsan").await;
    let before = client.session().await;
    world.advance(PROOF);
    let page = client.enter("/", "lisi").await;
    assert_eq!((page.problem(), pairs(&page.headers)), (710_315, vec![]));
    assert_eq!(client.session().await, before, "the former session goes on");
    let outcomes: Vec<_> = audit(&world).await.into_iter().map(|[_, outcome, ..]| outcome).collect();
    assert_eq!(outcomes, ["ok", "refused_by_the_app"]);
    // It is zhangsan's for zhangsan alone.
    assert_eq!(path_of(&world, &client.enter("/", "zhangsan").await), "/#");
    assert_eq!(client.session().await, before);
}

#[tokio::test]
async fn a_redirect_that_continued_a_session_is_answered_alike_when_it_comes_again() {
    let mut world = world().start().await;
    let (browser, address) = {
        let client = Client::new(&world, DESKTOP);
        client.enter("/login", "zhangsan").await;
        world.advance(PROOF);
        let state = client.state_at("/?from=mail").await;
        let address = redirect(&world.code("zhangsan"), &state);
        let first = client.get(&address).await;
        assert_eq!(first.location(), format!("{}/?from=mail#", world.url));
        (client.browser, address)
    };
    let asked = proofs(&world);
    let deliver = async |world: &World| {
        let page = browser.send(browser.request(Method::GET, &address).header("user-agent", DESKTOP)).await;
        assert_eq!((page.status.as_u16(), sessions_in(&page)), (303, vec![]), "{page:?}");
        assert_eq!(page.location(), format!("{}/?from=mail#", world.url));
        assert_eq!(proofs(world), asked, "the code is not exchanged again");
    };
    deliver(&world).await;
    world.restart().await;
    deliver(&world).await;
    let continued = audit(&world).await.iter().filter(|[_, outcome, ..]| outcome == "continued").count();
    assert_eq!(continued, 1);

    let other = world.browser();
    let copied = other.send(other.request(Method::GET, &address).header("user-agent", DESKTOP)).await;
    assert_eq!((copied.status.as_u16(), other.me().await), (400, None), "another browser gets nothing");

    world.advance(Duration::from_mins(5));
    let late = browser.send(browser.request(Method::GET, &address).header("user-agent", DESKTOP)).await;
    assert_eq!((late.problem(), proofs(&world)), (710_005, asked));
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"), "the session itself goes on");
}

#[tokio::test]
async fn a_restart_between_entry_and_redirect_changes_nothing() {
    let mut world = world().start().await;
    let (browser, address, before) = {
        let client = Client::new(&world, DESKTOP);
        client.enter("/login", "zhangsan").await;
        let before = client.session().await;
        world.advance(PROOF);
        let state = client.state_at("/").await;
        (client.browser, redirect(&world.code("zhangsan"), &state), before)
    };
    world.restart().await;
    let client = Client { world: &world, browser, agent: DESKTOP };
    assert_eq!(path_of(&world, &client.get(&address).await), "/#");
    assert_eq!(client.session().await, before);
}

#[tokio::test]
async fn the_apps_own_page_continues_a_session_too() {
    let world = world().start().await;
    let client = Client::new(&world, DESKTOP);
    client.enter("/login", "zhangsan").await;
    let before = client.session().await;
    let call = async |user_id: &str| {
        let state = world.state(&client.browser).await;
        let path = format!("{API}/getLoginCode");
        let request = client.browser.request(Method::POST, &path).header("user-agent", DESKTOP);
        client.browser.send(request.json(&json!({"authCode": world.code(user_id), "state": state}))).await
    };
    let page = call("zhangsan").await;
    assert_eq!((page.json()["data"]["userId"].as_str(), sessions_in(&page)), (Some("zhangsan"), vec![]));
    assert_eq!(client.session().await, before);
    assert_eq!(call("lisi").await.json()["data"]["userId"], "lisi");
    assert_eq!(client.session().await.0["userId"], "lisi");
}

fn second() -> Value {
    json!({
        "corpId": sample::CORP_ID, "corpSecret": sample::OLD_SECRET, "agentId": sample::OLD_AGENT_ID,
    })
}

#[tokio::test]
async fn the_instance_of_the_session_is_asked_and_another_one_if_it_is_gone() {
    let world = world().instance("Second", second()).start().await;
    let client = Client::new(&world, DESKTOP);
    let agent_of = |page: &Page| {
        let link = url::Url::parse(page.location()).unwrap();
        link.query_pairs().find(|(key, _)| key == "agentid").unwrap().1.into_owned()
    };
    let second = format!("/login?element={}", ELEMENT.replace("Example", "Second"));
    let state = state_of(client.get(&second).await.location());
    let code = world.wecom.issue_code(wecom_login_simulator::CodeRequest::member(
        sample::CORP_ID,
        sample::OLD_AGENT_ID,
        "zhangsan",
    ));
    assert_eq!(client.get(&redirect(&code, &state)).await.location(), "/#");
    world.advance(PROOF);
    assert_eq!(client.get("/").await.location(), format!("{second}&return_to=%2F"));
    for entry in ["/login", &second] {
        assert_eq!(agent_of(&client.get(entry).await), sample::OLD_AGENT_ID.to_string(), "{entry}");
    }
    let named = client.get(&format!("/login?element={ELEMENT}")).await;
    assert_eq!(agent_of(&named), sample::AGENT_ID.to_string(), "whoever names another one gets it");

    world.remove("auths/loginTypes/Second");
    assert_eq!(client.get("/").await.location(), "/login?return_to=%2F");
    assert_eq!(agent_of(&client.get("/login").await), sample::AGENT_ID.to_string());
    assert_eq!(path_of(&world, &client.enter("/", "zhangsan").await), "/#");
    assert_eq!(client.session().await.0["element"], ELEMENT);
}

#[tokio::test]
async fn in_wechat_and_in_other_browsers_a_session_goes_on() {
    let world = world().start().await;
    for agent in
        [WECHAT, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140 Safari/537.36"]
    {
        let client = Client::new(&world, agent);
        world.sign_in(&client.browser, "zhangsan").await;
        let asked = proofs(&world);
        world.advance(Duration::from_hours(2));
        assert_eq!(client.get("/").await.status.as_u16(), 200, "{agent}");
        assert_eq!(client.get("/login").await.location(), "/", "{agent}");
        assert_eq!(proofs(&world), asked);
    }
    let client = Client::new(&world, WECHAT);
    assert_eq!(
        path_of(&world, &client.enter("/login", "zhangsan").await),
        "/#",
        "without a session it is asked"
    );
}

#[tokio::test]
async fn a_session_of_the_desktop_client_ends_with_the_client() {
    let world = world().start().await;
    for (agent, lasts) in [
        (DESKTOP, false),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 wxwork/4.1.36 (MicroMessenger/6.2)",
            false,
        ),
        (PHONE, true),
        (
            "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 wxwork/4.1.36 MicroMessenger/7.0.1",
            true,
        ),
        (WECHAT, true),
    ] {
        let page = Client::new(&world, agent).enter("/login", "zhangsan").await;
        let cookies = page.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.as_bytes().escape_ascii());
        let cookie =
            cookies.map(|cookie| cookie.to_string()).find(|cookie| cookie.starts_with(SESSION_COOKIE));
        let cookie = cookie.unwrap();
        assert_eq!(cookie.contains("Max-Age="), lasts, "{agent}: {cookie}");
        assert!(!cookie.contains("Expires="), "{cookie}");
    }
}
