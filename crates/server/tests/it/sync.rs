//! The organisation's sync by the console's API.

use std::time::Duration;

use serde_json::{Value, json};
use wecom_login_model::{Clock as _, MemberRef};
use wecom_login_server::Settings;
use wecom_login_simulator::{Company, Fault, FaultKind, sample};
use wecom_login_store::Lease;
use wecom_login_testkit::wait::found;

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
    const SECOND: &str = "auths.loginTypes.Second";
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
    let elsewhere = lease(&world);
    let busy = format!("sync/{}", sample::SECOND_CORP_ID);
    world.store().await.take_lease(&busy, &elsewhere, None).await.unwrap().unwrap();
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

/// Somebody else's.
fn lease(world: &World) -> Lease {
    let now = world.clock.now();
    Lease {
        holder: "elsewhere/1/1/1".into(),
        label: "process 7 on web-1 (command)".into(),
        since: now,
        until: now + Duration::from_mins(1),
    }
}

#[tokio::test]
async fn a_sync_that_is_under_way_is_named() {
    let (world, admin) = administered().await;
    let name = format!("sync/{}", sample::CORP_ID);
    world.store().await.take_lease(&name, &lease(&world), None).await.unwrap().unwrap();
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
