//! WeCom fails in the middle; processes die; two want to sync at a time.

use std::time::Duration;

use wecom_login_directory::{SyncError, SyncOptions, UNWATCHED_FRESH_FOR};
use wecom_login_simulator::{Fault, FaultKind, sample};
use wecom_login_store::{Lease, Outcome, Phase};

use crate::world::{corp, user, world};

fn fault(endpoint: &str, kind: FaultKind, times: u32) -> Fault {
    Fault { times: Some(times), ..Fault::new(endpoint, kind) }
}

#[tokio::test]
async fn a_run_that_fails_applies_nothing_and_the_next_one_goes_on() {
    let world = world(100, 30).await;
    world.sync().await;
    world.edit(|company| drop(company.remove_member("lisi")));
    // The address is taken off the list in the middle.
    world.wecom.reset_calls();
    world.wecom.fault(fault("user/list", FaultKind::Latency { ms: 0 }, 15));
    world.wecom.fault(fault("user/list", FaultKind::Errcode { code: 60_020 }, 30));
    let Err(SyncError::Failed(error)) = world.sync_as(&world.viewer(), false).await else {
        panic!("it must fail")
    };
    assert!(error.to_string().contains("60020"), "{error}");
    assert!(!world.has_left("lisi").await);
    let run = world.last_run().await;
    assert!(run.outcome.is_none() && run.phase == Phase::Walk && run.problem.contains("60020"), "{run:?}");
    world.wecom.clear_faults();
    let report = world.sync().await;
    assert_eq!((report.run.id, report.run.outcome), (run.id, Some(Outcome::Complete)));
    assert!(world.has_left("lisi").await);
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
}

#[tokio::test]
async fn whom_a_refused_department_may_hold_does_not_leave() {
    let world = world(100, 5).await;
    world.sync().await;
    // Two members are gone: one of the department that cannot be seen, one of another. The simulator hides the first.
    world.wecom.fault(fault("user/list", FaultKind::Errcode { code: 60_011 }, 1));
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Incomplete));
    assert!(report.run.problem.contains("1 departments"), "{}", report.run.problem);
    assert_eq!((report.applied.left, report.applied.held), (0, 0));
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
    assert_eq!(world.wecom.calls_of("user/get"), 0, "who may be there unseen is not asked for");
    assert_eq!(world.sync().await.run.outcome, Some(Outcome::Complete));
}

#[tokio::test]
async fn without_the_apps_scope_nobody_leaves() {
    let world = world(60, 6).await;
    world.narrow(sample::AGENT_ID, &[2], &["zhangsan", "m000004"]);
    world.sync().await;
    let before = world.copy().await;
    world.wecom.fault(fault("agent/get", FaultKind::Errcode { code: 301_002 }, 1));
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Incomplete));
    assert!(report.run.problem.contains("301002"), "{}", report.run.problem);
    assert_eq!(world.copy().await, before);
    assert_eq!(world.sync().await.run.outcome, Some(Outcome::Complete));
    assert_eq!(world.copy().await, before);
}

#[tokio::test]
async fn a_lost_department_is_tried_again_after_the_others() {
    let world = world(60, 6).await;
    world.wecom.fault(fault("user/list", FaultKind::Status { code: 502 }, 3));
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Complete), "{:?}", report.run);
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
}

#[tokio::test]
async fn rate_limits_and_a_busy_wecom_are_waited_out() {
    let world = world(60, 12).await;
    for code in [45_009, -1, 45_033, 45_009] {
        world.wecom.fault(fault("user/list", FaultKind::Errcode { code }, 3));
    }
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Complete));
    assert_eq!(world.wecom.calls_of("user/list"), 12 + 12);
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
}

#[tokio::test]
async fn a_department_that_vanishes_moves_its_members_and_signs_nobody_out() {
    let world = world(120, 12).await;
    world.sync().await;
    world.edit(|company| {
        let there: Vec<String> = company.members_of(9).map(|member| member.userid.clone()).collect();
        for user_id in there {
            company.edit_member(&user_id, |member| member.department = vec![2]);
        }
        company.remove_department(9);
    });
    let report = world.sync().await;
    assert_eq!((report.run.outcome, report.applied.left), (Some(Outcome::Complete), 0));
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
    assert_eq!(world.departments().await, world.departments_of(sample::AGENT_ID));
}

#[tokio::test]
async fn one_runner_at_a_time_and_a_dead_one_keeps_nobody_waiting() {
    let world = world(30, 3).await;
    let now = wecom_login_model::Clock::now(&world.clock);
    let lease = |holder: &str| Lease {
        holder: holder.to_owned(),
        label: "process 7 on web-1 (schedule)".to_owned(),
        since: now,
        until: now + Duration::from_mins(10),
    };
    world
        .store
        .take_lease(&format!("sync/{}", corp()), &lease("elsewhere/1/1/1"), None)
        .await
        .unwrap()
        .unwrap();
    let Err(SyncError::Running(other)) = world.sync_as(&world.viewer(), false).await else {
        panic!("another one is at it")
    };
    let text = SyncError::Running(other).to_string();
    assert_eq!(text, "process 7 on web-1 (schedule) is at it since 2027-01-15T08:00:00Z");
    world.clock.advance(Duration::from_mins(11));
    assert_eq!(world.sync().await.run.outcome, Some(Outcome::Complete), "the lease ran out");
}

#[tokio::test]
async fn a_complete_sync_confirms_members_within_their_freshness() {
    let world = world(30, 3).await;
    let day = Duration::from_hours(24);
    let fresh = async |user_id: &str| {
        world.directory.fresh_member(&corp(), &user(user_id), day).await.unwrap().is_some()
    };
    let sync = async |every| {
        world.clock.advance(Duration::from_mins(1));
        let options = SyncOptions { started_by: "schedule".to_owned(), force: false, every };
        world.directory.sync(&world.viewer(), &options, &|_| ()).await.unwrap();
    };
    // Without a schedule nobody would tell of a leaver: ten minutes.
    sync(None).await;
    assert!(fresh("lisi").await);
    world.clock.advance(UNWATCHED_FRESH_FOR);
    assert!(!fresh("lisi").await);
    // A sync confirms without writing.
    sync(None).await;
    assert!(fresh("lisi").await);

    let hour = Duration::from_hours(1);
    sync(Some(hour)).await;
    world.clock.advance(hour);
    assert!(fresh("lisi").await, "the schedule watches");
    world.clock.advance(2 * hour);
    assert!(!fresh("lisi").await, "the schedule is late");
    sync(Some(hour)).await;
    assert!(fresh("lisi").await);
    world.clock.advance(hour);
    sync(Some(hour)).await;
    assert!(fresh("lisi").await);
    assert!(!fresh("nobody").await);
}
