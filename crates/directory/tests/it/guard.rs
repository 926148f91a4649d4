//! Removals that wait for an administrator.

use wecom_login_simulator::sample;
use wecom_login_store::Outcome;

use crate::world::{agent, corp, user, world};

#[tokio::test]
async fn an_emptied_scope_signs_nobody_out() {
    for members in [5, 60] {
        let world = world(members, 3).await;
        world.sync().await;
        world.begin_session("lisi", "s-lisi").await;
        world.narrow(sample::AGENT_ID, &[], &[]);
        let report = world.sync().await;
        assert_eq!(report.run.outcome, Some(Outcome::Held), "{:?}", report.run);
        assert!(report.run.problem.contains("nobody"), "{}", report.run.problem);
        assert_eq!((report.applied.left, report.applied.held), (0, members as u64));
        assert!(world.is_signed_in("s-lisi").await);
        assert_eq!(world.copy().await.len(), members);

        // The scope is back: nothing is held any more.
        world.narrow(sample::AGENT_ID, &[1], &[]);
        let report = world.sync().await;
        assert_eq!((report.run.outcome, report.applied.held), (Some(Outcome::Complete), 0));
        assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
    }
}

#[tokio::test]
async fn too_many_removals_are_held_while_joins_and_changes_are_made() {
    let world = world(200, 10).await;
    world.sync().await;
    let gone: Vec<String> = (100..130).map(|number| format!("m{number:06}")).collect();
    world.edit(|company| {
        for user_id in &gone {
            company.remove_member(user_id);
        }
        company.edit_member("lisi", |lisi| lisi.position = "经理".into());
        company.put_member(wecom_login_simulator::Member::new("newcomer", "新人", &[2]));
    });
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Held));
    assert!(report.run.problem.contains("of 200 members"), "{}", report.run.problem);
    assert_eq!((report.applied.left, report.applied.held), (0, 30));
    assert_eq!((report.applied.joined, report.applied.changed), (1, 1));
    let asked = world.wecom.calls_of("user/get");

    // An administrator approves them; meanwhile two more have left, who are few.
    let approved = world.store.approve_removals(&corp(), &world.source().agent_id, "admin").await.unwrap();
    assert_eq!(approved, 30);
    world.edit(|company| drop((company.remove_member("m000140"), company.remove_member("m000141"))));
    // And one whose removal was approved is back.
    world.edit(|company| company.put_member(wecom_login_simulator::Member::new("m000100", "回来", &[2])));
    let report = world.sync().await;
    assert_eq!((report.run.outcome, report.applied.left), (Some(Outcome::Complete), 31));
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
    assert!(world.wecom.calls_of("user/get") >= asked + 31, "everybody is asked for by name");
    assert!(world.store.held_removals(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_approval_is_for_those_who_were_held_and_no_others() {
    let world = world(200, 10).await;
    world.sync().await;
    let remove = |numbers: std::ops::Range<u32>| {
        world.edit(|company| {
            for number in numbers {
                company.remove_member(&format!("m{number:06}"));
            }
        });
    };
    remove(100..130);
    world.sync().await;
    world.store.approve_removals(&corp(), &world.source().agent_id, "admin").await.unwrap();
    remove(130..160);
    let report = world.sync().await;
    assert_eq!((report.run.outcome, report.applied.left, report.applied.held), (Some(Outcome::Held), 30, 30));
    let report = world.sync_as(&world.source(), true).await.unwrap();
    assert_eq!((report.run.outcome, report.applied.left), (Some(Outcome::Complete), 30));
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
}

#[tokio::test]
async fn many_who_are_disabled_at_once_are_held_too() {
    let world = world(200, 10).await;
    world.sync().await;
    world.edit(|company| {
        for number in 100..130 {
            company.edit_member(&format!("m{number:06}"), |member| member.status = 2);
        }
    });
    let report = world.sync().await;
    assert_eq!((report.run.outcome, report.applied.left, report.applied.held), (Some(Outcome::Held), 0, 30));
    let report = world.sync_as(&world.source(), true).await.unwrap();
    assert_eq!((report.applied.left, report.applied.held), (30, 0));
}

#[tokio::test]
async fn held_members_are_not_confirmed_by_the_sync_that_held_them() {
    let world = world(60, 6).await;
    world.sync().await;
    world.narrow(sample::AGENT_ID, &[], &[]);
    world.sync().await;
    let known =
        world.store.known_member(&corp(), &agent(), &user("lisi"), crate::world::START).await.unwrap();
    assert_eq!(known.unwrap().confirmation.confirmed_at, None);
}
