//! Who leaves, who stays, who comes back.

use wecom_login_simulator::sample;
use wecom_login_store::{Consent, Outcome};

use crate::world::{agent, corp, user, world};

#[tokio::test]
async fn whoever_has_left_is_marked_and_signed_out_and_the_row_stays() {
    let world = world(60, 6).await;
    world.sync().await;
    world.begin_session("lisi", "s-lisi").await;
    world.begin_session("zhangsan", "s-zhangsan").await;
    world.edit(|company| company.remove_member("lisi"));
    let report = world.sync().await;
    assert_eq!((report.run.outcome, report.applied.left), (Some(Outcome::Complete), 1));
    assert!(world.has_left("lisi").await && !world.is_signed_in("s-lisi").await);
    assert!(world.is_signed_in("s-zhangsan").await);
    assert_eq!(world.outbox().await, ["left lisi", "ended s-lisi"]);
    assert_eq!(world.wecom.calls_of("user/get"), 1, "asked for by name first");
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));

    let again = world.sync().await;
    assert_eq!(again.applied.written, 0);
    assert_eq!(world.outbox().await.len(), 2, "told once");
}

#[tokio::test]
async fn whoever_comes_back_is_the_same_member_again() {
    let world = world(60, 6).await;
    world.sync().await;
    let before = world.member("lisi").await.unwrap();
    let lisi = world.edit(|company| company.remove_member("lisi")).unwrap();
    world.sync().await;
    assert!(world.has_left("lisi").await);
    world.edit(|company| company.put_member(lisi));
    let report = world.sync().await;
    assert_eq!((report.applied.came_back, report.applied.joined), (1, 0));
    let after = world.member("lisi").await.unwrap();
    assert_eq!((after.id, after.left_at, &after.profile), (before.id, None, &before.profile));
}

#[tokio::test]
async fn disabled_and_departed_members_leave_and_come_back_by_their_status() {
    let world = world(60, 6).await;
    world.sync().await;
    world.begin_session("lisi", "s-lisi").await;
    for status in [2, 5] {
        world.edit(|company| company.edit_member("lisi", |lisi| lisi.status = status));
        world.sync().await;
        assert!(world.has_left("lisi").await && !world.is_signed_in("s-lisi").await, "{status}");
        assert_eq!(world.member("lisi").await.unwrap().profile.status.map(i64::from), Some(status.into()));
        let again = world.sync().await;
        assert_eq!(again.applied.written, 0, "{status}");
        world.edit(|company| company.edit_member("lisi", |lisi| lisi.status = 1));
        assert_eq!(world.sync().await.applied.came_back, 1, "{status}");
        assert!(!world.has_left("lisi").await);
    }
}

#[tokio::test]
async fn a_single_read_marks_a_disabled_member_too() {
    let world = world(20, 3).await;
    world.sync().await;
    world.begin_session("lisi", "s-lisi").await;
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.status = 2));
    let calls = world.source().app;
    let member = world.directory.read_member(&calls, (&corp(), &agent()), &user("lisi")).await.unwrap();
    assert!(member.left_at.is_some() && !world.is_signed_in("s-lisi").await);
    assert_eq!(world.outbox().await, ["left lisi", "ended s-lisi"]);
}

#[tokio::test]
async fn out_of_the_scope_is_gone_whatever_number_says_so() {
    for number in [60_111, 60_011] {
        let world = world(60, 6).await;
        world.wecom.behave(|behaviour| behaviour.outside_scope = number);
        world.narrow(sample::AGENT_ID, &[1], &["zhangsan"]);
        world.sync().await;
        // Nobody but those in department 2 goes out of sight: fewer than eleven.
        let few: Vec<String> = world.edit(|company| {
            let two: Vec<String> =
                company.members_of(2).map(|member| member.userid.clone()).take(5).collect();
            for user_id in &two {
                company.edit_member(user_id, |member| member.department = vec![]);
            }
            two
        });
        world.sync().await;
        for user_id in few.iter().filter(|id| *id != "zhangsan") {
            assert!(world.has_left(user_id).await, "{number} {user_id}");
        }
        assert!(!world.has_left("zhangsan").await, "named");
    }
}

#[tokio::test]
async fn what_a_member_consented_to_is_kept_and_makes_no_change() {
    let world = world(30, 3).await;
    world.sync().await;
    let consent = Consent { mobile: "13900000000".into(), gender: "2".into(), ..Consent::default() };
    world.directory.save_consent((&corp(), &agent()), &user("lisi"), &consent).await.unwrap();
    let report = world.sync().await;
    assert_eq!(report.applied.written, 0, "what was given by consent is no change");
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.position = "经理".into()));
    assert_eq!(world.sync().await.applied.changed, 1);
    let profile = world.member("lisi").await.unwrap().profile;
    assert_eq!((profile.mobile.as_str(), profile.gender.as_str()), ("13900000000", "2"));
    assert_eq!(profile.position, "经理");
}

#[tokio::test]
async fn a_row_that_somebody_read_meanwhile_is_newer_than_the_run() {
    let world = world(30, 3).await;
    world.sync().await;
    // Read with one name, then the name goes back to what the sync had seen.
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.name = "新".into()));
    let calls = world.source().app;
    world.clock.advance(std::time::Duration::from_mins(1));
    world.directory.read_member(&calls, (&corp(), &agent()), &user("lisi")).await.unwrap();
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.name = "李四".into()));
    assert_eq!(
        world.sync().await.applied.changed,
        1,
        "the row shows what was read, not what the last sync saw"
    );
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
}

/// App 1000002 sees the whole tree, app 1000001 department 2 and whom it names.
#[tokio::test]
async fn whom_another_app_of_the_company_sees_does_not_leave() {
    let world = world(80, 8).await;
    let [wide, narrow] = world.both();
    world.narrow(sample::OLD_AGENT_ID, &[], &["zhangsan", "lisi"]);
    world.sync_as(&wide, false).await.unwrap();
    world.sync_as(&narrow, false).await.unwrap();
    world.begin_session("lisi", "s-lisi").await;

    // Out of one app's sight, whichever asks and however.
    world.narrow(sample::OLD_AGENT_ID, &[], &["zhangsan"]);
    world.sync_as(&narrow, false).await.unwrap();
    assert!(!world.has_left("lisi").await && world.is_signed_in("s-lisi").await);
    let window = std::time::Duration::from_hours(24);
    world.directory.sync_member(&narrow, &user("lisi"), window, true).await.unwrap();
    assert!(!world.has_left("lisi").await);

    // Out of everybody's.
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.department = vec![]));
    world.sync_as(&wide, false).await.unwrap();
    assert!(world.has_left("lisi").await && !world.is_signed_in("s-lisi").await);

    // zhangsan leaves the wide app's sight and stays in the narrow one's; then leaves the company.
    world.edit(|company| company.edit_member("zhangsan", |one| one.department = vec![]));
    world.sync_as(&wide, false).await.unwrap();
    assert!(!world.has_left("zhangsan").await);
    world.edit(|company| company.remove_member("zhangsan"));
    world.narrow(sample::OLD_AGENT_ID, &[], &["m000003"]);
    world.sync_as(&narrow, false).await.unwrap();
    assert!(world.has_left("zhangsan").await);
}

/// App 1000001 names m000003 and up; app 1000002 sees everybody. Whoever is not named any more is signed out of the narrow
/// app, held back by its guard where they are too many.
#[tokio::test]
async fn whom_one_app_sees_no_more_is_signed_out_of_that_app() {
    let world = world(80, 8).await;
    let [wide, narrow] = world.both();
    let names: Vec<String> = (3..=33).map(|number| format!("m{number:06}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.narrow(sample::OLD_AGENT_ID, &[], &names);
    world.sync_as(&wide, false).await.unwrap();
    world.sync_as(&narrow, false).await.unwrap();
    for name in &names {
        world.begin_session_through(&narrow.instance, name, &format!("narrow-{name}")).await;
        world.begin_session_through(&wide.instance, name, &format!("wide-{name}")).await;
    }

    world.narrow(sample::OLD_AGENT_ID, &[], &names[1..]);
    let report = world.sync_as(&narrow, false).await.unwrap();
    assert_eq!((report.run.outcome, report.applied.left), (Some(Outcome::Complete), 0));
    assert!(!world.has_left(names[0]).await && world.is_signed_in("wide-m000003").await);
    assert!(!world.is_signed_in("narrow-m000003").await);
    assert_eq!(world.outbox().await, ["ended narrow-m000003"]);

    world.narrow(sample::OLD_AGENT_ID, &[], &names[20..]);
    let report = world.sync_as(&narrow, false).await.unwrap();
    assert_eq!(report.run.outcome, Some(Outcome::Held));
    assert_eq!(world.outbox().await.len(), 1, "nobody is signed out while it is held");
    world.sync_as(&narrow, true).await.unwrap();
    for (place, name) in names.iter().enumerate() {
        assert_eq!(world.is_signed_in(&format!("narrow-{name}")).await, place >= 20, "{name}");
        assert!(world.is_signed_in(&format!("wide-{name}")).await && !world.has_left(name).await, "{name}");
    }
}

#[tokio::test]
async fn a_row_that_another_app_has_just_brought_is_that_apps_to_miss() {
    let world = world(40, 4).await;
    let [wide, mut narrow] = world.both();
    world.narrow(sample::OLD_AGENT_ID, &[], &["zhangsan"]);
    // lisi signs in by the wide app, which has not synchronised yet.
    world.directory.read_member(&wide.app, (&corp(), &wide.agent_id), &user("lisi")).await.unwrap();
    world.sync_as(&narrow, false).await.unwrap();
    assert!(!world.has_left("lisi").await);
    assert_eq!(world.wecom.calls_of("user/get"), 2, "lisi's and the one of the name in the scope");

    // The wide app is taken out of the configuration: after a day nobody sees for it.
    world.sync_as(&wide, false).await.unwrap();
    narrow.others.clear();
    assert_eq!(world.sync_as(&narrow, false).await.unwrap().applied.left, 0);
    world.clock.advance(std::time::Duration::from_hours(25));
    let report = world.sync_as(&narrow, true).await.unwrap();
    assert_eq!(report.applied.left, 39);
    assert_eq!(world.copy().await, world.company(sample::OLD_AGENT_ID));
}

#[tokio::test]
async fn two_apps_that_see_somebody_differently_do_not_write_the_row_by_turns() {
    let world = world(40, 4).await;
    let [wide, narrow] = world.both();
    world.narrow(sample::OLD_AGENT_ID, &[], &["zhangsan", "lisi"]);
    for source in [&wide, &narrow] {
        world.sync_as(source, false).await.unwrap();
    }
    for source in [&wide, &narrow, &wide] {
        assert_eq!(world.sync_as(source, false).await.unwrap().applied.written, 0);
    }
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.name = "李四四".into()));
    assert_eq!(world.sync_as(&wide, false).await.unwrap().applied.changed, 1);
    assert_eq!(world.member("lisi").await.unwrap().profile.name, "李四四");
}
