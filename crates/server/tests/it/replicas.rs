//! Two servers on one PostgreSQL and one Redis: it makes no difference which of them a request comes to.

use std::time::Duration;

use wecom_login_server::Settings;

use crate::world::{Builder, World, redirect, world};

/// The servers that `scripts/with-servers` has started.
fn shared(settings: &mut Settings) {
    let server = |variable: &str| {
        std::env::var(variable)
            .unwrap_or_else(|_| panic!("{variable} is not set: run this with scripts/with-servers"))
    };
    let environment = [
        ("WECOM_LOGIN_DATABASE".into(), server("WECOM_LOGIN_TEST_POSTGRES").into()),
        ("WECOM_LOGIN_REDIS".into(), server("WECOM_LOGIN_TEST_REDIS").into()),
        ("WECOM_LOGIN_KEY".into(), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()),
    ];
    let given = Settings::load(None, environment, []).unwrap();
    settings.storage = given.storage;
}

/// A world whose clock is ahead of the start of all worlds of the run. They share the epoch of the values in Redis, and a state
/// that was issued before it begins again.
async fn start(builder: Builder) -> World {
    let world = builder.start().await;
    world.advance(Duration::from_mins(1));
    world
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login-server --test it replicas -- --ignored"]
async fn a_sign_in_goes_on_at_another_replica_and_its_end_is_seen_by_all() {
    let world = start(world().settings(shared)).await;
    let other = world.replica().await;
    let here = world.browser();
    let redirect = world.redirect(&here, "zhangsan").await;

    let there = here.at(&other);
    let (first, second) = tokio::join!(there.get(&redirect), here.get(&redirect));
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (303, 303), "{first:?} {second:?}");
    assert_eq!(
        (here.me().await.as_deref(), there.me().await.as_deref()),
        (Some("zhangsan"), Some("zhangsan"))
    );
    assert_eq!(here.at(&other).me().await.as_deref(), Some("zhangsan"), "one session, good at both");
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1, "the redirect came twice, to two replicas");

    let lisi = world.browser().at(&other);
    let redirect = world.redirect(&lisi, "lisi").await;
    assert_eq!(lisi.get(&redirect).await.location(), "/");
    assert_eq!(world.wecom.calls_of("gettoken"), 1, "one access token for both");

    let out = here.request(reqwest::Method::POST, "/logout").header("origin", &world.url);
    assert!(here.send(out).await.status.as_u16() < 400);
    assert_eq!((here.me().await, there.me().await), (None, None), "ended at once at both");
    assert_eq!(lisi.me().await.as_deref(), Some("lisi"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login-server --test it replicas -- --ignored"]
async fn failures_at_one_replica_count_at_the_other() {
    let behind_a_proxy = world().settings(|settings| {
        shared(settings);
        settings.network.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let world = start(behind_a_proxy).await;
    let other = world.replica().await;
    // Other runs share the counters.
    let second = world.now().as_secs();
    let address = format!("2001:db8:{:x}:{:x}::1", second >> 16 & 0xffff, second & 0xffff);
    let guess = async |server: &str| {
        let browser = world.browser();
        let state = world.state(&browser).await;
        let browser = browser.at(server);
        let request = browser.request(reqwest::Method::GET, &redirect("guessed", &state));
        browser.send(request.header("x-forwarded-for", &address)).await.problem()
    };
    for number in 0..60 {
        let server = if number % 2 == 0 { &world.url } else { &other };
        assert_eq!(guess(server).await, 40029, "failure {number}");
    }
    // Each replica may keep what it has read for a second.
    world.advance(Duration::from_secs(1));
    assert_eq!((guess(&world.url).await, guess(&other).await), (710_303, 710_303));
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 60);
    world.advance(Duration::from_mins(1));
    assert_eq!(guess(&other).await, 40029);
}
