//! The queue of contact events, as its worker sees it.

use std::sync::Arc;
use std::time::Duration;

use wecom::Budget;
use wecom_login_directory::SyncSource;
use wecom_login_directory::events::{Apps, Events};
use wecom_login_model::{Clock as _, CorpId, DepartmentId};
use wecom_login_simulator::{Company, Fault, FaultKind, sample};
use wecom_login_store::{EventTask, Outcome};

use crate::world::{World, corp, mark_left, until, user, world};

const MINUTE: Duration = Duration::from_mins(1);

/// One app, in the sample company and in another one whose number is given.
#[derive(Debug)]
struct OneApp {
    source: SyncSource,
    client: wecom::Client,
}

impl Apps for OneApp {
    fn of(&self, corp_id: &CorpId, budget: &Budget) -> Vec<SyncSource> {
        let app = self.client.within(budget.clone().first_pause(Duration::from_millis(1)));
        vec![SyncSource { corp_id: corp_id.clone(), app, ..self.source.clone() }]
    }

    fn sync_every(&self) -> Option<Duration> {
        None
    }
}

fn events(world: &World) -> (Events, wecom::Client) {
    let client = world.client(sample::SECRET);
    let apps = OneApp { source: world.source(), client: client.clone() };
    (Events::new(world.directory.clone(), Arc::new(apps)), client)
}

fn member(text: &str) -> EventTask {
    EventTask::Member(user(text))
}

async fn note(world: &World, corp_id: &CorpId, tasks: &[EventTask]) {
    world.store.note_event_tasks(corp_id, tasks, world.clock.now()).await.unwrap();
}

async fn waiting(events: &Events) -> i64 {
    events.backlog().await.unwrap().iter().map(|backlog| backlog.waiting).sum()
}

#[tokio::test]
async fn who_leaves_while_a_new_department_is_read_has_left() {
    let world = world(5, 1).await;
    world.sync().await;
    world.edit(|company| {
        company.put_department(wecom_login_simulator::Department::new(7, "新部门", 1));
        company.edit_member("lisi", |lisi| lisi.department = vec![7]);
    });
    let (events, _) = events(&world);
    note(&world, &corp(), &[EventTask::Department(DepartmentId(7))]).await;
    world.wecom.fault(Fault::new("user/list", FaultKind::Hang));
    let leaving = async {
        world.wecom.held(1).await;
        world.clock.advance(MINUTE);
        mark_left(&world.store, &corp(), &user("lisi"), world.clock.now()).await;
        world.clock.advance(MINUTE);
        world.wecom.clear_faults();
    };
    let (worked, ()) = tokio::join!(events.work(), leaving);
    assert_eq!(worked.unwrap(), 1);
    assert!(world.has_left("lisi").await);
}

#[tokio::test]
async fn a_task_that_cannot_be_written_leaves_no_other_claimed() {
    let world = world(20, 2).await;
    world.sync().await;
    let (events, _) = events(&world);
    let other = CorpId::parse("wwOther").unwrap();
    let tasks: Vec<EventTask> = (3..20).map(|number| member(&format!("m{number:06}"))).collect();
    note(&world, &corp(), &tasks).await;
    note(&world, &other, &[member("m000003")]).await;
    let stuck = "CREATE TRIGGER stuck BEFORE DELETE ON event_tasks WHEN OLD.subject = 'm000004'
                 BEGIN SELECT RAISE(ABORT, 'no'); END";
    world.meddle(stuck).await;
    let error = events.work().await.unwrap_err();
    assert!(error.to_string().contains("no"), "{error}");
    assert_eq!(waiting(&events).await, 1, "all the others are done, the other company's too");
}

#[tokio::test]
async fn a_company_without_calls_to_spare_rests_and_no_task_is_to_blame() {
    let world = world(20, 2).await;
    world.sync().await;
    let (events, client) = events(&world);
    // Whoever has no time left counts, and makes no call.
    let spent = client.within(Budget::sign_in_within(Duration::ZERO));
    for _ in 0..8_000 {
        spent.user(&user("lisi")).await.unwrap_err();
    }
    world.wecom.reset_calls();
    note(&world, &corp(), &[member("lisi"), member("zhangsan")]).await;
    assert_eq!(events.work().await.unwrap(), 2);
    assert_eq!((world.wecom.calls_of("user/get"), waiting(&events).await), (0, 2));
    assert_eq!(events.work().await.unwrap(), 0, "it rests");

    // Nobody else has them, and they are as new: a claim takes both at once.
    let now = world.clock.now();
    let claimed = world.store.claim_event_tasks(&corp(), now, now + MINUTE, 10).await.unwrap();
    assert!(claimed.len() == 2 && claimed.iter().all(|task| task.tries == 0), "{claimed:?}");
    for task in &claimed {
        world.store.release_event_task(task).await.unwrap();
    }
    // Until a minute has passed; whether there is room then, the calls themselves tell.
    world.clock.advance(MINUTE * 2);
    assert_eq!(events.work().await.unwrap(), 2);
}

#[tokio::test]
async fn a_company_whose_wecom_is_slow_keeps_no_other_waiting() {
    let world = world(20, 2).await;
    world.sync().await;
    let (events, _) = events(&world);
    let other = CorpId::parse("wwOther").unwrap();
    note(&world, &corp(), &[member("lisi")]).await;
    note(&world, &other, &[member("zhangsan")]).await;
    world.wecom.fault(Fault::new("user/get", FaultKind::Hang));
    let going_on = async {
        world.wecom.held(2).await;
        world.wecom.clear_faults();
    };
    let (worked, ()) = tokio::join!(events.work(), going_on);
    assert_eq!((worked.unwrap(), waiting(&events).await), (2, 0));
}

#[tokio::test]
async fn whoever_was_in_a_department_that_is_gone_is_asked_for() {
    let world = world(40, 4).await;
    world.sync().await;
    let there: Vec<String> = world.edit(|company| {
        let there: Vec<String> = company.members_of(4).map(|one| one.userid.clone()).collect();
        for user_id in &there {
            company.edit_member(user_id, |one| one.department = vec![2]);
        }
        company.remove_department(4);
        there
    });
    assert!(there.len() > 1);
    let (events, _) = events(&world);
    note(&world, &corp(), &[EventTask::Department(DepartmentId(4))]).await;
    assert_eq!(events.work().await.unwrap(), 1);
    assert_eq!(usize::try_from(waiting(&events).await).unwrap(), there.len());
    until("no event waits", async || {
        events.work().await.unwrap();
        waiting(&events).await == 0
    })
    .await;
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
    assert_eq!(world.departments().await, world.departments_of(sample::AGENT_ID));
}

#[tokio::test]
async fn what_another_replica_noted_as_the_sync_began_is_still_worked_on() {
    let world = world(20, 2).await;
    world.sync().await;
    let (events, _) = events(&world);
    let many: Vec<EventTask> = (0..5_001).map(|number| member(&format!("x{number}"))).collect();
    note(&world, &corp(), &many).await;
    world.clock.advance(10 * MINUTE);
    // By a clock that is four seconds behind.
    note(&world, &corp(), &[member("late")]).await;
    world.clock.advance(Duration::from_secs(4));
    events.work().await.unwrap();
    until("one event waits", async || waiting(&events).await <= 1).await;
    let now = world.clock.now();
    let left = world.store.claim_event_tasks(&corp(), now, now + MINUTE, 10).await.unwrap();
    assert_eq!(left.iter().map(|task| task.task.clone()).collect::<Vec<_>>(), [member("late")]);
}

/// F10: an event that cannot be understood puts the company down for a sync.
#[tokio::test]
async fn a_company_that_is_put_down_for_a_sync_is_read_once() {
    let world = world(20, 2).await;
    world.sync().await;
    world.edit(|company| drop(company.remove_member("lisi")));
    let (events, _) = events(&world);
    note(&world, &corp(), &[EventTask::Company, member("zhangsan")]).await;
    assert_eq!(events.work().await.unwrap(), 1, "the member is read at once");
    world.clock.advance(MINUTE);
    events.work().await.unwrap();
    until("no event waits", async || waiting(&events).await == 0).await;
    assert!(world.has_left("lisi").await);
    assert_eq!(world.store.runs(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_sync_that_fails_is_tried_again_and_one_that_saw_a_part_is_not() {
    let world = world(20, 2).await;
    world.sync().await;
    let (events, _) = events(&world);
    note(&world, &corp(), &[EventTask::Company]).await;
    world.clock.advance(MINUTE);
    world.wecom.fault(Fault::new("agent/get", FaultKind::Errcode { code: 50_003 }));
    events.work().await.unwrap();
    // The company rests until its sync has ended.
    until("the sync has failed", async || {
        events.work().await.unwrap();
        !world.store.is_company_sync_due(&corp(), world.clock.now()).await.unwrap()
    })
    .await;
    assert_eq!(waiting(&events).await, 1);

    world.wecom.clear_faults();
    world.wecom.fault(Fault::new("user/list", FaultKind::Errcode { code: 60_011 }).times(1));
    world.clock.advance(6 * MINUTE);
    until("no event waits", async || {
        events.work().await.unwrap();
        waiting(&events).await == 0
    })
    .await;
    assert_eq!(world.last_run().await.outcome, Some(wecom_login_store::Outcome::Incomplete));
}

/// Two companies, each with one app.
#[derive(Debug)]
struct TwoCompanies([(SyncSource, wecom::Client); 2]);

impl Apps for TwoCompanies {
    fn of(&self, corp_id: &CorpId, budget: &Budget) -> Vec<SyncSource> {
        let of_the_company = self.0.iter().filter(|(source, _)| source.corp_id == *corp_id);
        of_the_company
            .map(|(source, client)| SyncSource { app: client.within(budget.clone()), ..source.clone() })
            .collect()
    }

    fn sync_every(&self) -> Option<Duration> {
        None
    }
}

/// O6. The deadline of a call is ten seconds: by then the leaver of the second company has long left.
async fn a_leaver_does_not_wait_for_another_company(kind: FaultKind) {
    let world = World::of_companies(vec![Company::sample(), Company::second_sample()]).await;
    let second = CorpId::parse(sample::SECOND_CORP_ID).unwrap();
    let second_client = world.client_of(&second, sample::SECOND_SECRET);
    let second_viewer = SyncSource {
        corp_id: second.clone(),
        app: second_client.within(Budget::background()),
        ..world.source_of(sample::SECOND_AGENT_ID, sample::SECOND_SECRET)
    };
    let first = world.source();
    for source in [&first, &second_viewer] {
        assert_eq!(world.sync_as(source, false).await.unwrap().run.outcome, Some(Outcome::Complete));
    }
    let apps = TwoCompanies([(first, world.client(sample::SECRET)), (second_viewer, second_client)]);
    let events = Events::new(world.directory.clone(), Arc::new(apps));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let working = {
        let events = events.clone();
        tokio::spawn(async move { events.run(async { drop(stopped.await) }).await })
    };

    world.wecom.fault(Fault::new("user/get", kind).of(sample::CORP_ID));
    world.wecom.reset_calls();
    note(&world, &corp(), &[member("lisi"), member("wangwu"), member("qianqi")]).await;
    until("the first company's WeCom is asked", async || world.wecom.calls_of("user/get") > 0).await;
    world.wecom.edit(sample::SECOND_CORP_ID, |company| company.remove_member("heshui")).unwrap();
    note(&world, &second, &[member("heshui")]).await;
    until("the leaver has left", async || {
        world.store.member(&second, &user("heshui")).await.unwrap().unwrap().left_at.is_some()
    })
    .await;
    if kind == FaultKind::Hang {
        assert!(world.wecom.held_now() > 0, "the other company's calls hang still");
    }
    until("only the first company's tasks wait", async || waiting(&events).await == 3).await;
    let entries = world.store.audit_entries(0, 100).await.unwrap();
    let left = entries.iter().find(|(_, entry)| entry.event == "member_left").unwrap();
    assert_eq!(left.1.actor, "wecom event", "O15");

    world.wecom.clear_faults();
    drop(stop);
    tokio::time::timeout(MINUTE, working).await.unwrap().unwrap();
}

#[tokio::test]
async fn o6_a_company_whose_wecom_hangs_delays_no_other_company_s_leaver() {
    a_leaver_does_not_wait_for_another_company(FaultKind::Hang).await;
}

#[tokio::test]
async fn o6_a_company_without_calls_for_an_hour_delays_no_other_company_s_leaver() {
    a_leaver_does_not_wait_for_another_company(FaultKind::Errcode { code: 45_009 }).await;
}
