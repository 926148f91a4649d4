//! Three processes on one PostgreSQL and one Redis: a request may come to any of them, and any of them may die.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use reqwest::{Method, StatusCode};
use tokio::task::JoinSet;
use wecom_login_simulator::{By, Change, EventState, Fault, FaultKind, sample};

use wecom_login_testkit::load;
use wecom_login_testkit::replicas::Replicas;

use crate::browser::{Browser, location, session_of};
use crate::program::PROGRAM;

const PEOPLE: usize = 2_000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login --test it replicas -- --ignored"]
async fn two_thousand_cold_sign_ins_ask_for_one_access_token() {
    let replicas = Arc::new(Replicas::cold(Path::new(PROGRAM), PEOPLE).await);
    let rush = load::sign_everybody_in(&replicas, 240).await;
    assert_eq!(rush.lost, [""; 0]);
    assert_eq!(rush.access_tokens, 1);
    let sessions = replicas.sessions(&[]).await;
    let members: BTreeSet<&str> =
        sessions.iter().map(|session| session["userId"].as_str().unwrap()).collect();
    assert_eq!((sessions.len(), members.len()), (PEOPLE, PEOPLE));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login --test it replicas -- --ignored"]
async fn a_sign_in_begins_here_ends_there_and_is_known_everywhere() {
    let replicas = Replicas::of(Path::new(PROGRAM), 10).await;
    let by_the_api = replicas.browser();
    let redirect = replicas.redirect(&by_the_api, 0, "zhangsan").await;
    let answer = by_the_api.get(replicas.url(1), &redirect).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);

    let by_the_page = replicas.browser();
    let page = by_the_page.get(replicas.url(2), "/login?return_to=/reports").await.text().await.unwrap();
    let state: String =
        page.split_once("&#38;state=").unwrap().1.chars().take_while(char::is_ascii_alphanumeric).collect();
    let redirect = format!("/auth/wecom?code={}&state={state}", replicas.wecom.code_for("lisi"));
    let answer = by_the_page.get(replicas.url(0), &redirect).await;
    assert_eq!(answer.headers()["location"], format!("{}/reports", replicas.url(0)));

    for replica in 0..3 {
        assert_eq!(by_the_api.me(replicas.url(replica)).await.as_deref(), Some("zhangsan"));
        assert_eq!(by_the_page.me(replicas.url(replica)).await.as_deref(), Some("lisi"));
    }
    let out = by_the_api.request(Method::POST, replicas.url(2), "/logout");
    let out = by_the_api.send(out.header("origin", replicas.url(0))).await;
    assert!(out.status().as_u16() < 400, "{out:?}");
    for replica in 0..3 {
        assert_eq!(by_the_api.me(replicas.url(replica)).await, None);
        assert_eq!(by_the_page.me(replicas.url(replica)).await.as_deref(), Some("lisi"));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login --test it replicas -- --ignored"]
async fn a_leaver_s_event_at_one_replica_ends_the_session_at_all() {
    let replicas = Replicas::of(Path::new(PROGRAM), 10).await;
    replicas.subscribe(0).await;
    let stays = replicas.signed_in("zhangsan").await;
    for (leaver, wecom_is_down) in [("lisi", false), ("m000003", true)] {
        let laptop = replicas.signed_in(leaver).await;
        let phone = replicas.signed_in(leaver).await;
        assert_eq!(replicas.sessions(&["--member", leaver]).await.len(), 2);
        if wecom_is_down {
            replicas.wecom.fault(Fault::new("*", FaultKind::Status { code: 502 }));
        }
        let leaves = Change::RemoveMember(leaver.to_owned());
        replicas.wecom.change(sample::CORP_ID, leaves, By::Console).unwrap();
        replicas.wecom.events_settled().await;
        let events = replicas.wecom.events();
        assert!(!events.is_empty() && events.iter().all(|event| event.state == EventState::Delivered));
        for (browser, replica) in [(&laptop, 1), (&phone, 2), (&laptop, 0)] {
            assert_eq!(browser.me(replicas.url(replica)).await, None, "{leaver}, replica {replica}");
        }
        assert_eq!(stays.me(replicas.url(1)).await.as_deref(), Some("zhangsan"));
    }
}

/// A process dies at three sign-ins: the first one's code is whole; the second's is burnt, and it is written down whose it
/// was; the third's is burnt, and nobody knows whose it was.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login --test it replicas -- --ignored"]
async fn what_a_killed_replica_had_begun_the_others_end_once() {
    let mut replicas = Replicas::of(Path::new(PROGRAM), 10).await;
    let names = ["zhangsan", "lisi", "m000003"];
    let faults = [
        Fault::new("auth/getuserinfo", FaultKind::Hang),
        Fault::new("user/get", FaultKind::Hang),
        Fault::new("auth/getuserinfo", FaultKind::HoldAnswer),
    ];
    let browsers = names.map(|_| replicas.browser());
    let mut redirects = Vec::new();
    let mut abandoned = JoinSet::new();
    for ((name, browser), (held, fault)) in names.iter().zip(&browsers).zip(faults.into_iter().enumerate()) {
        let redirect = replicas.redirect(browser, 0, name).await;
        replicas.wecom.fault(fault.times(1));
        abandoned.spawn(browser.request(Method::GET, replicas.url(0), &redirect).send());
        replicas.wecom.held(held + 1).await;
        redirects.push(redirect);
    }
    replicas.kill(0);
    assert!(abandoned.join_all().await.iter().all(Result::is_err));
    replicas.wecom.held_at_most(0).await;
    replicas.wecom.clear_faults();

    let [zhangsan, lisi, third] = &browsers;
    let again = |browser: &Browser, replica, number: usize| {
        browser.request(Method::GET, replicas.url(replica), &redirects[number]).send()
    };
    let (one, other, proven, burnt) =
        tokio::join!(again(zhangsan, 1, 0), again(zhangsan, 2, 0), again(lisi, 1, 1), again(third, 2, 2),);
    let [one, other, proven, burnt] = [one, other, proven, burnt].map(Result::unwrap);
    let session = session_of(&one).unwrap();
    assert_eq!(Some(&session), session_of(&other).as_ref(), "one session");
    zhangsan.keep(&session);
    lisi.keep(&session_of(&proven).unwrap());
    // The third begins again by itself.
    assert_eq!((burnt.status(), session_of(&burnt)), (StatusCode::SEE_OTHER, None));
    let redirect = replicas.redirect_of(location(&burnt), names[2]);
    assert_eq!(third.get(replicas.url(1), &redirect).await.status(), StatusCode::SEE_OTHER);

    for (browser, name) in browsers.iter().zip(names) {
        for replica in [1, 2] {
            assert_eq!(browser.me(replicas.url(replica)).await.as_deref(), Some(name));
        }
    }
    let asked = replicas.wecom.calls_of("auth/getuserinfo");
    assert_eq!(asked, 2 + 1 + 3, "a member that WeCom has named is not asked for again");
    let sessions = replicas.sessions(&[]).await;
    let mut members: Vec<&str> = sessions.iter().map(|session| session["userId"].as_str().unwrap()).collect();
    members.sort_unstable();
    assert_eq!(members, ["lisi", "m000003", "zhangsan"]);
}

/// F1: requests for states fill neither Redis nor the database.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login --test it replicas -- --ignored"]
async fn states_that_are_issued_leave_nothing_in_redis() {
    let replicas = Replicas::of(Path::new(PROGRAM), 10).await;
    replicas.signed_in("lisi").await;
    let before = replicas.redis_keys("state/");
    assert_eq!(before, 1, "the claim of lisi's sign-in");
    let browser = replicas.browser();
    for number in 0..300 {
        let address = format!("/login?return_to=/{}", "a".repeat(1_000));
        assert_eq!(browser.get(replicas.url(number % 3), &address).await.status(), StatusCode::OK);
    }
    assert_eq!(replicas.redis_keys("state/"), before);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login --test it replicas -- --ignored"]
async fn an_emptied_redis_signs_nobody_out_and_sign_ins_under_way_begin_again() {
    let replicas = Replicas::of(Path::new(PROGRAM), 10).await;
    let lisi = replicas.signed_in("lisi").await;
    let browser = replicas.browser();
    let mut redirect = replicas.redirect(&browser, 0, "zhangsan").await;
    for loss in 1..=3 {
        replicas.empty_redis();
        let stranger = replicas.browser().get(replicas.url(2), &redirect).await;
        // A browser without our cookie starts a sign-in of its own, unless that has started twice; the state is only this
        // browser's.
        let expected = if loss == 3 { StatusCode::BAD_REQUEST } else { StatusCode::SEE_OTHER };
        assert_eq!(stranger.status(), expected);
        let mut cookies = stranger.headers().get_all("set-cookie").iter();
        let is_name = |cookie: &[u8]| cookie.starts_with(b"wecom_login_browser=");
        assert!(cookies.all(|cookie| is_name(cookie.as_bytes())), "{stranger:?}");
        let answer = browser.get(replicas.url(1), &redirect).await;
        if loss == 3 {
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
            let page = answer.text().await.unwrap();
            assert!(page.contains("710003") && page.contains("href=\"/login"), "{page}");
            break;
        }
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let link = location(&answer);
        redirect = replicas.redirect_of(link, "zhangsan");
    }
    for replica in 0..3 {
        assert_eq!(lisi.me(replicas.url(replica)).await.as_deref(), Some("lisi"));
    }

    let redirect = replicas.redirect(&browser, 0, "zhangsan").await;
    replicas.empty_redis();
    let answer = browser.get(replicas.url(1), &redirect).await;
    let redirect = replicas.redirect_of(location(&answer), "zhangsan");
    assert_eq!(browser.get(replicas.url(2), &redirect).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(browser.me(replicas.url(0)).await.as_deref(), Some("zhangsan"));
}
