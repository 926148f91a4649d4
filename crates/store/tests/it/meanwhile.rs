//! What somebody else commits on PostgreSQL while a statement is under way: each statement sees the database as it was when
//! it began, and a row that it waits for as it is afterwards.

use std::time::Duration;

use sqlx::{Executor as _, PgConnection};
use wecom_login_model::{Department, DepartmentId, Fingerprint, Profile};
use wecom_login_store::{
    Accepted, Asked, DepartmentAnswer, DepartmentAnswers, EventTask, Leaver, LookupKind, NewEvent,
};

use crate::backends::{Backend, save_member};
use crate::organisation::{Company, agent, corp, staged, user};
use crate::sessions::begin;
use crate::{NOW, until};

const MINUTE: Duration = Duration::from_mins(1);

/// Ends when `work` waits for a lock; it must not come to its end before.
async fn waits<T>(looking: &mut PgConnection, work: &tokio::task::JoinHandle<T>) {
    let waits = "SELECT 1 FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until("the work waits for a lock", async || {
        assert!(!work.is_finished(), "it should wait");
        looking.fetch_optional(waits).await.unwrap().is_some()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn what_a_sign_in_reads_while_a_run_is_applied_is_newer() {
    let fresh = Backend::Postgres.fresh().await;
    let (mut beside, mut looking) = (fresh.beside().await, fresh.beside().await);
    let company = |now| Company { store: &fresh.store, agent: agent("7"), now };
    let first = company(NOW);
    let run = first.walk(vec![staged("read", "alt", NOW)]).await;
    first.apply(&run, None).await;

    let later = NOW + MINUTE;
    let second = company(later);
    let run = second.walk(vec![staged("read", "older", later)]).await;
    // A sign-in that has written and not yet committed.
    beside
        .execute("BEGIN; UPDATE members SET name = 'newer', asked = asked + 1000 WHERE user_key = 'read'")
        .await
        .unwrap();
    let applying = tokio::spawn({
        let store = fresh.store.clone();
        async move { Company { store: &store, agent: agent("7"), now: later }.apply(&run, None).await }
    });
    waits(&mut looking, &applying).await;
    beside.execute("COMMIT").await.unwrap();
    let (applied, _) = applying.await.unwrap();
    let read = fresh.store.member(&corp(), &user("read")).await.unwrap().unwrap();
    assert_eq!((read.profile.name.as_str(), applied.changed), ("newer", 0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn who_signs_in_while_a_run_marks_leavers_stays() {
    let fresh = Backend::Postgres.fresh().await;
    let (mut beside, mut looking) = (fresh.beside().await, fresh.beside().await);
    let company = |now| Company { store: &fresh.store, agent: agent("7"), now };
    let first = company(NOW);
    let people = vec![staged("stays", "a", NOW), staged("back", "b", NOW), staged("goes", "c", NOW)];
    let run = first.walk(people).await;
    first.apply(&run, None).await;

    let later = NOW + MINUTE;
    let second = company(later);
    let run = second.walk(vec![staged("stays", "a", later)]).await;
    second.gone(&run, LookupKind::Leavers).await;
    beside
        .execute(
            "BEGIN; SELECT 1 FROM members WHERE user_key = 'back' FOR UPDATE;
             UPDATE member_visibility SET asked = asked + 1000 WHERE user_key = 'back'",
        )
        .await
        .unwrap();
    let applying = tokio::spawn({
        let store = fresh.store.clone();
        async move { Company { store: &store, agent: agent("7"), now: later }.apply(&run, None).await }
    });
    waits(&mut looking, &applying).await;
    beside.execute("COMMIT").await.unwrap();
    assert_eq!(applying.await.unwrap().0.left, 1);
    assert!(second.has_left("goes").await && !second.has_left("back").await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn no_session_begins_between_the_mark_of_a_leaver_and_its_commit() {
    let fresh = Backend::Postgres.fresh().await;
    let (mut beside, mut looking) = (fresh.beside().await, fresh.beside().await);
    save_member(&fresh.store, &corp(), &user("zhangsan"), &Profile::default(), NOW, &agent("7")).await;
    for (id, ends, begun) in [("s1", "ROLLBACK", true), ("s2", "COMMIT", false)] {
        beside
            .execute("BEGIN; UPDATE members SET left_at = 1800000000000 WHERE user_key = 'zhangsan'")
            .await
            .unwrap();
        let beginning = tokio::spawn({
            let store = fresh.store.clone();
            async move { begin(&store, id, id, None).await }
        });
        waits(&mut looking, &beginning).await;
        beside.execute(ends).await.unwrap();
        assert_eq!(beginning.await.unwrap().is_some(), begun, "{ends}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn an_event_about_a_leaver_is_taken_while_a_sync_holds_everybody() {
    let fresh = Backend::Postgres.fresh().await;
    let store = &fresh.store;
    let mut beside = fresh.beside().await;
    save_member(store, &corp(), &user("zhangsan"), &Profile::default(), NOW, &agent("7")).await;
    begin(store, "s1", "s1", None).await.unwrap();
    beside
        .execute("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('wecom-login/people', 0))")
        .await
        .unwrap();
    let corp_id = corp();
    let event = NewEvent {
        fingerprint: Fingerprint::of("event"),
        corp_id: &corp_id,
        tasks: vec![EventTask::Member(user("zhangsan"))],
        leaver: Some(Leaver::Company(user("zhangsan"))),
    };
    assert_eq!(store.accept_event(&event, NOW).await.unwrap(), Accepted::New);
    assert!(store.session_by_id("s1", NOW).await.unwrap().is_none(), "signed out at once");
    let marked = async || store.member(&corp(), &user("zhangsan")).await.unwrap().unwrap().left_at.is_some();
    assert!(!marked().await, "by the task");
    assert_eq!(store.event_backlog().await.unwrap()[0].waiting, 1);
    beside.execute("ROLLBACK").await.unwrap();
    assert_eq!(store.accept_event(&event, NOW).await.unwrap(), Accepted::Repeated);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn departments_that_an_event_has_read_wait_for_a_sync() {
    let fresh = Backend::Postgres.fresh().await;
    let (mut beside, mut looking) = (fresh.beside().await, fresh.beside().await);
    beside
        .execute("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('wecom-login/people', 0))")
        .await
        .unwrap();
    let saving = tokio::spawn({
        let store = fresh.store.clone();
        let department =
            |id| Department { id: DepartmentId(id), name: String::new(), parent: None, order: 0 };
        async move {
            let asked = Asked { number: store.next_number().await.unwrap(), at: NOW };
            let visible = DepartmentAnswer::Visible([2, 1].map(department).to_vec());
            let (corp_id, app) = (&corp(), &agent("7"));
            let answers = vec![(app, visible)];
            let read = DepartmentAnswers { corp_id, id: DepartmentId(1), asked, answers };
            store.record_department_answers(&read).await
        }
    });
    waits(&mut looking, &saving).await;
    beside.execute("ROLLBACK").await.unwrap();
    saving.await.unwrap().unwrap();
    assert_eq!(fresh.store.departments(&corp()).await.unwrap().len(), 2);
}
