use std::sync::{Arc, Mutex};
use std::time::Duration;

use wecom_login_model::{CorpId, MemberRef, UserId};
use wecom_login_store::{Act, AuditEntry, AuditEvent, AuditSink, BoundBy, EndReason};

use crate::NOW;
use crate::backends::{Fresh, on_every_database, register};
use crate::sessions::begin;

on_every_database![
    an_event_comes_back_as_it_was_written,
    what_a_change_tells_is_written_with_it_or_not_at_all,
    old_events_go_a_few_at_a_time,
];

#[derive(Debug, Default)]
struct Told(Mutex<Vec<AuditEntry>>);

impl AuditSink for Told {
    fn written(&self, entry: &AuditEntry) {
        self.0.lock().unwrap().push(entry.clone());
    }
}

fn zhangsan() -> MemberRef {
    MemberRef { corp_id: CorpId::parse("wwA").unwrap(), user_id: UserId::parse("ZhangSan").unwrap() }
}

async fn an_event_comes_back_as_it_was_written(fresh: Fresh) {
    let act = Act::of_request("192.0.2.7", "request");
    act.is_by("API key prometheus");
    act.is_by("somebody else");
    let member = zhangsan();
    let entry = act
        .scope(async {
            AuditEntry::new(AuditEvent::SignIn, NOW)
                .outcome("disabled")
                .instance("auths.loginTypes.X")
                .member(&member.corp_id, &member.user_id)
                .session("s1")
                .detail("errcode", 710_103)
                .detail("text", "张三 \"quoted\"")
        })
        .await;
    assert_eq!((entry.actor.as_str(), entry.address.as_deref()), ("API key prometheus", Some("192.0.2.7")));
    fresh.store.audit(entry.clone()).await.unwrap();
    let bare = AuditEntry::new(AuditEvent::Sync, NOW);
    assert_eq!((bare.actor.as_str(), &bare.request_id), ("system", &None));
    fresh.store.audit(bare.clone()).await.unwrap();

    let written = fresh.store.audit_entries(0, 10).await.unwrap();
    assert_eq!(written.iter().map(|(_, entry)| entry).collect::<Vec<_>>(), [&entry, &bare]);
    assert_eq!(fresh.store.audit_entries(written[0].0, 10).await.unwrap().len(), 1);
}

async fn what_a_change_tells_is_written_with_it_or_not_at_all(fresh: Fresh) {
    let told = Arc::new(Told::default());
    let store = fresh.another().await.with_audit_sink(told.clone());
    let member = zhangsan();
    let account = register(&store, &member).await.unwrap();
    begin(&store, "s1", "token", None).await.unwrap();
    begin(&store, "s2", "token 2", None).await.unwrap();
    assert!(store.end_session("s1", NOW, EndReason::Logout).await.unwrap());
    assert!(!store.end_session("s1", NOW, EndReason::Logout).await.unwrap());
    assert!(store.unbind_member(&member, NOW).await.unwrap());
    store.bind_member(&member, account.id, BoundBy::Administrator, NOW).await.unwrap();
    store.bind_member(&member, account.id, BoundBy::Administrator, NOW).await.unwrap();
    let events: Vec<_> =
        fresh.store.audit_entries(0, 100).await.unwrap().into_iter().map(|row| row.1).collect();
    let brief = |entry: &AuditEntry| {
        let detail = entry.detail.get("reason").or(entry.detail.get("by")).map(ToString::to_string);
        (entry.event.clone(), entry.actor.clone(), detail.unwrap_or_default())
    };
    let expected = [
        ("binding_made", "member wwA/zhangsan", "\"registered\""),
        ("sign_in", "member wwA/zhangsan", ""),
        ("sign_in", "member wwA/zhangsan", ""),
        ("session_ended", "member wwA/zhangsan", "\"logout\""),
        ("binding_removed", "system", ""),
        ("session_ended", "system", "\"unbound\""),
        ("binding_made", "system", "\"administrator\""),
    ]
    .map(|(event, actor, detail)| (event.to_owned(), actor.to_owned(), detail.to_owned()));
    assert_eq!(events.iter().map(brief).collect::<Vec<_>>(), expected);
    assert_eq!(*told.0.lock().unwrap(), events);

    // Without its event a change does not come to pass.
    begin(&store, "s3", "token 3", None).await.unwrap();
    fresh.meddle("ALTER TABLE audit_events RENAME TO elsewhere").await;
    store.end_session("s3", NOW, EndReason::Logout).await.unwrap_err();
    store.unbind_member(&member, NOW).await.unwrap_err();
    assert!(store.session_by_id("s3", NOW).await.unwrap().is_some());
    assert!(store.account_of_member(&member.corp_id, &member.user_id).await.unwrap().is_some());
    assert_eq!(told.0.lock().unwrap().len(), 8);
    // One that stands for itself is at least told.
    store.audit(AuditEntry::new(AuditEvent::SignIn, NOW)).await.unwrap_err();
    assert_eq!(told.0.lock().unwrap().len(), 9);
}

async fn old_events_go_a_few_at_a_time(fresh: Fresh) {
    let day = Duration::from_hours(24);
    for age in 0..5 {
        fresh.store.audit(AuditEntry::new(AuditEvent::SignIn, NOW - day * age)).await.unwrap();
    }
    let purge = |limit| fresh.store.purge_audit(NOW, day * 2, limit);
    assert_eq!(purge(1).await.unwrap(), 1);
    assert_eq!(purge(10).await.unwrap(), 1);
    assert_eq!(purge(10).await.unwrap(), 0);
    let oldest = fresh.store.audit_entries(0, 10).await.unwrap().into_iter().map(|(_, entry)| entry.at).min();
    assert_eq!(oldest, Some(NOW - day * 2));
}
