//! The stories of a state with each kind of owner: a cookie on plain http, a cookie over https, a name in a header.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use wecom_login_store::SessionsOf;
use wecom_login_testkit::wait::within;

use crate::browser::{Browser, Page};
use crate::world::{API, REDIRECT, World, redirect, world};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Cookie,
    CookieOverTls,
    Header,
}

/// A client that owns its states in one way.
struct Client {
    browser: Browser,
    owner: Owner,
    name: &'static str,
}

async fn start(owner: Owner) -> World {
    match owner {
        Owner::Cookie | Owner::Header => world().start().await,
        Owner::CookieOverTls => {
            let redirect_uri = format!("https://login.example.com{REDIRECT}");
            let builder = world().config(json!({"redirectUri": redirect_uri}));
            let public_url: url::Url = "https://login.example.com".parse().unwrap();
            builder.settings(move |settings| settings.public_url = public_url.clone()).start().await
        }
    }
}

impl Client {
    fn new(world: &World, owner: Owner) -> Self {
        Self { browser: world.browser(), owner, name: "n-one-1234567890123456789012345678901234" }
    }

    /// Another client of the same kind.
    fn other(world: &World, owner: Owner) -> Self {
        Self { name: "n-two-1234567890123456789012345678901234", ..Self::new(world, owner) }
    }

    async fn call(&self, function: &str, body: &Value) -> Page {
        let request = self.browser.request(Method::POST, &format!("{API}/{function}")).json(body);
        let request = match self.owner {
            Owner::Header => request.header("x-wecom-login-browser", self.name),
            Owner::Cookie | Owner::CookieOverTls => request,
        };
        self.browser.send(request).await
    }

    async fn state(&self) -> String {
        let config = self.call("getLoginConfig", &json!({})).await.json();
        config["data"]["state"].as_str().unwrap_or_else(|| panic!("{config}")).to_owned()
    }

    /// The error number and the member of getLoginCode.
    async fn sign_in(&self, code: &str, state: &str) -> (i64, Option<String>) {
        let answer = self.call("getLoginCode", &json!({"authCode": code, "state": state})).await.json();
        (answer["errcode"].as_i64().unwrap(), answer["data"]["userId"].as_str().map(str::to_owned))
    }
}

fn zhangsan() -> (i64, Option<String>) {
    (0, Some("zhangsan".to_owned()))
}

async fn active_sessions(world: &World) -> i64 {
    world.store().await.live_sessions(SessionsOf::default(), world.now(), 0, 1).await.unwrap().1
}

#[rstest]
#[case::cookie(Owner::Cookie)]
#[case::cookie_over_tls(Owner::CookieOverTls)]
#[case::header(Owner::Header)]
#[tokio::test]
async fn a_doubled_delivery_makes_one_session(#[case] owner: Owner) {
    let world = start(owner).await;
    let client = Arc::new(Client::new(&world, owner));
    let (state, code) = (client.state().await, world.code("zhangsan"));
    let mut deliveries = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (client, state, code) = (client.clone(), state.clone(), code.clone());
        deliveries.spawn(async move { client.sign_in(&code, &state).await });
    }
    let answers = within("all deliveries", deliveries.join_all()).await;
    assert!(answers.iter().all(|answer| *answer == zhangsan()), "{answers:?}");
    assert_eq!((world.wecom.calls_of("auth/getuserinfo"), active_sessions(&world).await), (1, 1));
}

#[rstest]
#[case::cookie(Owner::Cookie)]
#[case::cookie_over_tls(Owner::CookieOverTls)]
#[case::header(Owner::Header)]
#[tokio::test]
async fn two_tabs_each_finish_their_sign_in_and_a_state_works_once(#[case] owner: Owner) {
    let world = start(owner).await;
    let client = Client::new(&world, owner);
    let (first, second) = (client.state().await, client.state().await);
    assert_eq!(client.sign_in(&world.code("zhangsan"), &second).await, zhangsan());
    assert_eq!(client.sign_in(&world.code("zhangsan"), &first).await, zhangsan());
    assert_eq!(client.sign_in(&world.code("lisi"), &first).await, (710_005, None));
}

#[rstest]
#[case::cookie(Owner::Cookie)]
#[case::cookie_over_tls(Owner::CookieOverTls)]
#[case::header(Owner::Header)]
#[tokio::test]
async fn a_stolen_state_is_of_no_use(#[case] owner: Owner) {
    let world = start(owner).await;
    let (client, thief) = (Client::new(&world, owner), Client::other(&world, owner));
    let (state, code) = (client.state().await, world.code("zhangsan"));
    thief.state().await;
    assert_eq!(thief.sign_in(&code, &state).await, (710_006, None));
    assert_eq!(client.sign_in(&code, &state).await, zhangsan());
    assert_eq!(thief.sign_in(&code, &state).await, (40029, None));
    assert_eq!((world.wecom.calls_of("auth/getuserinfo"), active_sessions(&world).await), (1, 1));
}

#[rstest]
#[case::cookie(Owner::Cookie, Owner::Header)]
#[case::header(Owner::Header, Owner::Cookie)]
#[tokio::test]
async fn a_state_of_one_kind_of_owner_is_refused_to_the_other(#[case] owner: Owner, #[case] other: Owner) {
    let world = start(owner).await;
    let client = Client::new(&world, owner);
    let state = client.state().await;
    let same_browser = Client { owner: other, ..client };
    same_browser.state().await;
    assert_eq!(same_browser.sign_in(&world.code("zhangsan"), &state).await, (710_006, None));
}

#[rstest]
#[case::cookie(Owner::Cookie)]
#[case::cookie_over_tls(Owner::CookieOverTls)]
#[case::header(Owner::Header)]
#[tokio::test]
async fn a_restarted_server_knows_its_states_and_their_outcomes(#[case] owner: Owner) {
    let mut world = start(owner).await;
    let client = Client::new(&world, owner);
    let (state, code) = (client.state().await, world.code("zhangsan"));
    world.restart().await;
    assert_eq!(client.sign_in(&code, &state).await, zhangsan());
    world.restart().await;
    assert_eq!(client.sign_in(&code, &state).await, zhangsan(), "the same redirect again");
    assert_eq!((world.wecom.calls_of("auth/getuserinfo"), active_sessions(&world).await), (1, 1));
}

#[rstest]
#[case::cookie(Owner::Cookie)]
#[case::cookie_over_tls(Owner::CookieOverTls)]
#[case::header(Owner::Header)]
#[tokio::test]
async fn an_expired_state_is_named_for_an_hour(#[case] owner: Owner) {
    let world = start(owner).await;
    let client = Client::new(&world, owner);
    let state = client.state().await;
    world.advance(Duration::from_mins(10));
    assert_eq!(client.sign_in(&world.code("zhangsan"), &state).await, (710_004, None));
    world.advance(Duration::from_hours(1));
    assert_eq!(client.sign_in(&world.code("zhangsan"), &state).await, (710_003, None));
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 0);
}

#[rstest]
#[case::cookie(Owner::Cookie)]
#[case::cookie_over_tls(Owner::CookieOverTls)]
#[tokio::test]
async fn the_redirect_restarts_without_the_cookie_and_signs_nobody_in(#[case] owner: Owner) {
    let world = start(owner).await;
    let client = Client::new(&world, owner);
    let state = client.state().await;
    client.browser.forget_cookies();
    let page = client.browser.get(&redirect(&world.code("zhangsan"), &state)).await;
    assert!(page.location().starts_with(&format!("{}/wwlogin/", world.wecom.url())), "{page:?}");
    assert_eq!((client.browser.me().await, world.wecom.calls_of("auth/getuserinfo")), (None, 0));
}

/// F23: who has a state learns nothing of where its sign-in leads.
#[rstest]
#[case::cookie(Owner::Cookie)]
#[case::cookie_over_tls(Owner::CookieOverTls)]
#[tokio::test]
async fn where_a_sign_in_leads_is_known_to_its_browser_alone(#[case] owner: Owner) {
    let world = start(owner).await;
    let browser = world.browser();
    let page = browser.get("/login?return_to=/board/salaries").await;
    let (_, rest) = page.text.split_once("&#38;state=").unwrap();
    let state: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    let thief = world.browser();
    for with_name in [false, true] {
        if with_name {
            thief.get("/login").await;
        }
        for code in ["", "&code=nonsense"] {
            let page = thief.get(&format!("{REDIRECT}?state={state}{code}")).await;
            assert!(!format!("{page:?}").contains("salaries"), "{page:?}");
        }
    }
    let page = browser.get(&redirect(&world.code("zhangsan"), &state)).await;
    assert!(page.location().ends_with("/board/salaries"), "{page:?}");
}
