//! The queue of contact events.

use std::collections::BTreeSet;
use std::time::Duration;

use wecom_login_model::{CorpId, DepartmentId, Fingerprint, Profile, Timestamp, UserId};
use wecom_login_store::{Accepted, EventTask, Leaver, NewEvent, NewSession, OutgoingEvent, Store};

use crate::NOW;
use crate::backends::{Fresh, REGISTERS, begin_session, on_every_database, save_member};
use crate::organisation::{Company, agent, staged};
use crate::races::{count, race};

on_every_database![
    an_event_is_taken_once,
    a_repetition_soon_asks_again_and_later_for_nothing,
    a_leaver_s_sessions_end_with_the_event_and_not_with_its_repetition,
    whom_another_app_still_sees_is_told_by_the_end_of_the_one_s_sessions,
    a_task_is_one_worker_s_at_a_time,
    a_claim_that_ran_out_counts_for_nothing,
    a_claim_that_is_renewed_is_kept_and_one_that_was_lost_stays_lost,
    what_is_asked_for_during_the_work_is_done_again,
    failures_wait_and_end_aside_until_another_event,
    events_that_name_the_same_members_do_not_wait_for_each_other,
    a_sync_takes_the_place_of_what_was_noted_before_it,
    a_sync_that_events_ask_for_is_one_and_soon_due,
    what_was_heard_long_ago_is_forgotten,
    contact_sync_watches_while_nothing_is_late,
];

const MINUTE: Duration = Duration::from_mins(1);

fn corp() -> CorpId {
    CorpId::parse("wwA").unwrap()
}

fn user(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

fn member(text: &str) -> EventTask {
    EventTask::Member(user(text))
}

async fn accept(
    store: &Store,
    text: &str,
    tasks: Vec<EventTask>,
    leaver: Option<Leaver<'_>>,
    now: Timestamp,
) -> Accepted {
    let corp_id = corp();
    let event = NewEvent { fingerprint: Fingerprint::of(text), corp_id: &corp_id, tasks, leaver };
    store.accept_event(&event, now).await.unwrap()
}

async fn waiting(store: &Store) -> i64 {
    store.event_backlog().await.unwrap().iter().map(|backlog| backlog.waiting).sum()
}

async fn an_event_is_taken_once(fresh: Fresh) {
    let outcomes = race(&fresh, |number, store| async move {
        // Half of them as an event that ends sessions, which waits for other things.
        let leaver = (number % 4 < 2).then(|| Leaver::Company(user("lisi")));
        accept(&store, "event", vec![member("lisi")], leaver, NOW).await
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| *outcome == Accepted::New), 1);
    assert_eq!(waiting(&fresh.store).await, 1);
}

async fn a_repetition_soon_asks_again_and_later_for_nothing(fresh: Fresh) {
    let store = &fresh.store;
    for (after, expected) in [(Duration::ZERO, 1), (MINUTE / 2, 1), (MINUTE, 0), (MINUTE * 60 * 24 * 29, 0)] {
        let now = NOW + after;
        let expected_outcome = if after.is_zero() { Accepted::New } else { Accepted::Repeated };
        assert_eq!(accept(store, "event", vec![member("lisi")], None, now).await, expected_outcome);
        let claimed = store.claim_event_tasks(&corp(), now, now + MINUTE, 10).await.unwrap();
        assert_eq!(claimed.len(), expected, "{after:?}");
        for claimed in claimed {
            store.finish_event_task(&claimed).await.unwrap();
        }
    }
}

async fn begin(store: &Store, id: &str, user_id: &str, instance: &str) {
    let (corp_id, user_id) = (corp(), user(user_id));
    let session = NewSession {
        id,
        token_hash: Fingerprint::of(id),
        sign_in: None,
        corp_id: &corp_id,
        user_id: &user_id,
        instance,
        agent_id: &agent(instance.strip_prefix("of ").unwrap_or("7")),
        created_at: NOW,
        idle_until: NOW + MINUTE * 60,
        expires_at: NOW + MINUTE * 60,
        account: REGISTERS,
        former: None,
    };
    begin_session(store, &session).await;
}

async fn lives(store: &Store, id: &str) -> bool {
    store.session_by_id(id, NOW).await.unwrap().is_some()
}

async fn a_leaver_s_sessions_end_with_the_event_and_not_with_its_repetition(fresh: Fresh) {
    let store = &fresh.store;
    save_member(store, &corp(), &user("lisi"), &Profile::default(), NOW, &agent("7")).await;
    begin(store, "s1", "lisi", "a").await;
    begin(store, "s2", "lisi", "b").await;
    begin(store, "s3", "zhangsan", "a").await;
    let leaver = || Some(Leaver::Company(user("LiSi")));
    accept(store, "event", vec![member("lisi")], leaver(), NOW).await;
    assert!(!lives(store, "s1").await && !lives(store, "s2").await && lives(store, "s3").await);
    assert_eq!(store.member(&corp(), &user("lisi")).await.unwrap().unwrap().left_at, Some(NOW));

    save_member(store, &corp(), &user("lisi"), &Profile::default(), NOW, &agent("7")).await;
    begin(store, "s4", "lisi", "a").await;
    accept(store, "event", vec![member("lisi")], leaver(), NOW).await;
    assert!(lives(store, "s4").await);
}

async fn whom_another_app_still_sees_is_told_by_the_end_of_the_one_s_sessions(fresh: Fresh) {
    let store = &fresh.store;
    let other = Company { store, agent: agent("8"), now: NOW };
    let run = other.walk(vec![staged("lisi", "李四", NOW)]).await;
    other.apply(&run, None).await;
    begin(store, "s1", "lisi", "of 7").await;
    begin(store, "s2", "lisi", "of 8").await;
    let (lisi, app) = (user("lisi"), agent("7"));
    save_member(store, &corp(), &lisi, &Profile::default(), NOW, &app).await;
    let read_by_it = async || {
        let known = store.known_member(&corp(), &app, &user("lisi"), NOW).await.unwrap();
        known.unwrap().confirmation.read_at
    };
    assert_eq!(read_by_it().await, Some(NOW));
    let leaver = Leaver::Scope { user_id: lisi, agent_id: &app };
    accept(store, "event", vec![member("lisi")], Some(leaver), NOW).await;
    assert!(!lives(store, "s1").await && lives(store, "s2").await && !other.has_left("lisi").await);
    assert_eq!(read_by_it().await, None, "the row is not fresh for the app any more");
    let told: Vec<_> = store.outbox(0, 10).await.unwrap().into_iter().map(|row| row.event).collect();
    assert_eq!(told, [OutgoingEvent::SessionEnded("s1".into())]);
}

async fn a_task_is_one_worker_s_at_a_time(fresh: Fresh) {
    let tasks: Vec<EventTask> = (0..200).map(|number| member(&format!("m{number}"))).collect();
    fresh.store.note_event_tasks(&corp(), &tasks, NOW).await.unwrap();
    let claims = race(&fresh, |_, store| async move {
        let mut mine = Vec::new();
        loop {
            let claimed = store.claim_event_tasks(&corp(), NOW, NOW + MINUTE, 7).await.unwrap();
            if claimed.is_empty() {
                return mine;
            }
            mine.extend(claimed);
            assert!(mine.len() <= 200, "a task is claimed without end");
        }
    })
    .await;
    let claimed: Vec<String> = claims.iter().flatten().map(|claimed| format!("{:?}", claimed.task)).collect();
    assert_eq!(claimed.len(), 200);
    assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), 200, "some were claimed twice");
}

async fn a_claim_that_ran_out_counts_for_nothing(fresh: Fresh) {
    let store = &fresh.store;
    store.note_event_tasks(&corp(), &[member("lisi")], NOW).await.unwrap();
    let killed = store.claim_event_tasks(&corp(), NOW, NOW + MINUTE, 1).await.unwrap();
    assert!(store.claim_event_tasks(&corp(), NOW + MINUTE / 2, NOW + MINUTE, 1).await.unwrap().is_empty());
    assert!(store.companies_with_due_events(NOW + MINUTE / 2).await.unwrap().is_empty());

    let later = NOW + MINUTE;
    let other = store.claim_event_tasks(&corp(), later, later + MINUTE, 1).await.unwrap();
    assert_eq!(other.len(), 1);
    store.finish_event_task(&killed[0]).await.unwrap();
    store.fail_event_task(&killed[0], "late", true, later, Some(later)).await.unwrap();
    store.release_event_task(&killed[0]).await.unwrap();
    assert_eq!(waiting(store).await, 1);
    assert!(store.claim_event_tasks(&corp(), later, later + MINUTE, 1).await.unwrap().is_empty());
    store.finish_event_task(&other[0]).await.unwrap();
    assert_eq!(store.event_backlog().await.unwrap(), []);
}

async fn a_claim_that_is_renewed_is_kept_and_one_that_was_lost_stays_lost(fresh: Fresh) {
    let store = &fresh.store;
    store.note_event_tasks(&corp(), &[member("lisi"), member("zhangsan")], NOW).await.unwrap();
    let mut mine = store.claim_event_tasks(&corp(), NOW, NOW + MINUTE, 1).await.unwrap();
    let mut lost = store.claim_event_tasks(&corp(), NOW, NOW + MINUTE, 1).await.unwrap();
    store.renew_event_claims(&mut mine, NOW + 2 * MINUTE).await.unwrap();

    let later = NOW + MINUTE;
    let taken_over = store.claim_event_tasks(&corp(), later, later + MINUTE * 2, 10).await.unwrap();
    assert_eq!(taken_over.len(), 1);
    assert_eq!(taken_over[0].task, lost[0].task);
    store.renew_event_claims(&mut lost, NOW + 10 * MINUTE).await.unwrap();
    store.finish_event_task(&lost[0]).await.unwrap();
    store.finish_event_task(&mine[0]).await.unwrap();
    assert_eq!(waiting(store).await, 1, "what is somebody else's is not done by whoever lost it");
    store.finish_event_task(&taken_over[0]).await.unwrap();
    assert_eq!(store.event_backlog().await.unwrap(), []);
}

async fn what_is_asked_for_during_the_work_is_done_again(fresh: Fresh) {
    let store = &fresh.store;
    let tasks = [member("lisi"), EventTask::Department(DepartmentId(2))];
    store.note_event_tasks(&corp(), &tasks, NOW).await.unwrap();
    let claimed = store.claim_event_tasks(&corp(), NOW, NOW + MINUTE, 10).await.unwrap();
    assert_eq!(claimed[0].task, tasks[1], "departments come before members");
    let later = NOW + MINUTE / 2;
    store.note_event_tasks(&corp(), &tasks, later).await.unwrap();
    assert!(
        store.claim_event_tasks(&corp(), later, later + MINUTE, 10).await.unwrap().is_empty(),
        "not while somebody is at it"
    );
    store.finish_event_task(&claimed[0]).await.unwrap();
    store.fail_event_task(&claimed[1], "no", true, later + MINUTE, Some(later)).await.unwrap();
    let again = store.claim_event_tasks(&corp(), later, later + MINUTE, 10).await.unwrap();
    assert_eq!(again.len(), 2, "one that failed is due at once, too: its failure is of before");
    assert!(again.iter().all(|claimed| claimed.strikes == 0));
    assert_eq!(again[0].since, later);
}

async fn failures_wait_and_end_aside_until_another_event(fresh: Fresh) {
    let store = &fresh.store;
    let due = async |now| store.claim_event_tasks(&corp(), now, now + MINUTE, 10).await.unwrap();
    store.note_event_tasks(&corp(), &[member("lisi")], NOW).await.unwrap();
    let claimed = due(NOW).await;
    store.fail_event_task(&claimed[0], "busy", false, NOW + MINUTE, None).await.unwrap();
    assert!(due(NOW + MINUTE / 2).await.is_empty());
    let claimed = due(NOW + MINUTE).await;
    assert_eq!((claimed[0].tries, claimed[0].strikes), (1, 0));
    store.fail_event_task(&claimed[0], "bad", true, NOW + MINUTE, Some(NOW + MINUTE)).await.unwrap();
    assert!(due(NOW + MINUTE * 60).await.is_empty());
    let set_aside = store.events_set_aside(10).await.unwrap();
    assert_eq!((set_aside[0].problem.as_str(), set_aside[0].at), ("bad", NOW + MINUTE));
    let backlog = store.event_backlog().await.unwrap();
    assert_eq!((backlog[0].waiting, backlog[0].since, backlog[0].set_aside), (0, None, 1));

    store.note_event_tasks(&corp(), &[member("lisi")], NOW + MINUTE * 60).await.unwrap();
    assert_eq!(due(NOW + MINUTE * 60).await[0].tries, 0);
}

async fn events_that_name_the_same_members_do_not_wait_for_each_other(fresh: Fresh) {
    let outcomes = race(&fresh, |number, store| async move {
        let mut tasks: Vec<EventTask> = (0..50).map(|name| member(&format!("m{name}"))).collect();
        if number % 3 == 0 {
            tasks.reverse();
        }
        let leaver = (number % 5 == 0).then(|| Leaver::Company(user(&format!("m{number}"))));
        accept(&store, &format!("event {number}"), tasks, leaver, NOW).await
    })
    .await;
    assert_eq!(count(&outcomes, |outcome| *outcome == Accepted::New), outcomes.len());
    assert_eq!(waiting(&fresh.store).await, 50);
}

async fn a_sync_takes_the_place_of_what_was_noted_before_it(fresh: Fresh) {
    let store = &fresh.store;
    let rename = EventTask::Rename { from: user("a"), to: user("b") };
    let tasks = [rename.clone(), member("early"), EventTask::Department(DepartmentId(2))];
    store.note_event_tasks(&corp(), &tasks, NOW).await.unwrap();
    let began_at = NOW + MINUTE;
    store.note_event_tasks(&corp(), &[member("late")], began_at).await.unwrap();
    let more_than = async |most, now| store.are_more_events_waiting(&corp(), most, now).await.unwrap();
    assert!(!more_than(3, began_at).await, "a new userid comes first");
    let due = store.claim_event_tasks(&corp(), NOW, NOW + MINUTE, 1).await.unwrap();
    store.fail_event_task(&due[0], "not yet", true, began_at + MINUTE, None).await.unwrap();
    assert!(more_than(3, began_at).await && !more_than(4, began_at).await);
    assert_eq!(store.drop_events_before(&corp(), began_at).await.unwrap(), 2);
    let later = began_at + MINUTE;
    let left = store.claim_event_tasks(&corp(), later, later + MINUTE, 10).await.unwrap();
    let left: Vec<EventTask> = left.into_iter().map(|claimed| claimed.task).collect();
    assert_eq!(left, [rename, member("late")]);
}

async fn a_sync_that_events_ask_for_is_one_and_soon_due(fresh: Fresh) {
    let store = &fresh.store;
    let due = async |now| store.is_company_sync_due(&corp(), now).await.unwrap();
    let second = Duration::from_secs(1);
    // Events that come without end do not put it off.
    for seconds in 0..10 {
        accept(store, &format!("{seconds}"), vec![EventTask::Company], None, NOW + second * seconds).await;
    }
    assert!(!due(NOW + second * 5).await && due(NOW + second * 6).await);
    assert_eq!(waiting(store).await, 1);
    let now = NOW + MINUTE;
    assert!(store.claim_event_tasks(&corp(), now, now + MINUTE, 10).await.unwrap().is_empty());
    assert_eq!(store.companies_with_due_events(now).await.unwrap(), [corp()]);

    let rename = EventTask::Rename { from: user("a"), to: user("b") };
    store.note_event_tasks(&corp(), &[rename], NOW).await.unwrap();
    assert!(!due(now).await, "a new userid comes first");
    for renamed in store.claim_event_tasks(&corp(), now, now + MINUTE, 10).await.unwrap() {
        store.finish_event_task(&renamed).await.unwrap();
    }
    store.postpone_company_sync(&corp(), "busy", now + MINUTE).await.unwrap();
    assert!(!due(now).await && due(now + MINUTE).await);
    store.company_was_read(&corp(), NOW + second * 9).await.unwrap();
    assert_eq!(waiting(store).await, 1, "another event came after that sync had begun");
    store.company_was_read(&corp(), NOW + second * 10).await.unwrap();
    assert_eq!(store.event_backlog().await.unwrap(), []);
}

async fn what_was_heard_long_ago_is_forgotten(fresh: Fresh) {
    let store = &fresh.store;
    for number in 0..5 {
        accept(store, &format!("{number}"), vec![], None, NOW + MINUTE * number).await;
    }
    let now = NOW + MINUTE * 12;
    assert_eq!(store.purge_heard_events(now, MINUTE * 10, 1).await.unwrap(), 1);
    assert_eq!(store.purge_heard_events(now, MINUTE * 10, 100).await.unwrap(), 1);
    assert_eq!(accept(store, "1", vec![], None, now).await, Accepted::New);
    assert_eq!(accept(store, "2", vec![], None, now).await, Accepted::Repeated);
}

async fn contact_sync_watches_while_nothing_is_late(fresh: Fresh) {
    let store = &fresh.store;
    let lisi = user("lisi");
    save_member(store, &corp(), &lisi, &Profile::default(), NOW, &agent("7")).await;
    let at = async |late| {
        let known = store.known_member(&corp(), &agent("7"), &lisi, late).await.unwrap();
        known.unwrap().heard_at
    };
    assert_eq!(at(NOW).await, None);
    store.heard_from_contacts(&corp(), NOW).await.unwrap();
    store.heard_from_contacts(&corp(), NOW + MINUTE / 2).await.unwrap();
    assert_eq!(at(NOW).await, Some(NOW), "to the minute");
    store.heard_from_contacts(&corp(), NOW + MINUTE * 2).await.unwrap();
    assert_eq!(at(NOW).await, Some(NOW + MINUTE * 2));

    store.note_event_tasks(&corp(), &[member("somebody")], NOW).await.unwrap();
    assert!(at(NOW).await.is_some());
    assert_eq!(at(NOW + MINUTE).await, None, "an event about somebody is late");
    store.note_event_tasks(&corp(), &[member("LiSi")], NOW).await.unwrap();
    assert_eq!(at(NOW).await, None, "an event about this member waits");
}
