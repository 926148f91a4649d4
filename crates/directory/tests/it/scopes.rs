//! What is seen.

use wecom_login_simulator::{Member as Person, sample};
use wecom_login_store::Outcome;

use crate::world::{corp, user, world};

#[tokio::test]
async fn the_copy_is_what_the_app_sees_and_costs_one_call_for_each_department() {
    let world = world(300, 20).await;
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Complete), "{:?}", report.run);
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
    assert_eq!(world.departments().await, world.departments_of(sample::AGENT_ID));
    assert_eq!((report.run.departments, report.run.seen, report.applied.joined), (20, 300, 300));
    let calls = world.wecom.calls();
    assert_eq!(calls["user/list"], 20);
    assert_eq!((calls["department/list"], calls["agent/get"]), (1, 1));
    assert!(!calls.contains_key("user/get"), "{calls:?}");

    let again = world.sync().await;
    assert_eq!(
        again.applied,
        wecom_login_store::Applied::default(),
        "nothing has changed, nothing is written"
    );
    assert_eq!(again.run.outcome, Some(Outcome::Complete));
}

#[tokio::test]
async fn a_scope_may_hold_people_and_no_department() {
    let world = world(40, 6).await;
    world.narrow(sample::AGENT_ID, &[], &["zhangsan", "M000007"]);
    world.sync().await;
    let copy = world.copy().await;
    assert_eq!(copy.keys().collect::<Vec<_>>(), ["m000007", "zhangsan"]);
    assert_eq!(copy, world.company(sample::AGENT_ID));
    assert_eq!(world.departments().await.len(), 0);

    // One of them leaves the company, another one comes in by name.
    world.edit(|company| company.remove_member("m000007"));
    world.narrow(sample::AGENT_ID, &[], &["zhangsan", "m000007", "lisi"]);
    world.sync().await;
    assert_eq!(world.copy().await.keys().collect::<Vec<_>>(), ["lisi", "zhangsan"]);
    assert!(world.has_left("m000007").await);
}

#[tokio::test]
async fn part_of_the_tree_with_people_from_elsewhere() {
    let world = world(120, 12).await;
    world.narrow(sample::AGENT_ID, &[3], &["zhangsan"]);
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Complete));
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
    assert!(world.copy().await.len() < 120);
}

#[tokio::test]
async fn spellings_of_one_userid_are_one_member() {
    let world = world(30, 3).await;
    world.sync().await;
    let id = world.member("zhangsan").await.unwrap().id;
    world.edit(|company| {
        let zhangsan = company.remove_member("zhangsan").unwrap();
        company.put_member(Person { userid: "ZhangSan".to_owned(), ..zhangsan });
    });
    let report = world.sync().await;
    assert_eq!((report.applied.joined, report.applied.changed, report.applied.left), (0, 1, 0));
    let member = world.store.member(&corp(), &user("zhangsan")).await.unwrap().unwrap();
    assert_eq!((member.id, member.user_id.as_str()), (id, "ZhangSan"));
}
