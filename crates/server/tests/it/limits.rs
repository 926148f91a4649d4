//! Limits lock nobody out but the one who guesses, and what is refused before WeCom is asked is cheap.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use wecom_login_accounts::ApiKeys;
use wecom_login_model::{MemberRef, Secret, SystemEntropy};
use wecom_login_server::Settings;
use wecom_login_sign_in::{Attempter, AuthorizationResponse, BrowserId, SignInError, StateOwner, Visitor};
use wecom_login_simulator::{Fault, FaultKind, sample};
use wecom_login_testkit::wait::{found, until, within};

use crate::browser::{Browser, Page};
use crate::world::{API, REDIRECT, SESSION_COOKIE, World, deliver, redirect, world};

/// The failures of an address in a minute.
const FAILURES: usize = 60;
const KNOWN_COOKIE: &str = "wecom_login_known";
const OFFICE: &str = "203.0.113.1";
const ELSEWHERE: &str = "203.0.113.2";

/// The test's clients name their address themselves.
fn behind_a_proxy(settings: &mut Settings) {
    settings.network.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
}

async fn get_from(browser: &Browser, address: &str, path: &str) -> Page {
    browser.send(browser.request(Method::GET, path).header("x-forwarded-for", address)).await
}

/// A redirect with a code that WeCom refuses, in a browser of its own.
async fn guess(world: &World, address: &str) -> Page {
    let browser = world.browser();
    let state = world.state(&browser).await;
    get_from(&browser, address, &redirect("guessed", &state)).await
}

async fn sign_in_from(world: &World, browser: &Browser, address: &str) -> Page {
    let redirect = world.redirect(browser, "zhangsan").await;
    get_from(browser, address, &redirect).await
}

#[track_caller]
fn assert_limited(page: &Page) {
    assert_eq!((page.status.as_u16(), page.problem()), (429, 710_303));
    let seconds: u64 = page.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}

async fn key(world: &World) -> String {
    let keys = ApiKeys::new(world.store().await, Arc::new(world.clock.clone()), Arc::new(SystemEntropy));
    let key = keys.add("prometheus").await.unwrap().unwrap();
    format!("Bearer {}", key.secret().expose())
}

async fn with_key(browser: &Browser, path: &str, key: &str) -> u16 {
    let request = browser.request(Method::GET, path).header("authorization", key);
    browser.send(request).await.status.as_u16()
}

async fn rows(world: &World) -> Vec<Value> {
    let rows = world.store().await.audit_entries(0, 10_000).await.unwrap();
    rows.into_iter().map(|(_, entry)| json!(entry)).collect()
}

/// Event, outcome, address and count.
fn counted(row: &Value) -> (&str, &str, &str, u64) {
    let text = |key: &str| row[key].as_str().unwrap_or_default();
    (text("event"), text("outcome"), text("address"), row["detail"]["count"].as_u64().unwrap())
}

/// F3: 60 requests that cost nothing locked an address out, valid redirects and API keys included.
#[tokio::test]
async fn f3_cheap_requests_lock_nobody_out() {
    let world = world().start().await;
    let (stranger, honest, signed_in) = (world.browser(), world.browser(), world.browser());
    let key = key(&world).await;
    world.sign_in(&signed_in, "lisi").await;
    let begun = world.redirect(&honest, "zhangsan").await;
    let asked = world.wecom.calls_of("auth/getuserinfo");
    world.state(&stranger).await;
    for _ in 0..FAILURES * 2 {
        assert_eq!(stranger.get(&format!("{REDIRECT}?code=x&state=y")).await.problem(), 710_003);
        let body = json!({"authCode": "two words", "state": "y"});
        let answer = stranger.post_json(&format!("{API}/getLoginCode"), &body).await.json();
        assert_eq!(answer["errcode"], 40029);
        let wrong = format!("Bearer wecom-login-key_{}", "a".repeat(43));
        assert_eq!(with_key(&stranger, "/metrics", &wrong).await, 403);
        assert_eq!(with_key(&stranger, "/me", &wrong).await, 401);
    }
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), asked);
    assert_eq!(honest.get(&begun).await.location(), "/");
    assert_eq!(signed_in.me().await.as_deref(), Some("lisi"));
    for path in ["/metrics", "/console/api/accounts"] {
        assert_eq!(with_key(&world.browser(), path, &key).await, 200, "{path}");
    }
}

#[tokio::test]
async fn wrong_codes_close_the_door_to_unknown_browsers_of_one_address_for_a_minute() {
    for by_api in [false, true] {
        let world = world().settings(behind_a_proxy).start().await;
        let guess = async |address: &str| {
            let browser = world.browser();
            let state = world.state(&browser).await;
            if !by_api {
                let page = get_from(&browser, address, &redirect("guessed", &state)).await;
                return (page.status.as_u16(), page.problem(), page.header("retry-after").to_owned());
            }
            let body = json!({"authCode": "guessed", "state": state});
            let request = browser.request(Method::POST, &format!("{API}/getLoginCode")).json(&body);
            let page = browser.send(request.header("x-forwarded-for", address)).await;
            let number = page.json()["errcode"].as_i64().unwrap();
            (page.status.as_u16(), number, page.header("retry-after").to_owned())
        };
        for _ in 0..FAILURES {
            assert_eq!(guess(OFFICE).await.1, 40029);
        }
        let limited = (429, 710_303, "60".to_owned());
        assert_eq!(guess(OFFICE).await, limited);
        assert_eq!(guess(&format!("1.2.3.4, {OFFICE}")).await, limited, "what the client wrote itself");
        assert_eq!(guess(ELSEWHERE).await.1, 40029);
        assert_eq!(world.wecom.calls_of("auth/getuserinfo"), FAILURES as u64 + 1);

        world.advance(Duration::from_mins(1));
        assert_eq!(guess(OFFICE).await.1, 40029);
    }
}

#[tokio::test]
async fn addresses_that_strangers_forward_do_not_count() {
    let world = world().start().await;
    for number in 0..FAILURES {
        assert_eq!(guess(&world, &format!("203.0.113.{number}")).await.problem(), 40029);
    }
    assert_limited(&guess(&world, "203.0.113.99").await);
}

/// F5: the limit was read before and counted after.
#[tokio::test(flavor = "multi_thread")]
async fn f5_three_hundred_wrong_codes_at_once_make_at_most_sixty_calls() {
    let world = world().start().await;
    let mut redirects = Vec::new();
    for number in 0..300 {
        let browser = world.browser();
        let state = world.state(&browser).await;
        redirects.push((browser, redirect(&format!("guessed{number}"), &state)));
    }
    let start = Arc::new(Barrier::new(redirects.len()));
    let mut guesses = JoinSet::new();
    for (browser, path) in redirects {
        let start = start.clone();
        guesses.spawn(async move {
            start.wait().await;
            browser.get(&path).await
        });
    }
    let pages = within("300 answers", guesses.join_all()).await;
    let (limited, refused): (Vec<_>, Vec<_>) = pages.iter().partition(|page| page.status.as_u16() == 429);
    for page in &limited {
        assert_limited(page);
    }
    assert!(refused.iter().all(|page| page.problem() == 40029));
    assert_eq!((limited.len(), refused.len()), (300 - FAILURES, FAILURES));
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), FAILURES as u64);
}

/// Authorization responses for zhangsan in as many browsers of the office.
fn of_the_office(world: &World, count: usize) -> Vec<AuthorizationResponse> {
    let response = |number| {
        let browser = BrowserId::of_client(&format!("{number:032}")).unwrap();
        let config = world.login.login_config(&world.instance, StateOwner::Browser(&browser)).unwrap();
        AuthorizationResponse {
            instance: world.instance.clone(),
            code: Secret::new(world.code("zhangsan")),
            state: Secret::new(config.state),
            visitor: Arc::new(Visitor { attempter: Attempter::at(OFFICE), ..Visitor::of(browser) }),
        }
    };
    (0..count).map(response).collect()
}

/// The expiry of a state is checked after the wait for a turn, not before it.
#[tokio::test]
async fn a_state_that_expires_while_its_attempt_waits_is_not_used() {
    let world = world().start().await;
    world.wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Hang));
    let mut redirects = of_the_office(&world, FAILURES + 1);
    let (last, mut under_way) = (redirects.pop().unwrap(), JoinSet::new());
    for redirect in redirects {
        let login = world.login.clone();
        under_way.spawn(async move { login.deliver(&redirect).await });
    }
    world.wecom.held(FAILURES).await;
    let waiting = tokio::spawn({
        let login = world.login.clone();
        async move { login.clone().track(async move { login.deliver(&last).await }).await.unwrap() }
    });
    until("the last attempt waits", async || world.login.in_progress() == 1).await;
    world.advance(Duration::from_mins(10));
    under_way.abort_all();
    let outcome = within("the end of the last attempt", waiting).await.unwrap();
    assert!(matches!(outcome, Err(SignInError::StateExpired)), "{outcome:?}");
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), FAILURES as u64);
}

/// Calls the library directly, because a thousand connections need more files than some machines allow.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_honest_sign_ins_at_once_from_one_address_lose_none() {
    const PEOPLE: usize = 1_000;
    let world = world().start().await;
    let redirects = of_the_office(&world, PEOPLE);
    let start = Arc::new(Barrier::new(PEOPLE));
    let mut people = JoinSet::new();
    for redirect in redirects {
        let (login, start) = (world.login.clone(), start.clone());
        people.spawn(async move {
            start.wait().await;
            deliver(&login, &redirect).await.map(drop)
        });
    }
    let outcomes = within("a thousand sign-ins", people.join_all()).await;
    let lost: Vec<String> = outcomes.into_iter().filter_map(|one| Some(one.err()?.to_string())).collect();
    assert_eq!((lost.len(), lost.first()), (0, None));
}

#[tokio::test]
async fn colleagues_who_have_signed_in_before_go_on_while_bad_codes_come_from_their_address() {
    let world = world().settings(behind_a_proxy).start().await;
    let (colleague, other) = (world.browser(), world.browser());
    for browser in [&colleague, &other] {
        assert_eq!(sign_in_from(&world, browser, OFFICE).await.location(), "/");
        assert!(browser.cookie(KNOWN_COOKIE).is_some());
    }
    for number in 0..FAILURES * 2 {
        let page = guess(&world, OFFICE).await;
        if number < FAILURES { assert_eq!(page.problem(), 40029) } else { assert_limited(&page) }
    }
    let newcomer = world.browser();
    assert_limited(&sign_in_from(&world, &newcomer, OFFICE).await);
    assert_eq!(sign_in_from(&world, &newcomer, ELSEWHERE).await.location(), "/");
    for _ in 0..3 {
        // Signed out, the browser is still known.
        let out = colleague.request(Method::POST, "/logout").header("accept", "application/json");
        assert_eq!(colleague.send(out).await.status.as_u16(), 200);
        assert_eq!(sign_in_from(&world, &colleague, OFFICE).await.location(), "/");
    }
    assert_eq!(colleague.me().await.as_deref(), Some("zhangsan"));

    // The account's own allowance ends too, for all of its browsers at this address.
    for number in 0..=FAILURES {
        let state = world.state(&colleague).await;
        let page = get_from(&colleague, OFFICE, &redirect("guessed", &state)).await;
        if number < FAILURES { assert_eq!(page.problem(), 40029) } else { assert_limited(&page) }
    }
    assert_limited(&sign_in_from(&world, &other, OFFICE).await);
    assert_eq!(sign_in_from(&world, &other, ELSEWHERE).await.location(), "/");
    world.advance(Duration::from_mins(1));
    assert_eq!(sign_in_from(&world, &newcomer, OFFICE).await.location(), "/");
}

#[tokio::test]
async fn the_allowance_of_an_account_ends_with_its_member_and_an_invented_cookie_has_none() {
    let world = world().settings(behind_a_proxy).start().await;
    let (colleague, forger) = (world.browser(), world.browser());
    sign_in_from(&world, &colleague, OFFICE).await;
    for _ in 0..FAILURES {
        guess(&world, OFFICE).await;
    }
    forger.set_cookie(KNOWN_COOKIE, "1.20000");
    assert_limited(&sign_in_from(&world, &forger, OFFICE).await);
    assert_eq!(sign_in_from(&world, &colleague, OFFICE).await.location(), "/");

    let member: MemberRef = format!("{}/zhangsan", sample::CORP_ID).parse().unwrap();
    assert!(world.store().await.unbind_member(&member, world.now()).await.unwrap());
    assert_limited(&sign_in_from(&world, &colleague, OFFICE).await);
}

/// Outcomes that another delivery of the same redirect repeats take from no allowance.
#[tokio::test]
async fn a_redirect_that_comes_again_is_answered_without_an_allowance() {
    let world = world().settings(behind_a_proxy).start().await;
    let browser = world.browser();
    let signed_in = world.redirect(&browser, "zhangsan").await;
    assert_eq!(get_from(&browser, OFFICE, &signed_in).await.location(), "/");
    let token = browser.cookie(SESSION_COOKIE);
    for _ in 0..FAILURES {
        guess(&world, OFFICE).await;
    }
    assert_limited(&guess(&world, OFFICE).await);
    assert_eq!(get_from(&browser, OFFICE, &signed_in).await.location(), "/");
    assert_eq!(browser.cookie(SESSION_COOKIE), token);
}

#[tokio::test]
async fn cheap_requests_make_one_row_for_each_kind_and_minute() {
    const EACH: u64 = 250;
    let mut world = world().settings(behind_a_proxy).start().await;
    let stranger = world.browser();
    world.state(&stranger).await;
    let stolen = world.state(&world.browser()).await;
    let wrong = format!("Bearer wecom-login-key_{}", "a".repeat(43));
    for number in 0..EACH {
        let address = format!("2001:db8::{number:x}");
        for (path, problem) in [
            (format!("{REDIRECT}?code=x&state=y"), 710_003),
            (format!("{REDIRECT}?code=x&state={stolen}"), 710_006),
            (format!("{REDIRECT}?code=x"), 710_002),
        ] {
            assert_eq!(get_from(&stranger, &address, &path).await.problem(), problem);
        }
        let request = stranger.request(Method::GET, "/console/api/sync").header("authorization", &wrong);
        assert_eq!(stranger.send(request.header("x-forwarded-for", &address)).await.status.as_u16(), 403);
    }
    assert_eq!(rows(&world).await, Vec::<Value>::new(), "the minute is not over");
    world.advance(Duration::from_mins(1));
    let written = found("the rows of the minute", async || {
        let rows = rows(&world).await;
        if rows.len() == 4 { Ok(rows) } else { Err(rows) }
    })
    .await;
    let mut kinds: Vec<_> = written.iter().map(counted).collect();
    kinds.sort_unstable();
    let network = "2001:db8::/64";
    assert_eq!(
        kinds,
        [
            ("administration_refused", "forbidden", network, EACH),
            ("sign_in", "state_missing", network, EACH),
            ("sign_in", "state_of_another_browser", network, EACH),
            ("sign_in", "state_unknown", network, EACH),
        ]
    );
    assert!(written.iter().all(|row| row["actor"] == "visitor" && row["requestId"].is_string()));

    // The counts of the minute under way are written when the server stops.
    get_from(&stranger, OFFICE, &format!("{REDIRECT}?code=x&state=y")).await;
    world.restart().await;
    let rows = rows(&world).await;
    assert_eq!((rows.len(), counted(&rows[4])), (5, ("sign_in", "state_unknown", OFFICE, 1)));
}

/// F4: what one redirect repeats writes no more rows than it has outcomes.
#[tokio::test]
async fn a_final_refusal_has_one_row_and_its_repetitions_are_counted() {
    let world = world().start().await;
    let browser = world.browser();
    let refused = world.redirect(&browser, sample::OUT_OF_SCOPE).await;
    for _ in 0..10 {
        assert_eq!(browser.get(&refused).await.problem(), 60111);
    }
    let first = rows(&world).await;
    assert_eq!((first.len(), &first[0]["outcome"]), (1, &json!("outside_scope")));
    assert!(first[0]["actor"].as_str().unwrap().starts_with("member "));
    world.server().flush_audit_log().await;
    let rows = rows(&world).await;
    assert_eq!((rows.len(), counted(&rows[1])), (2, ("sign_in", "outside_scope", "127.0.0.1", 9)));
}
