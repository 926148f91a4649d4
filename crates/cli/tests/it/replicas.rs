//! Three processes on one PostgreSQL and one Redis: a request may come to any of them, and any of them may die.

mod company;

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::{Method, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wecom_login_simulator::{By, Change, EventState, Fault, FaultKind, sample};

use company::{Browser, Replicas, session_of};

const PEOPLE: usize = 2_000;
/// Sign-ins under way at one moment, a third of them at each replica.
const AT_ONCE: usize = 240;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login --test it replicas -- --ignored"]
async fn two_thousand_cold_sign_ins_ask_for_one_access_token() {
    let replicas = Replicas::of(PEOPLE).await;
    let people = replicas.people();
    let (replicas, places) = (Arc::new(replicas), Arc::new(Semaphore::new(AT_ONCE)));
    let mut sign_ins = JoinSet::new();
    for (number, user_id) in people.into_iter().enumerate() {
        let (replicas, places) = (replicas.clone(), places.clone());
        sign_ins.spawn(async move {
            let _place = places.acquire().await.unwrap();
            let browser = replicas.browser();
            let redirect = replicas.redirect(&browser, number, &user_id).await;
            let answer = browser.get(replicas.url(number), &redirect).await;
            assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{user_id}: {}", answer.text().await.unwrap());
            assert_eq!(browser.me(replicas.url(number + 1)).await.as_deref(), Some(user_id.as_str()));
        });
    }
    sign_ins.join_all().await;
    assert_eq!(replicas.wecom.calls_of("gettoken"), 1);
    let sessions = replicas.sessions(&[]).await;
    let members: BTreeSet<&str> =
        sessions.iter().map(|session| session["userId"].as_str().unwrap()).collect();
    assert_eq!((sessions.len(), members.len()), (PEOPLE, PEOPLE));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login --test it replicas -- --ignored"]
async fn a_sign_in_begins_here_ends_there_and_is_known_everywhere() {
    let replicas = Replicas::of(10).await;
    let by_the_api = replicas.browser();
    let redirect = replicas.redirect(&by_the_api, 0, "zhangsan").await;
    let answer = by_the_api.get(replicas.url(1), &redirect).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);

    let by_the_page = replicas.browser();
    let page = by_the_page.get(replicas.url(2), "/login?return_to=/reports").await.text().await.unwrap();
    let state: String = page.split_once("&#38;state=").unwrap().1.chars().take(32).collect();
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
    let replicas = Replicas::of(10).await;
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

/// Sends the redirect until it is no more under way: the claim of a process that died runs out by itself. Each answer
/// takes as long as a replica waits for another.
async fn ended(browser: &Browser, url: &str, redirect: &str) -> Response {
    for _ in 0..4 {
        let answer = browser.request(Method::GET, url, redirect).send().await.unwrap();
        if answer.status() != StatusCode::CONFLICT {
            return answer;
        }
    }
    panic!("{url} still takes the sign-in for one that is under way");
}

/// The process dies while WeCom has not answered yet: zhangsan's code is whole, lisi's is burnt.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login --test it replicas -- --ignored"]
async fn what_a_killed_replica_had_begun_the_others_end_once() {
    let mut replicas = Replicas::of(10).await;
    let (zhangsan, lisi) = (replicas.browser(), replicas.browser());
    let redirect = replicas.redirect(&zhangsan, 0, "zhangsan").await;
    let burnt = replicas.redirect(&lisi, 0, "lisi").await;
    replicas.wecom.fault(Fault::new("user/get", FaultKind::Hang));
    let second_dies = tokio::spawn(lisi.request(Method::GET, replicas.url(0), &burnt).send());
    replicas.wecom.held(1).await;
    replicas.wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Hang));
    let first_dies = tokio::spawn(zhangsan.request(Method::GET, replicas.url(0), &redirect).send());
    replicas.wecom.held(2).await;
    replicas.kill(0);
    assert!(first_dies.await.unwrap().is_err() && second_dies.await.unwrap().is_err());
    replicas.wecom.held_at_most(0).await;
    replicas.wecom.clear_faults();

    let (one, other, refused) = tokio::join!(
        ended(&zhangsan, replicas.url(1), &redirect),
        ended(&zhangsan, replicas.url(2), &redirect),
        ended(&lisi, replicas.url(1), &burnt),
    );
    assert_eq!((one.status(), other.status()), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
    let session = session_of(&one).unwrap();
    assert_eq!(Some(&session), session_of(&other).as_ref(), "one session");
    assert_eq!(
        replicas.wecom.calls_of("auth/getuserinfo"),
        4,
        "each by the dead one and by one of the others"
    );
    zhangsan.keep(&session);
    for replica in [1, 2] {
        assert_eq!(zhangsan.me(replicas.url(replica)).await.as_deref(), Some("zhangsan"));
    }

    let status = refused.status();
    let page = refused.text().await.unwrap();
    assert!(
        status == StatusCode::BAD_REQUEST && page.contains("40029") && page.contains("href=\"/login"),
        "{status} {page}"
    );
    let redirect = replicas.redirect(&lisi, 1, "lisi").await;
    assert_eq!(lisi.get(replicas.url(2), &redirect).await.status(), StatusCode::SEE_OTHER);
    let sessions = replicas.sessions(&[]).await;
    let mut members: Vec<&str> = sessions.iter().map(|session| session["userId"].as_str().unwrap()).collect();
    members.sort_unstable();
    assert_eq!(members, ["lisi", "zhangsan"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL and Redis: scripts/with-servers cargo test -p wecom-login --test it replicas -- --ignored"]
async fn an_emptied_redis_signs_nobody_out_and_sign_ins_under_way_are_told_to_begin_again() {
    let replicas = Replicas::of(10).await;
    let lisi = replicas.signed_in("lisi").await;
    let browser = replicas.browser();
    let redirect = replicas.redirect(&browser, 0, "zhangsan").await;
    replicas.empty_redis();
    let answer = browser.get(replicas.url(1), &redirect).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let page = answer.text().await.unwrap();
    assert!(page.contains("710003") && page.contains("href=\"/login"), "{page}");
    for replica in 0..3 {
        assert_eq!(lisi.me(replicas.url(replica)).await.as_deref(), Some("lisi"));
    }
    let redirect = replicas.redirect(&browser, 1, "zhangsan").await;
    assert_eq!(browser.get(replicas.url(2), &redirect).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(browser.me(replicas.url(0)).await.as_deref(), Some("zhangsan"));
}
