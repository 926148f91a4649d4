use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use wecom_login_model::{Clock, SystemClock, Timestamp};
use wecom_login_server::{Dependencies, Server, Settings};
use wecom_login_simulator::{Fault, FaultKind, sample};
use wecom_login_testkit::wait::{PATIENCE, found, until, within};

use super::operated;
use crate::world::{SESSION_COOKIE, world};

#[tokio::test]
async fn a_sign_in_under_way_is_finished_and_nobody_new_is_let_in() {
    let mut world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    world.wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Hang));
    let under_way = tokio::spawn(async move {
        let page = browser.get(&redirect).await;
        (page, browser)
    });
    world.wecom.held(1).await;
    world.stop();
    // From here on the system refuses whoever connects.
    until("nobody listens", async || TcpStream::connect(world.address()).await.is_err()).await;
    world.wecom.clear_faults();
    let (page, browser) = under_way.await.unwrap();
    assert_eq!(page.location(), "/");
    assert!(browser.cookie(SESSION_COOKIE).is_some());
    world.stopped().await;
    world.start_again().await;
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

#[tokio::test]
async fn a_sign_in_whose_browser_went_away_is_finished_too() {
    let mut world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    world.wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Hang));
    let gone = tokio::spawn(async move { browser.get(&redirect).await });
    world.wecom.held(1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    world.stop();
    until("nobody listens", async || TcpStream::connect(world.address()).await.is_err()).await;
    world.wecom.clear_faults();
    world.stopped().await;
    assert_eq!(world.store().await.rows(world.now()).await.unwrap().live_sessions, 1);
}

#[tokio::test]
async fn it_says_that_it_stops_before_it_does() {
    let mut world = world()
        .settings(|settings| settings.operations.shutdown_delay = Duration::from_mins(10))
        .start()
        .await;
    let browser = world.browser();
    assert_eq!(browser.get("/readyz").await.status, 200);
    world.stop();
    let page = found("it is not ready", async || {
        let page = browser.get("/readyz").await;
        if page.status == 200 { Err(page) } else { Ok(page) }
    })
    .await;
    assert_eq!((page.status.as_u16(), page.json()["status"].as_str()), (503, Some("stopping")));
    // Whoever comes all the same is served until the delay is over.
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/");
    assert_eq!(browser.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_sync_under_way_is_left_and_keeps_nobody_waiting() {
    let mut world = world().settings(operated).start().await;
    let admin = world.browser();
    world.sign_in(&admin, "zhangsan").await;
    world.wecom.fault(Fault::new("user/list", FaultKind::Hang));
    let begun = admin.post_json("/console/api/sync", &json!({})).await.json();
    assert_eq!(begun["errcode"], 0, "{begun}");
    world.wecom.held(1).await;
    world.stop();
    world.stopped().await;
    assert_eq!(world.store().await.lease(&format!("sync/{}", sample::CORP_ID)).await.unwrap(), None);

    world.wecom.clear_faults();
    world.start_again().await;
    let begun = admin.post_json("/console/api/sync", &json!({})).await.json();
    assert_eq!(begun["errcode"], 0, "{begun}");
    let runs = found("no sync is under way", async || {
        let told = admin.get_json("/console/api/sync").await.json()["data"].clone();
        if told["running"] == json!([]) { Ok(told["runs"].clone()) } else { Err(told) }
    })
    .await;
    assert_eq!(runs[0]["outcome"], "complete", "{runs}");
    assert_eq!(runs[1]["outcome"], "failed", "it had read nothing: {runs}");
}

/// The system's clock, which breaks once.
#[derive(Debug, Default)]
struct Brittle {
    breaks: AtomicBool,
}

impl Clock for Brittle {
    fn now(&self) -> Timestamp {
        assert!(!self.breaks.swap(false, Ordering::Relaxed), "the clock breaks");
        SystemClock.now()
    }
}

/// A server of an empty app whose next worker to look at the clock breaks off.
async fn with_a_broken_worker(shutdown_delay: Duration) -> (Server, TcpListener, tempfile::TempDir) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app");
    std::fs::create_dir(&app).unwrap();
    let address = listener.local_addr().unwrap();
    let mut settings = Settings::local(address, app, folder.path().join("data")).unwrap();
    settings.operations.shutdown_delay = shutdown_delay;
    let clock = Arc::new(Brittle::default());
    let dependencies = Dependencies { clock: clock.clone(), ..Dependencies::default() };
    let server = Server::open(settings, dependencies).await.unwrap();
    clock.breaks.store(true, Ordering::Relaxed);
    (server, listener, folder)
}

#[tokio::test]
async fn a_worker_that_breaks_off_ends_the_server_with_an_error() {
    let (server, listener, _folder) = with_a_broken_worker(Duration::ZERO).await;
    let ended = within("the end of the server", server.run(listener, std::future::pending())).await;
    let error = ended.unwrap_err().to_string();
    assert!(error.starts_with("a worker failed: "), "{error}");
}

#[tokio::test]
async fn a_worker_that_breaks_off_is_seen_by_whoever_spreads_requests() {
    let (server, listener, _folder) = with_a_broken_worker(Duration::from_mins(10)).await;
    let url = format!("http://{}/readyz", listener.local_addr().unwrap());
    let running = tokio::spawn(server.run(listener, std::future::pending()));
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let status = found("it says that it stops", async || {
        let page = http.get(&url).send().await.unwrap();
        let status = page.status();
        let told: serde_json::Value = serde_json::from_str(&page.text().await.unwrap()).unwrap();
        if told["status"] == "stopping" { Ok(status) } else { Err(told) }
    });
    assert_eq!(status.await, 503);
    running.abort();
}
