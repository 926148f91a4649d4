use std::time::Duration;

use wecom_login_simulator::{Fault, FaultKind};

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
    while tokio::net::TcpStream::connect(world.address()).await.is_ok() {
        tokio::task::yield_now().await;
    }
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
    while tokio::net::TcpStream::connect(world.address()).await.is_ok() {
        tokio::task::yield_now().await;
    }
    world.wecom.clear_faults();
    world.stopped().await;
    assert_eq!(world.store().await.rows(world.now()).await.unwrap().live_sessions, 1);
}

#[tokio::test]
async fn it_says_that_it_stops_before_it_does() {
    let mut world =
        world().settings(|settings| settings.shutdown_delay = Duration::from_mins(10)).start().await;
    let browser = world.browser();
    assert_eq!(browser.get("/readyz").await.status, 200);
    world.stop();
    let page = loop {
        let page = browser.get("/readyz").await;
        if page.status != 200 {
            break page;
        }
    };
    assert_eq!((page.status.as_u16(), page.json()["status"].as_str()), (503, Some("stopping")));
    // Whoever comes all the same is served until the delay is over.
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/");
    assert_eq!(browser.get("/healthz").await.status, 200);
}
