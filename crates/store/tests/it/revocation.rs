use std::time::Duration;

use wecom_login_model::{CorpId, UserId};
use wecom_login_store::{Act, AuditEntry, Revoke, SessionsOf, Store};

use crate::NOW;
use crate::backends::{Fresh, on_every_database};
use crate::sessions::begin;

on_every_database![
    live_sessions_are_listed_by_member_and_company,
    of_many_all_end_each_with_its_event,
    of_two_who_revoke_at_once_each_session_is_ended_by_one,
];

async fn begin_many(store: &Store, many: usize) {
    for number in 0..many {
        begin(store, &format!("s{number:04}"), &format!("token {number}"), None).await.unwrap();
    }
}

async fn live(store: &Store, of: SessionsOf<'_>) -> i64 {
    store.live_sessions(of, NOW, 0, 10).await.unwrap().1
}

async fn live_sessions_are_listed_by_member_and_company(fresh: Fresh) {
    let store = &fresh.store;
    begin_many(store, 3).await;
    let (corp, other) = (CorpId::parse("wwA").unwrap(), CorpId::parse("wwB").unwrap());
    let (user, nobody) = (UserId::parse("ZHANGSAN").unwrap(), UserId::parse("lisi").unwrap());
    let of = |corp_id, user_id| SessionsOf { corp_id, user_id };
    assert_eq!(live(store, SessionsOf::default()).await, 3);
    assert_eq!(live(store, of(Some(&corp), Some(&user))).await, 3);
    assert_eq!(live(store, of(None, Some(&user))).await, 3);
    assert_eq!(live(store, of(Some(&other), Some(&user))).await, 0);
    assert_eq!(live(store, of(None, Some(&nobody))).await, 0);
    let (page, total) = store.live_sessions(SessionsOf::default(), NOW, 2, 10).await.unwrap();
    assert_eq!((page.len(), page[0].id.as_str(), total), (1, "s0002", 3));
    let later = NOW + Duration::from_hours(1);
    assert_eq!(store.live_sessions(SessionsOf::default(), later, 0, 10).await.unwrap().1, 0, "they ran out");

    assert_eq!(store.revoke_sessions(Revoke::One("s0001"), NOW).await.unwrap(), 1);
    assert_eq!(store.revoke_sessions(Revoke::One("s0001"), NOW).await.unwrap(), 0);
    assert_eq!(store.revoke_sessions(Revoke::Of(of(None, Some(&nobody))), NOW).await.unwrap(), 0);
    assert_eq!(
        store.revoke_sessions(Revoke::Of(of(None, Some(&user))), later).await.unwrap(),
        0,
        "none lives"
    );
    assert_eq!(store.revoke_sessions(Revoke::Of(of(Some(&corp), Some(&user))), NOW).await.unwrap(), 2);
}

/// The events of sessions that ended.
async fn ends(store: &Store) -> Vec<AuditEntry> {
    let events = store.audit_entries(0, 5000).await.unwrap().into_iter().map(|(_, entry)| entry);
    events.filter(|entry| entry.event == "session_ended").collect()
}

async fn of_many_all_end_each_with_its_event(fresh: Fresh) {
    let store = &fresh.store;
    begin_many(store, 1203).await;
    let all = Revoke::Of(SessionsOf::default());
    let revoked = Act::of("command line").scope(store.revoke_sessions(all, NOW)).await.unwrap();
    assert_eq!((revoked, live(store, SessionsOf::default()).await), (1203, 0));
    let events = ends(store).await;
    assert_eq!(events.len(), 1203);
    let mut ended: Vec<_> = events.iter().map(|entry| entry.session_id.clone().unwrap()).collect();
    ended.sort();
    ended.dedup();
    assert_eq!(ended.len(), 1203);
    assert!(events.iter().all(|entry| entry.actor == "command line" && entry.detail["reason"] == "revoked"));
}

async fn of_two_who_revoke_at_once_each_session_is_ended_by_one(fresh: Fresh) {
    begin_many(&fresh.store, 40).await;
    let (one, other) = (fresh.another().await, fresh.another().await);
    let all = Revoke::Of(SessionsOf::default());
    let (first, second) = tokio::join!(one.revoke_sessions(all, NOW), other.revoke_sessions(all, NOW));
    assert_eq!(first.unwrap() + second.unwrap(), 40);
    assert_eq!(ends(&fresh.store).await.len(), 40);
}
