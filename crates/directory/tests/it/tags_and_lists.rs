//! Tags in a scope, and the secret of contact sync.

use std::time::Duration;

use wecom::Budget;
use wecom_login_directory::SyncSource;
use wecom_login_simulator::{Fault, FaultKind, Tag, sample};
use wecom_login_store::Outcome;

use crate::world::{World, world};

fn with_contact(world: &World) -> SyncSource {
    let budget =
        Budget::of_a_company().first_pause(Duration::from_millis(1)).longest_pause(Duration::from_millis(2));
    SyncSource { contact: Some(world.client(sample::CONTACT_SECRET).within(budget)), ..world.source() }
}

fn fault(endpoint: &str, code: i64) -> Fault {
    Fault { times: Some(1), ..Fault::new(endpoint, FaultKind::Errcode { code }) }
}

#[tokio::test]
async fn a_tag_brings_its_people_and_its_departments() {
    let world = world(60, 6).await;
    world.edit(|company| {
        company.put_tag(Tag {
            tagid: 7,
            tagname: "值班".to_owned(),
            members: vec!["zhangsan".to_owned(), "m000009".to_owned()],
            departments: vec![3],
        });
        company.edit_app(sample::AGENT_ID, |app| {
            app.scope.departments.clear();
            app.scope.members.clear();
            app.scope.tags = vec![7];
        });
    });
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Complete), "{:?}", report.run);
    let expected: Vec<String> = world.edit(|company| {
        let three: Vec<String> = company.members_of(3).map(|member| member.userid.clone()).collect();
        let named = ["zhangsan", "m000009"].map(str::to_owned);
        let mut all: Vec<String> = three.into_iter().chain(named).collect();
        all.sort();
        all.dedup();
        all
    });
    assert_eq!(world.copy().await.into_keys().collect::<Vec<_>>(), expected);
    assert!(world.departments().await.contains(&3));

    // The tag loses somebody.
    world.edit(|company| {
        company.put_tag(Tag {
            tagid: 7,
            tagname: "值班".to_owned(),
            members: vec!["zhangsan".to_owned()],
            departments: vec![3],
        });
    });
    let seen_elsewhere = world.edit(|company| company.member("m000009").unwrap().department.contains(&3));
    world.sync().await;
    assert_eq!(world.has_left("m000009").await, !seen_elsewhere);

    // A tag that cannot be read hides whom it names.
    world.edit(|company| drop(company.remove_member("lisi")));
    world.wecom.fault(fault("tag/get", 40_068));
    let report = world.sync().await;
    assert_eq!((report.run.outcome, report.applied.left), (Some(Outcome::Incomplete), 0));
    assert!(report.run.problem.contains("40068"), "{}", report.run.problem);
    assert!(!world.has_left("zhangsan").await);
}

#[tokio::test]
async fn with_the_secret_of_contact_sync_details_still_come_through_the_app() {
    let world = world(120, 12).await;
    let source = with_contact(&world);
    let report = world.sync_as(&source, false).await.unwrap();
    assert_eq!(report.run.outcome, Some(Outcome::Complete), "{:?}", report.run);
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
    assert_eq!((world.wecom.calls_of("user/list_id"), world.wecom.calls_of("user/list")), (1, 12));
    assert_eq!(world.sync_as(&source, false).await.unwrap().applied.written, 0);
}

#[tokio::test]
async fn the_list_makes_up_for_a_scope_that_is_not_told() {
    let world = world(60, 6).await;
    world.narrow(sample::AGENT_ID, &[2], &["zhangsan"]);
    let source = with_contact(&world);
    world.wecom.fault(fault("agent/get", 301_002));
    let report = world.sync_as(&source, false).await.unwrap();
    assert_eq!(report.run.outcome, Some(Outcome::Complete), "{:?}", report.run);
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
}

#[tokio::test]
async fn a_refused_list_is_done_without() {
    for code in [48_009, 48_002, 60_020] {
        let world = world(60, 6).await;
        let source = with_contact(&world);
        world.wecom.fault(fault("user/list_id", code));
        let report = world.sync_as(&source, false).await.unwrap();
        assert_eq!(report.run.outcome, Some(Outcome::Complete), "{code} {:?}", report.run);
        assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
    }
}

#[tokio::test]
async fn where_the_list_of_departments_is_refused_their_numbers_come_by_contact_sync() {
    let world = world(60, 6).await;
    world.narrow(sample::AGENT_ID, &[2], &[]);
    let source = with_contact(&world);
    world.wecom.fault(fault("department/list", 45_029));
    let report = world.sync_as(&source, false).await.unwrap();
    assert_eq!(report.run.outcome, Some(Outcome::Complete), "{:?}", report.run);
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
    assert_eq!(world.departments().await, world.departments_of(sample::AGENT_ID));
}
