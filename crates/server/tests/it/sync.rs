//! The organisation's sync by the console's API.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use wecom_login_model::{Clock as _, MemberRef};
use wecom_login_server::{Interval, Settings};
use wecom_login_simulator::{Company, Fault, FaultKind, sample};
use wecom_login_store::{Lease, Outcome};
use wecom_login_testkit::wait::{found, until};

use crate::browser::{Browser, Page};
use crate::world::{ELEMENT, World, world};

const SYNC: &str = "/console/api/sync";

fn with_zhangsan(settings: &mut Settings) {
    let admin: MemberRef = format!("{}/zhangsan", sample::CORP_ID).parse().unwrap();
    settings.administrators.admins = [admin].into_iter().collect();
}

async fn administered() -> (World, Browser) {
    let world = world().settings(with_zhangsan).start().await;
    let admin = world.browser();
    world.sign_in(&admin, "zhangsan").await;
    (world, admin)
}

fn answer(page: &Page) -> (u16, i64) {
    (page.status.as_u16(), page.json()["errcode"].as_i64().unwrap())
}

/// What GET tells once no sync is under way.
async fn settled(admin: &Browser) -> Value {
    found("no sync is under way", async || {
        let told = admin.get_json(SYNC).await.json()["data"].clone();
        if told["running"] == json!([]) { Ok(told) } else { Err(told) }
    })
    .await
}

fn edit<T>(world: &World, edit: impl FnOnce(&mut Company) -> T) -> T {
    world.wecom.edit(sample::CORP_ID, edit).unwrap()
}

#[tokio::test]
async fn administrators_begin_a_sync_and_see_what_came_of_it() {
    let (world, admin) = administered().await;
    let stranger = world.browser();
    assert_eq!(answer(&stranger.post_json(SYNC, &json!({})).await), (401, 710_301));
    assert_eq!(answer(&stranger.get_json(SYNC).await), (401, 710_301));

    let begun = admin.post_json(SYNC, &json!({})).await.json();
    assert_eq!((&begun["errcode"], &begun["data"]["started"]), (&json!(0), &json!([ELEMENT])), "{begun}");
    let told = settled(&admin).await;
    let run = &told["runs"][0];
    assert_eq!(
        (&run["outcome"], &run["instance"], &run["problem"]),
        (&json!("complete"), &json!(ELEMENT), &json!(""))
    );
    assert!(run["startedBy"].as_str().unwrap().starts_with("member "), "{run}");
    assert_eq!(told["held"], json!([]));
    assert!(world.members().await.iter().any(|(user_id, _)| user_id == "wangwu"));

    for (body, code) in [
        (json!({"instance": "auths.loginTypes.Nobody"}), (404, 710_311)),
        (json!({"instance": 7}), (400, 710_308)),
        (json!({"force": "yes"}), (400, 710_308)),
        (json!({"fast": true}), (400, 710_308)),
    ] {
        assert_eq!(answer(&admin.post_json(SYNC, &body).await), code, "{body}");
    }
}

#[tokio::test]
async fn held_removals_are_told_and_made_once_they_are_approved() {
    let (world, admin) = administered().await;
    admin.post_json(SYNC, &json!({"instance": ELEMENT})).await;
    settled(&admin).await;
    let confirm = format!("{SYNC}/confirm");
    assert_eq!(answer(&admin.post_json(&confirm, &json!({"instance": ELEMENT})).await), (404, 710_407));

    let lisi = world.browser();
    world.sign_in(&lisi, "lisi").await;
    let before = world.members().await.len();
    // A scope with nobody in it, by mistake or not.
    edit(&world, |company| {
        company.edit_app(sample::AGENT_ID, |app| app.scope.departments.clear());
    });
    admin.post_json(SYNC, &json!({})).await;
    let told = settled(&admin).await;
    assert_eq!(told["runs"][0]["outcome"], "held", "{told}");
    assert_eq!((&told["held"][0]["instance"], &told["held"][0]["count"]), (&json!(ELEMENT), &json!(before)));
    assert!(told["held"][0]["members"].as_array().unwrap().contains(&json!("lisi")), "{told}");
    assert_eq!((world.members().await.len(), lisi.me().await.as_deref()), (before, Some("lisi")));

    edit(&world, |company| {
        company.edit_app(sample::AGENT_ID, |app| app.scope.members.push("zhangsan".into()));
    });
    let approved = admin.post_json(&confirm, &json!({"instance": ELEMENT})).await.json();
    assert_eq!(approved["data"]["started"], json!([ELEMENT]), "{approved}");
    let told = settled(&admin).await;
    assert_eq!((&told["runs"][0]["outcome"], &told["held"]), (&json!("complete"), &json!([])), "{told}");
    assert_eq!(world.members().await.len(), 1);
    assert_eq!((lisi.me().await, admin.me().await.as_deref()), (None, Some("zhangsan")));
}

#[tokio::test]
async fn the_apps_of_a_company_follow_one_another() {
    const OLD: &str = "auths.loginTypes.Old";
    let world = world()
        .instance("Old", json!({"corpSecret": sample::OLD_SECRET, "agentId": sample::OLD_AGENT_ID}))
        .instance(
            "Second",
            json!({
                "corpId": sample::SECOND_CORP_ID,
                "corpSecret": sample::SECOND_SECRET,
                "agentId": sample::SECOND_AGENT_ID,
            }),
        )
        .settings(with_zhangsan)
        .start()
        .await;
    let admin = world.browser();
    world.sign_in(&admin, "zhangsan").await;
    let _elsewhere = sync_elsewhere(&world, sample::SECOND_CORP_ID).await;
    // The failure of one keeps no other from its turn.
    world.wecom.fault(Fault::new("agent/get", FaultKind::Errcode { code: 60_020 }).times(1));

    let begun = admin.post_json(SYNC, &json!({})).await.json();
    assert_eq!(
        (&begun["errcode"], &begun["data"]["started"]),
        (&json!(0), &json!([OLD, ELEMENT])),
        "{begun}"
    );
    assert_eq!(begun["data"]["notStarted"], json!([SECOND]));
    let runs = found("the end of the second sync", async || {
        let runs = admin.get_json(SYNC).await.json()["data"]["runs"].clone();
        let ended = |run: &Value| run["instance"] == ELEMENT && run["outcome"] != json!(null);
        if runs.as_array().unwrap().iter().any(ended) { Ok(runs) } else { Err(runs) }
    })
    .await;
    assert_eq!((&runs[0]["instance"], &runs[0]["outcome"]), (&json!(ELEMENT), &json!("complete")), "{runs}");
    assert_eq!((&runs[1]["instance"], &runs[1]["outcome"]), (&json!(OLD), &json!(null)), "{runs}");
}

/// A sync of the company by another process, which beats until this is dropped.
async fn sync_elsewhere(world: &World, corp_id: &str) -> JoinSet<()> {
    let (store, name) = (world.store().await, format!("sync/{corp_id}"));
    let lease = Lease {
        holder: "elsewhere/1/1/1".into(),
        label: "process 7 on web-1 (command)".into(),
        since: world.clock.now(),
        beats: 0,
    };
    store.take_lease(&name, &lease, None).await.unwrap().unwrap();
    let mut beating = JoinSet::new();
    beating.spawn(async move {
        let mut beats = tokio::time::interval(Duration::from_millis(50));
        while store.renew_lease(&name, &lease.holder).await.unwrap() {
            beats.tick().await;
        }
    });
    beating
}

#[tokio::test]
async fn a_sync_that_is_under_way_is_named() {
    let (world, admin) = administered().await;
    let _elsewhere = sync_elsewhere(&world, sample::CORP_ID).await;
    let refused = admin.post_json(SYNC, &json!({})).await;
    assert_eq!(answer(&refused), (409, 710_406));
    let message = refused.json()["errmsg"].as_str().unwrap().to_owned();
    assert!(message.contains("process 7 on web-1 (command) is at it since"), "{message}");
    let told = admin.get_json(SYNC).await.json();
    assert_eq!(told["data"]["running"][0]["holder"], "process 7 on web-1 (command)");
}

#[tokio::test]
async fn a_sync_that_fails_is_told_with_its_reason() {
    let (world, admin) = administered().await;
    world
        .wecom
        .fault(Fault { times: Some(1), ..Fault::new("agent/get", FaultKind::Errcode { code: 60_020 }) });
    admin.post_json(SYNC, &json!({})).await;
    let run = settled(&admin).await["runs"][0].clone();
    assert_eq!(run["outcome"], json!(null), "it can be taken up: {run}");
    assert!(run["problem"].as_str().unwrap().contains("60020"), "{run}");
}

const SECOND: &str = "auths.loginTypes.Second";

/// Two companies, the first of which does not answer.
async fn with_a_hanging_company(settings: impl Fn(&mut Settings) + Send + Sync + 'static) -> World {
    let second = json!({
        "corpId": sample::SECOND_CORP_ID,
        "corpSecret": sample::SECOND_SECRET,
        "agentId": sample::SECOND_AGENT_ID,
    });
    world().instance("Second", second).settings(settings).start().await
}

fn hang(world: &World) {
    world.wecom.fault(Fault::new("*", FaultKind::Hang).of(sample::CORP_ID));
}

/// The outcome of the last run of the instance, by the store; `None` without a run.
async fn last_outcome(world: &World, instance: &str) -> Option<Option<Outcome>> {
    let runs = world.store().await.runs(20).await.unwrap();
    runs.iter().find(|run| run.instance == instance).map(|run| run.outcome)
}

/// O6: the deadline of a call is ten seconds.
#[tokio::test]
async fn a_company_whose_wecom_hangs_delays_no_sync_of_another_one() {
    let world = with_a_hanging_company(with_zhangsan).await;
    let admin = world.browser();
    world.sign_in(&admin, "zhangsan").await;
    hang(&world);
    let begun = admin.post_json(SYNC, &json!({})).await.json();
    assert_eq!(begun["data"]["started"], json!([ELEMENT, SECOND]), "{begun}");
    until("the second company is synced", async || {
        last_outcome(&world, SECOND).await == Some(Some(Outcome::Complete))
    })
    .await;
    assert_eq!(last_outcome(&world, ELEMENT).await, Some(None));
    assert!(world.wecom.held_now() > 0, "the first company hangs still");
}

/// Waits until the schedule runs, which begins before anybody is served.
async fn scheduled(world: &World) {
    assert_eq!(world.browser().get("/healthz").await.status, 200);
    tokio::task::yield_now().await;
}

/// Moves the time of the runtime, by which the schedule looks, and the server's clock.
async fn time_passes(world: &World, time: Duration) {
    world.advance(time);
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// O6
#[tokio::test]
async fn a_company_whose_wecom_hangs_delays_no_scheduled_sync_of_another_one() {
    let hourly = |settings: &mut Settings| {
        settings.organisation.sync_every = Interval(Some(Duration::from_hours(1)));
    };
    let world = with_a_hanging_company(hourly).await;
    scheduled(&world).await;
    hang(&world);
    time_passes(&world, Duration::from_mins(5)).await;
    until("the second company is synced", async || {
        last_outcome(&world, SECOND).await == Some(Some(Outcome::Complete))
    })
    .await;
    assert_eq!(last_outcome(&world, ELEMENT).await, Some(None));
    assert!(world.wecom.held_now() > 0, "the first company hangs still");
    let run = &world.store().await.runs(1).await.unwrap()[0];
    assert_eq!(run.started_by, "schedule");
}

/// O15: neither every 30 seconds nor after the regular hour.
#[tokio::test]
async fn a_failed_scheduled_sync_is_tried_again_after_five_minutes() {
    let hourly = |settings: &mut Settings| {
        settings.organisation.sync_every = Interval(Some(Duration::from_hours(1)));
    };
    let world = world().settings(hourly).start().await;
    world.wecom.fault(Fault::new("user/list", FaultKind::Errcode { code: 60_020 }));
    let attempts = async || {
        let entries = world.store().await.audit_entries(0, 1000).await.unwrap();
        let told: Vec<_> = entries
            .iter()
            .filter(|(_, entry)| entry.event == "sync")
            .map(|(_, entry)| (entry.actor.clone(), entry.outcome.clone(), entry.detail["startedBy"].clone()))
            .collect();
        assert!(
            told.iter().all(|told| *told == ("system".to_owned(), "failed".to_owned(), json!("schedule"))),
            "{told:?}"
        );
        told.len()
    };
    scheduled(&world).await;
    time_passes(&world, Duration::from_mins(5)).await;
    for attempt in 1..=3 {
        until("an attempt has failed", async || attempts().await == attempt).await;
        // The next looks of the schedule.
        for _ in 0..9 {
            time_passes(&world, Duration::from_secs(30)).await;
            assert_eq!(attempts().await, attempt);
        }
        time_passes(&world, Duration::from_secs(35)).await;
    }
}
