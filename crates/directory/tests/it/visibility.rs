//! Visibility by app and its consequences. Each test is named after the fault that it prevents.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wecom::Budget;
use wecom_login_directory::events::{Apps, Events, Received};
use wecom_login_directory::{OtherApp, SyncOptions, SyncSource};
use wecom_login_model::{AgentId, Clock as _, CorpId, DepartmentId, Timestamp};
use wecom_login_simulator::{Department, Fault, FaultKind, sample};
use wecom_login_store::{EventTask, Outcome};

use crate::world::{World, corp, user, world};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// Those of the two apps that are configured.
#[derive(Debug)]
struct Configured(Vec<SyncSource>);

impl Apps for Configured {
    fn of(&self, _corp_id: &CorpId, _budget: &Budget) -> Vec<SyncSource> {
        self.0.clone()
    }

    fn sync_every(&self) -> Option<Duration> {
        None
    }
}

fn events_of(world: &World, apps: &[&SyncSource]) -> Events {
    let apps = apps.iter().map(|app| (*app).clone()).collect();
    Events::new(world.directory.clone(), Arc::new(Configured(apps)))
}

async fn accept(events: &Events, app: Option<&AgentId>, fields: &str) {
    static TOLD: AtomicU64 = AtomicU64::new(0);
    let at = TOLD.fetch_add(1, Ordering::Relaxed);
    let text = format!("<xml><MsgType>event</MsgType><CreateTime>{at}</CreateTime>{fields}</xml>");
    let agent_id = app.cloned().unwrap_or_else(|| AgentId::parse("1").unwrap());
    let received = Received {
        corp_id: &corp(),
        agent_id: &agent_id,
        is_of_contacts: app.is_none(),
        text: text.as_bytes(),
    };
    events.accept(&received).await.unwrap();
}

fn change(kind: &str, fields: &str) -> String {
    format!("<Event>change_contact</Event><ChangeType>{kind}</ChangeType>{fields}")
}

async fn work(world: &World, events: &Events) {
    while events.work().await.unwrap() > 0 {
        world.clock.advance(Duration::from_mins(6));
    }
}

/// App 1000002 sees department 2, app 1000001 department 3; both have been synchronised.
async fn two_departments() -> (World, [SyncSource; 2]) {
    let world = world(60, 4).await;
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.department = vec![2]));
    world.narrow(sample::AGENT_ID, &[2], &[]);
    world.narrow(sample::OLD_AGENT_ID, &[3], &[]);
    let apps = world.both();
    for app in &apps {
        world.sync_as(app, false).await.unwrap();
    }
    (world, apps)
}

async fn transferred(world: &World, new: &SyncSource) {
    world.begin_session_through(&new.instance, "lisi", "s-new").await;
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.department = vec![3]));
}

#[tokio::test]
async fn o1_a_transfer_between_two_apps_departments_is_no_leaving() {
    let (world, [new, _]) = two_departments().await;
    transferred(&world, &new).await;
    world.begin_session("lisi", "s-elsewhere").await;
    world.sync_as(&new, false).await.unwrap();
    assert!(!world.has_left("lisi").await && world.is_signed_in("s-elsewhere").await);
    assert!(!world.is_signed_in("s-new").await, "the app does not see lisi any more");
    assert_eq!(world.outbox().await, ["ended s-new"]);
}

#[tokio::test]
async fn o1_one_app_asked_about_one_member_decides_for_itself_alone() {
    let (world, [new, _]) = two_departments().await;
    transferred(&world, &new).await;
    world.directory.sync_member(&new, &user("lisi"), DAY, true).await.unwrap();
    assert!(!world.has_left("lisi").await && !world.is_signed_in("s-new").await);
}

#[tokio::test]
async fn o1_an_unsubscribe_event_of_one_app_is_no_leaving() {
    let (world, [new, old]) = two_departments().await;
    transferred(&world, &new).await;
    let events = events_of(&world, &[&new, &old]);
    let fields = "<Event>unsubscribe</Event><FromUserName>lisi</FromUserName>";
    accept(&events, Some(&new.agent_id), fields).await;
    assert!(!world.has_left("lisi").await && !world.is_signed_in("s-new").await);
    work(&world, &events).await;
    assert!(!world.has_left("lisi").await);
    // Out of both scopes.
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.department = vec![1]));
    accept(&events, Some(&old.agent_id), fields).await;
    work(&world, &events).await;
    assert!(world.has_left("lisi").await);
}

#[tokio::test]
async fn o2_force_belongs_to_one_invocation() {
    let world = world(60, 4).await;
    world.sync().await;
    world.narrow(sample::AGENT_ID, &[2], &[]);
    // The forced run breaks off after it has read the departments.
    world.wecom.fault(Fault::new("user/get", FaultKind::Errcode { code: 60_020 }));
    assert!(world.sync_as(&world.source(), true).await.is_err());
    world.wecom.clear_faults();
    let broken = world.last_run().await;
    let report = world.sync_as(&world.source(), false).await.unwrap();
    assert_eq!((report.run.id, report.run.outcome), (broken.id, Some(Outcome::Held)), "{:?}", report.run);
    assert_eq!((report.applied.left, report.run.forced), (0, false));
}

#[tokio::test]
async fn o3_who_leaves_one_apps_scope_is_signed_out_of_it_and_stays_out() {
    let world = world(60, 4).await;
    let [wide, narrow] = world.both();
    world.narrow(sample::OLD_AGENT_ID, &[], &["lisi"]);
    for app in [&wide, &narrow] {
        world.sync_as(app, false).await.unwrap();
    }
    world.begin_session_through(&wide.instance, "lisi", "s-wide").await;
    world.begin_session_through(&narrow.instance, "lisi", "s-narrow").await;
    world.narrow(sample::OLD_AGENT_ID, &[], &[]);
    let events = events_of(&world, &[&wide, &narrow]);
    accept(&events, None, &change("update_user", "<UserID>lisi</UserID>")).await;
    work(&world, &events).await;
    assert!(world.is_signed_in("s-wide").await && !world.is_signed_in("s-narrow").await);
    world.begin_session_through(&narrow.instance, "lisi", "s-again").await;
    assert!(!world.is_signed_in("s-again").await, "no session begins through an app that does not see lisi");
    assert!(!world.has_left("lisi").await);
}

/// Every errcode that says that an app cannot answer.
#[tokio::test]
async fn o4_an_app_that_cannot_answer_neither_decides_nor_keeps_the_others_waiting() {
    let world = world(30, 3).await;
    let [healthy, broken] = world.both();
    world.narrow(sample::OLD_AGENT_ID, &[], &["lisi"]);
    for app in [&healthy, &broken] {
        world.sync_as(app, false).await.unwrap();
    }
    world.edit(|company| company.edit_app(sample::OLD_AGENT_ID, |app| app.enabled = false));
    let events = events_of(&world, &[&broken, &healthy]);
    // A rename is done by what the healthy app says.
    world.edit(|company| {
        let mut renamed = company.remove_member("m000005").unwrap();
        renamed.userid = "renamed".to_owned();
        company.put_member(renamed);
    });
    let fields = "<UserID>m000005</UserID><NewUserID>renamed</NewUserID>";
    accept(&events, None, &change("update_user", fields)).await;
    assert_eq!(events.work().await.unwrap(), 1);
    assert!(world.member("m000005").await.is_none() && !world.has_left("renamed").await);
    // A member that the broken app sees stays, although the healthy one does not see them.
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.department = vec![]));
    accept(&events, None, &change("update_user", "<UserID>lisi</UserID>")).await;
    assert_eq!(events.work().await.unwrap(), 1);
    assert!(!world.has_left("lisi").await);
    assert!(events.backlog().await.unwrap().is_empty() && events.set_aside(10).await.unwrap().is_empty());
    let failing = world.store.failing_apps().await.unwrap();
    assert_eq!(failing.len(), 1);
    assert_eq!((&failing[0].agent_id, failing[0].problem.contains("50003")), (&broken.agent_id, true));
}

#[tokio::test]
async fn o4_no_event_is_given_up_because_an_app_cannot_answer() {
    for code in [50_003, 60_031, 301_007, 48_004, 48_006, 45_024, 50_006, 40_001, 60_020, -1, 45_009] {
        let world = world(5, 1).await;
        world.sync().await;
        let source = world.source();
        let impatient = Budget::background().patience(Duration::ZERO);
        let source = SyncSource { app: world.client(sample::SECRET).within(impatient), ..source };
        let events = events_of(&world, &[&source]);
        world.wecom.fault(Fault::new("user/get", FaultKind::Errcode { code }));
        world.edit(|company| drop(company.remove_member("lisi")));
        accept(&events, None, &change("update_user", "<UserID>lisi</UserID>")).await;
        for _ in 0..12 {
            events.work().await.unwrap();
            world.clock.advance(Duration::from_mins(6));
        }
        assert!(!world.has_left("lisi").await, "{code} is no answer");
        assert!(events.set_aside(10).await.unwrap().is_empty(), "{code}");
        world.wecom.clear_faults();
        until_left(&world, &events).await;
    }
}

async fn until_left(world: &World, events: &Events) {
    crate::world::until("lisi has left", async || {
        world.clock.advance(Duration::from_mins(6));
        events.work().await.unwrap();
        world.has_left("lisi").await
    })
    .await;
}

#[tokio::test]
async fn o5_a_resumed_run_asks_anew_who_is_gone_and_what_the_scope_is() {
    let world = world(60, 7).await;
    world.sync().await;
    // The scope is narrowed by mistake; the run that sees it breaks off.
    world.narrow(sample::AGENT_ID, &[2], &[]);
    world.wecom.fault(Fault::new("user/get", FaultKind::Latency { ms: 0 }).times(20));
    world.wecom.fault(Fault::new("user/get", FaultKind::Errcode { code: 60_020 }));
    assert!(world.sync_as(&world.source(), true).await.is_err());
    world.wecom.clear_faults();
    let broken = world.last_run().await;
    world.narrow(sample::AGENT_ID, &[1], &[]);
    let report = world.sync_as(&world.source(), true).await.unwrap();
    assert_eq!((report.run.id, report.applied.left), (broken.id, 0));
    assert_eq!(report.run.outcome, Some(Outcome::Complete));
    assert_eq!(world.departments().await, world.departments_of(sample::AGENT_ID));
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
}

#[tokio::test]
async fn o9_an_app_that_is_not_configured_here_keeps_its_members() {
    let (world, [new, old]) = two_departments().await;
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.department = vec![3]));
    world.sync_as(&old, false).await.unwrap();
    // The old app's instance cannot be read at this start.
    let alone = SyncSource { others: Vec::new(), ..new.clone() };
    let events = events_of(&world, &[&alone]);
    accept(&events, None, &change("update_user", "<UserID>lisi</UserID>")).await;
    work(&world, &events).await;
    world.sync_as(&alone, false).await.unwrap();
    assert!(!world.has_left("lisi").await);
    let failing = world.store.failing_apps().await.unwrap();
    assert_eq!(failing[0].problem, "the app is not configured");
}

#[tokio::test]
async fn o10_an_app_without_an_answer_for_a_day_does_not_count_any_more() {
    let (world, [new, old]) = two_departments().await;
    world.edit(|company| company.edit_app(sample::OLD_AGENT_ID, |app| app.enabled = false));
    let of_old: Vec<String> = world.edit(|company| {
        let of_old = company.members_of(3).filter(|member| !member.department.contains(&2));
        of_old.map(|member| member.userid.clone()).collect()
    });
    assert!(!of_old.is_empty());
    assert!(world.sync_as(&old, false).await.is_err());
    world.sync_as(&new, true).await.unwrap();
    for one in &of_old {
        assert!(!world.has_left(one).await, "{one}: the old app is unknown");
    }
    world.clock.advance(DAY);
    world.sync_as(&new, true).await.unwrap();
    for one in &of_old {
        assert!(world.has_left(one).await, "{one}");
    }
    // It answers again, and its members are back.
    world.edit(|company| company.edit_app(sample::OLD_AGENT_ID, |app| app.enabled = true));
    assert_eq!(world.sync_as(&old, false).await.unwrap().applied.came_back, of_old.len() as u64);
    assert!(world.store.failing_apps().await.unwrap().is_empty());
}

#[tokio::test]
async fn o11_a_sign_in_that_hears_not_visible_ends_the_sessions() {
    let world = world(20, 2).await;
    world.sync().await;
    let source = world.source();
    world.begin_session_through(&source.instance, "lisi", "s-lisi").await;
    world.edit(|company| company.remove_member("lisi"));
    let app = (&corp(), &source.agent_id);
    world.directory.read_member(&source.app, app, &user("lisi")).await.unwrap_err();
    assert!(!world.is_signed_in("s-lisi").await && world.has_left("lisi").await);

    // With another app, that one is asked as soon as the worker comes to it.
    let (world, [new, old]) = two_departments().await;
    world.begin_session_through(&new.instance, "lisi", "s-new").await;
    world.begin_session("lisi", "s-elsewhere").await;
    world.edit(|company| company.remove_member("lisi"));
    world.directory.read_member(&new.app, (&corp(), &new.agent_id), &user("lisi")).await.unwrap_err();
    assert!(!world.is_signed_in("s-new").await && world.is_signed_in("s-elsewhere").await);
    work(&world, &events_of(&world, &[&new, &old])).await;
    assert!(world.has_left("lisi").await && !world.is_signed_in("s-elsewhere").await);
}

#[tokio::test]
async fn o12_a_clock_that_was_ahead_silences_nobody() {
    let world = world(20, 2).await;
    let start = world.clock.now();
    world.clock.advance(DAY * 365);
    world.sync().await;
    world.edit(|company| company.edit_member("lisi", |lisi| lisi.name = "李四四".into()));
    world.clock.set(start);
    assert_eq!(world.sync().await.applied.changed, 1);
    assert_eq!(world.member("lisi").await.unwrap().profile.name, "李四四");

    // Left by the clock that is ahead, and hired again by the one that is right.
    world.clock.advance(DAY);
    crate::world::mark_left(&world.store, &corp(), &user("lisi"), world.clock.now()).await;
    world.clock.set(start);
    let source = world.source();
    let app = (&corp(), &source.agent_id);
    let member = world.directory.read_member(&source.app, app, &user("lisi")).await.unwrap();
    assert_eq!(member.left_at, None);

    // An event that was noted by it is worked on at once.
    world.clock.advance(DAY);
    let tasks = [EventTask::Member(user("lisi"))];
    world.store.note_event_tasks(&corp(), &tasks, world.clock.now()).await.unwrap();
    world.clock.set(start);
    assert_eq!(events_of(&world, &[&source]).work().await.unwrap(), 1);
}

#[tokio::test]
async fn o12_an_answer_from_the_future_is_not_fresh() {
    let world = world(20, 2).await;
    let start = world.clock.now();
    world.clock.advance(DAY);
    world.sync().await;
    world.clock.set(start);
    let source = world.source();
    let app = (&corp(), &source.agent_id);
    let fresh = async || world.directory.fresh_member(app, &user("lisi"), DAY).await.unwrap();
    assert_eq!(fresh().await, None);
    world.directory.read_member(&source.app, app, &user("lisi")).await.unwrap();
    assert!(fresh().await.is_some());
}

#[tokio::test]
async fn o14_no_department_stays_that_no_app_sees() {
    let world = world(20, 4).await;
    let source = world.source();
    world.sync().await;
    // Created by an event and deleted unseen.
    world.edit(|company| company.put_department(Department::new(77, "新部门", 1)));
    let events = events_of(&world, &[&source]);
    accept(&events, None, &change("create_party", "<Id>77</Id>")).await;
    work(&world, &events).await;
    assert!(world.departments().await.contains(&77));
    world.edit(|company| company.remove_department(77));
    world.sync().await;
    assert_eq!(world.departments().await, world.departments_of(sample::AGENT_ID));
    // The scope becomes people only.
    world.narrow(sample::AGENT_ID, &[], &["lisi"]);
    world.sync_as(&source, true).await.unwrap();
    assert!(world.departments().await.is_empty());
    // Held removals keep the departments: the scope may have been emptied by mistake.
    world.narrow(sample::AGENT_ID, &[2], &[]);
    world.sync_as(&source, true).await.unwrap();
    world.narrow(sample::AGENT_ID, &[], &[]);
    assert_eq!(world.sync_as(&source, false).await.unwrap().run.outcome, Some(Outcome::Held));
    assert!(world.departments().await.contains(&2));
}

#[tokio::test]
async fn o14_a_department_is_there_as_long_as_one_app_sees_it() {
    let (world, [new, old]) = two_departments().await;
    let events = events_of(&world, &[&new, &old]);
    world.narrow(sample::AGENT_ID, &[2, 3], &[]);
    accept(&events, None, &change("update_party", "<Id>3</Id>")).await;
    work(&world, &events).await;
    world.narrow(sample::OLD_AGENT_ID, &[], &["lisi"]);
    world.sync_as(&old, true).await.unwrap();
    assert!(world.departments().await.contains(&3), "the new app sees it");
    world.narrow(sample::AGENT_ID, &[2], &[]);
    accept(&events, None, &change("update_party", "<Id>3</Id>")).await;
    work(&world, &events).await;
    assert!(!world.departments().await.contains(&3));
    let seen = world.store.departments_seen_by(&corp(), &new.agent_id).await.unwrap();
    assert!(seen.contains(&DepartmentId(2)) && !seen.contains(&DepartmentId(3)));
}

/// X becomes Y, Y is deleted, and somebody else is hired as Y before the worker runs.
#[tokio::test]
async fn o15_a_session_of_a_renamed_leaver_does_not_become_the_next_persons() {
    let world = world(20, 2).await;
    world.sync().await;
    let source = world.source();
    let events = events_of(&world, &[&source]);
    world.begin_session_through(&source.instance, "lisi", "s-lisi").await;
    world.edit(|company| {
        let mut renamed = company.remove_member("lisi").unwrap();
        (renamed.userid, renamed.name) = ("wangwu2".to_owned(), "别人".to_owned());
        company.put_member(renamed);
    });
    let renamed = "<UserID>lisi</UserID><NewUserID>wangwu2</NewUserID>";
    accept(&events, None, &change("update_user", renamed)).await;
    accept(&events, None, &change("delete_user", "<UserID>wangwu2</UserID>")).await;
    assert!(!world.is_signed_in("s-lisi").await && world.has_left("lisi").await);
    accept(&events, None, &change("create_user", "<UserID>wangwu2</UserID>")).await;
    work(&world, &events).await;
    assert!(world.has_left("lisi").await && !world.has_left("wangwu2").await);
    assert!(!world.is_signed_in("s-lisi").await);
    assert_ne!(world.member("lisi").await.unwrap().id, world.member("wangwu2").await.unwrap().id);
}

#[tokio::test]
async fn o15_others_are_told_who_is_back() {
    let world = world(20, 2).await;
    world.sync().await;
    let lisi = world.edit(|company| company.remove_member("lisi").unwrap());
    world.sync().await;
    world.edit(|company| company.put_member(lisi));
    world.sync().await;
    assert_eq!(world.outbox().await, ["left lisi", "returned lisi"]);
}

#[tokio::test]
async fn a_sync_of_an_app_with_another_one_beside_it_asks_nobody_twice() {
    let (world, [new, _]) = two_departments().await;
    world.wecom.reset_calls();
    let options = SyncOptions { started_by: "test".to_owned(), force: false, every: None };
    world.clock.advance(MINUTE);
    let report = world.directory.sync(&new, &options, &|_| ()).await.unwrap();
    assert_eq!((report.applied.written, world.wecom.calls_of("user/get")), (0, 0));
    let other: &OtherApp = &new.others[0];
    assert_eq!(other.agent_id.as_str(), sample::OLD_AGENT_ID.to_string());
    assert!(report.run.started_at > Timestamp::from_millis(0));
}
