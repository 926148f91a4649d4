//! WeCom fails in the middle; processes die; two want to sync at a time.

use std::time::Duration;

use wecom_login_directory::{LONGEST_SYNC, SyncError, SyncOptions, UNWATCHED_FRESH_FOR};
use wecom_login_model::Timestamp;
use wecom_login_simulator::{Fault, FaultKind, sample};
use wecom_login_store::{Lease, Outcome, Phase};

use crate::world::{World, agent, corp, time_passes, until, user, world};

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
    let Err(SyncError::Failed(error)) = world.sync_as(&world.source(), false).await else {
        panic!("it must fail")
    };
    assert!(error.to_string().contains("60020"), "{error}");
    assert!(!world.has_left("lisi").await);
    let run = world.last_run().await;
    assert!(run.outcome.is_none() && run.phase == Phase::Walk && run.problem.contains("60020"), "{run:?}");
    world.wecom.clear_faults();
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Complete));
    assert!(world.has_left("lisi").await);
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
}

#[tokio::test]
async fn whom_a_refused_department_may_hold_does_not_leave() {
    let world = world(100, 2).await;
    let gone = [(1, "m000010"), (2, "m000020")];
    for (department, user_id) in gone {
        world.edit(|company| company.edit_member(user_id, |one| one.department = vec![department]));
    }
    world.sync().await;
    // One of each department is gone, and one of the two, whichever is asked first, is refused.
    for (_, user_id) in gone {
        world.edit(|company| company.remove_member(user_id));
    }
    world.wecom.fault(fault("user/list", FaultKind::Errcode { code: 60_011 }, 1));
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Incomplete));
    let problem = &report.run.problem;
    assert!(problem.contains("1 departments"), "{problem}");
    assert_eq!((report.applied.left, report.applied.held), (1, 0));
    for (department, user_id) in gone {
        let hidden = problem.ends_with(&format!("such as {department}"));
        assert_eq!(world.has_left(user_id).await, !hidden, "{user_id}: {problem}");
    }
    assert_eq!(world.wecom.calls_of("user/get"), 1, "who may be there unseen is not asked for");
    assert_eq!(world.sync().await.run.outcome, Some(Outcome::Complete));
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
}

/// A company whose app sees department 2 and, by name, m000004 of another one.
async fn with_a_name() -> World {
    let world = world(60, 6).await;
    world.edit(|company| {
        company.edit_member("m000004", |one| one.department = vec![3]);
        company.edit_member("lisi", |lisi| lisi.department = vec![2]);
    });
    world.narrow(sample::AGENT_ID, &[2], &["m000004"]);
    world.sync().await;
    world.wecom.reset_calls();
    world
}

#[tokio::test]
async fn one_whom_wecom_refuses_by_an_unusual_number_stops_nobody_else() {
    let world = with_a_name().await;
    world.edit(|company| company.remove_member("lisi"));
    // The name is asked for first.
    world.wecom.fault(fault("user/get", FaultKind::Errcode { code: 40_058 }, 1));
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Incomplete));
    let problem = "1 of the people asked for by name could not be read, such as m000004";
    assert_eq!(report.run.problem, problem);
    assert_eq!(world.wecom.calls_of("user/get"), 2);
    assert!(world.has_left("lisi").await && !world.has_left("m000004").await);
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));

    world.edit(|company| company.remove_member("m000004"));
    assert_eq!(world.sync().await.run.outcome, Some(Outcome::Complete));
    assert!(world.has_left("m000004").await, "as soon as WeCom says so");
}

#[tokio::test]
async fn a_refusal_from_before_a_run_was_resumed_is_asked_anew() {
    let world = with_a_name().await;
    world.edit(|company| company.remove_member("lisi"));
    world.wecom.fault(fault("user/get", FaultKind::Errcode { code: 40_058 }, 1));
    world.wecom.fault(fault("user/get", FaultKind::Errcode { code: 60_020 }, 1));
    assert!(world.sync_as(&world.source(), false).await.is_err(), "the address is not trusted any more");
    let broken = world.last_run().await.id;
    let report = world.sync().await;
    assert_eq!((report.run.id, report.run.outcome), (broken, Some(Outcome::Complete)));
    assert_eq!((report.run.problem.as_str(), report.applied.left), ("", 1));
    assert!(world.has_left("lisi").await && !world.has_left("m000004").await);
    assert_eq!(world.wecom.calls_of("user/get"), 4, "both are asked for again");
}

#[tokio::test]
async fn what_cannot_be_put_in_order_afterwards_does_not_change_what_came_of_a_sync() {
    let world = world(20, 2).await;
    world
        .meddle("CREATE TRIGGER stuck BEFORE DELETE ON staged_members BEGIN SELECT RAISE(ABORT, 'no'); END")
        .await;
    assert_eq!(world.sync().await.run.outcome, Some(Outcome::Complete));
    world.directory.sync_departments(&world.source(), None).await.unwrap();
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));

    let stuck = "CREATE TRIGGER unsaid BEFORE UPDATE OF problem ON sync_runs WHEN NEW.problem <> ''
                 BEGIN SELECT RAISE(ABORT, 'no'); END";
    world.meddle(stuck).await;
    world.wecom.fault(fault("agent/get", FaultKind::Errcode { code: 60_020 }, 1));
    let Err(SyncError::Failed(error)) = world.sync_as(&world.source(), false).await else {
        panic!("it must fail")
    };
    assert!(error.to_string().contains("60020"), "{error}");
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

/// O12: a runner lives as long as its lease beats, whatever the clocks of the machines say.
#[tokio::test]
async fn one_runner_at_a_time_and_a_silent_one_until_its_beats_are_missed() {
    let world = world(30, 3).await;
    let name = format!("sync/{}", corp());
    let lease = lease("elsewhere/1/1/1", wecom_login_model::Clock::now(&world.clock));
    world.store.take_lease(&name, &lease, None).await.unwrap().unwrap();
    // The clock of the other process is an hour behind this one, or this one an hour ahead.
    world.clock.advance(Duration::from_hours(1));
    let beating = async { while world.store.renew_lease(&name, &lease.holder).await.unwrap() {} };
    let source = world.source();
    let refused = tokio::select! {
        refused = world.sync_as(&source, false) => refused,
        () = beating => panic!("its lease was taken"),
    };
    let Err(SyncError::Running(other)) = refused else { panic!("another one is at it") };
    let text = SyncError::Running(other).to_string();
    assert_eq!(text, "process 7 on web-1 (schedule) is at it since 2027-01-15T08:00:00Z");

    // It beats no more.
    assert!(world.directory.running_sync(&corp()).await.unwrap().is_some());
    time_passes(Duration::from_secs(9)).await;
    assert!(world.directory.running_sync(&corp()).await.unwrap().is_some());
    time_passes(Duration::from_secs(1)).await;
    assert_eq!(world.directory.running_sync(&corp()).await.unwrap(), None);
    assert_eq!(world.sync().await.run.outcome, Some(Outcome::Complete), "the lease is lost");
    assert!(!world.store.renew_lease(&name, &lease.holder).await.unwrap());
}

fn lease(holder: &str, since: Timestamp) -> Lease {
    Lease { holder: holder.to_owned(), label: "process 7 on web-1 (schedule)".to_owned(), since, beats: 0 }
}

/// O6: a sync in the background does not go on for ever.
#[tokio::test]
async fn a_sync_in_the_background_is_given_up_in_time_and_what_it_has_read_is_kept() {
    let world = world(60, 40).await;
    world.wecom.fault(fault("user/list", FaultKind::Latency { ms: 0 }, 20));
    world.wecom.fault(Fault::new("user/list", FaultKind::Hang));
    let options = SyncOptions { started_by: "schedule".to_owned(), force: false, every: None };
    let (source, observer) = (world.source(), |_| ());
    let sync =
        world.directory.sync_within(&source, &options, &observer, std::future::pending(), LONGEST_SYNC);
    let hanging = async {
        world.wecom.held(8).await;
        until("some departments are kept", async || {
            let run = world.last_run().await.id;
            world.store.departments_to_walk(run).await.unwrap().1 > 0
        })
        .await;
        time_passes(LONGEST_SYNC).await;
    };
    let (result, ()) = tokio::join!(sync, hanging);
    let Some(Err(SyncError::Failed(error))) = result else { panic!("{result:?}") };
    let run = world.last_run().await;
    assert_eq!((run.outcome, run.problem), (None, error.to_string()));
    assert!(error.to_string().contains("did not end within"), "{error}");
    let name = format!("sync/{}", corp());
    assert_eq!(world.store.lease(&name).await.unwrap(), None, "nobody waits for it");
    let audit = world.store.audit_entries(0, 100).await.unwrap();
    assert!(audit.iter().any(|(_, entry)| entry.event == "sync" && entry.outcome == "failed"), "{audit:?}");

    world.wecom.clear_faults();
    world.wecom.reset_calls();
    let report = world.sync().await;
    assert_eq!((report.run.id, report.run.outcome), (run.id, Some(Outcome::Complete)));
    assert_eq!((report.run.problem.as_str(), report.run.started_at), ("", run.started_at));
    assert!(report.run.attempted_at > run.attempted_at, "O15");
    assert!(world.wecom.calls_of("user/list") < 40, "what was kept is not read again");
}

/// O15: the reason for holding removals that were made since.
#[tokio::test]
async fn a_complete_run_keeps_no_problem() {
    let world = world(30, 3).await;
    world.sync().await;
    world.narrow(sample::AGENT_ID, &[], &[]);
    let report = world.sync().await;
    assert_eq!((report.run.outcome, report.run.problem.is_empty()), (Some(Outcome::Held), false));
    assert_eq!(world.store.approve_removals(&corp(), &agent(), "admin").await.unwrap(), 30);
    let report = world.sync().await;
    assert_eq!((report.run.outcome, report.applied.left), (Some(Outcome::Complete), 30));
    assert_eq!(report.run.problem, "");
}

/// A holder that this machine knows to run no more: the number of this very process, which began at another time.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_runner_that_died_on_this_machine_keeps_nobody_waiting() {
    let world = world(30, 3).await;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let numbers = std::fs::read_link("/proc/self/ns/pid").unwrap();
    let machine = format!("{} {}", boot.trim(), numbers.display());
    let now = wecom_login_model::Clock::now(&world.clock);
    let lease = lease(&format!("{machine}/{}/1/7", std::process::id()), now);
    world.store.take_lease(&format!("sync/{}", corp()), &lease, None).await.unwrap().unwrap();
    assert_eq!(world.sync().await.run.outcome, Some(Outcome::Complete));
}

#[tokio::test]
async fn a_complete_sync_confirms_members_within_their_freshness() {
    let world = world(30, 3).await;
    let day = Duration::from_hours(24);
    let fresh = async |user_id: &str| {
        world.directory.fresh_member((&corp(), &agent()), &user(user_id), day).await.unwrap().is_some()
    };
    let sync = async |every| {
        world.clock.advance(Duration::from_mins(1));
        let options = SyncOptions { started_by: "schedule".to_owned(), force: false, every };
        world.directory.sync(&world.source(), &options, &|_| ()).await.unwrap();
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
