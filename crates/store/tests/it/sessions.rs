use std::time::Duration;

use wecom_login_model::{CorpId, Fingerprint, Profile, UserId};
use wecom_login_store::{EndReason, NewSession, SessionRow, Store};

use crate::NOW;
use crate::backends::{Fresh, REGISTERS, begin_session, mark_left, on_every_database, outcome, save_member};
use crate::organisation::agent;

on_every_database![
    a_session_lives_until_idle_expiry_or_end,
    one_sign_in_makes_one_session_which_takes_the_newest_token,
    no_session_begins_for_a_member_who_has_left,
    purging_keeps_the_living_and_the_recently_ended,
];

const HOUR: Duration = Duration::from_hours(1);

pub(crate) async fn begin(store: &Store, id: &str, token: &str, sign_in: Option<&str>) -> Option<SessionRow> {
    let (corp_id, user_id) = (CorpId::parse("wwA").unwrap(), UserId::parse("ZhangSan").unwrap());
    let session = NewSession {
        id,
        token_hash: Fingerprint::of(token),
        sign_in: sign_in.map(|text| outcome(Fingerprint::of(text))),
        corp_id: &corp_id,
        user_id: &user_id,
        instance: "auths.loginTypes.Example",
        agent_id: &agent("7"),
        created_at: NOW,
        idle_until: NOW + HOUR,
        expires_at: NOW + HOUR * 24,
        account: REGISTERS,
        former: None,
    };
    begin_session(store, &session).await
}

async fn a_session_lives_until_idle_expiry_or_end(fresh: Fresh) {
    let store = &fresh.store;
    let row = begin(store, "s1", "token", None).await.unwrap();
    let found = |now| {
        let store = store.clone();
        async move { store.session_by_token(Fingerprint::of("token"), now).await.unwrap() }
    };
    assert_eq!(found(NOW).await, Some(row.clone()));
    assert_eq!(found(NOW + HOUR).await, None, "idle");

    store.touch_session("s1", NOW + HOUR * 48).await.unwrap();
    assert!(found(NOW + HOUR * 23).await.is_some());
    assert_eq!(found(NOW + HOUR * 24).await, None, "expired for good");

    assert!(store.end_session("s1", NOW, EndReason::Logout).await.unwrap());
    assert!(!store.end_session("s1", NOW, EndReason::Logout).await.unwrap());
    assert_eq!(found(NOW).await, None, "ended");
    assert_eq!(store.session_by_id("s1", NOW).await.unwrap(), None);
}

async fn one_sign_in_makes_one_session_which_takes_the_newest_token(fresh: Fresh) {
    let store = &fresh.store;
    let first = begin(store, "s1", "token 1", Some("redirect")).await.unwrap();
    let second = begin(store, "s2", "token 2", Some("redirect")).await.unwrap();
    assert_eq!(first.id, second.id);
    assert_eq!(store.session_by_token(Fingerprint::of("token 1"), NOW).await.unwrap(), None);
    assert!(store.session_by_token(Fingerprint::of("token 2"), NOW).await.unwrap().is_some());

    let (redirect, later) = (Fingerprint::of("redirect"), NOW + Duration::from_mins(1));
    let kept = store.outcome_of(redirect, NOW).await.unwrap().unwrap();
    assert_eq!((kept.session, kept.sealed_token.as_deref()), (Some(first.clone()), Some("sealed")));
    let kept = store.outcome_of(redirect, later).await.unwrap().unwrap();
    assert_eq!((kept.session, kept.sealed_token), (Some(first), None), "the session outlives its outcome");
    assert_eq!(store.purge_outcomes(NOW, 10).await.unwrap(), 0);
    assert_eq!(store.purge_outcomes(later, 10).await.unwrap(), 1, "the sealed token is erased");
    store.end_session("s1", NOW, EndReason::Logout).await.unwrap();
    assert_eq!(store.outcome_of(redirect, NOW).await.unwrap().unwrap().session, None);
    assert_eq!(store.outcome_of(Fingerprint::of("other"), NOW).await.unwrap(), None);
    assert_eq!(begin(store, "s3", "token 4", Some("redirect")).await, None, "an ended one is not revived");
}

async fn no_session_begins_for_a_member_who_has_left(fresh: Fresh) {
    let store = &fresh.store;
    let (corp_id, user_id) = (CorpId::parse("wwA").unwrap(), UserId::parse("zhangsan").unwrap());
    save_member(store, &corp_id, &user_id, &Profile::default(), NOW, &agent("7")).await;
    mark_left(store, &corp_id, &user_id, NOW).await;
    assert_eq!(begin(store, "s1", "token 1", Some("redirect")).await, None);
    assert_eq!(store.session_by_token(Fingerprint::of("token 1"), NOW).await.unwrap(), None);
    save_member(store, &corp_id, &user_id, &Profile::default(), NOW, &agent("7")).await;
    assert!(begin(store, "s2", "token 2", Some("redirect")).await.is_some(), "back");
}

async fn purging_keeps_the_living_and_the_recently_ended(fresh: Fresh) {
    let store = &fresh.store;
    begin(store, "living", "a", None).await.unwrap();
    begin(store, "ended", "b", None).await.unwrap();
    store.end_session("ended", NOW, EndReason::Replaced).await.unwrap();
    let keep = Duration::from_mins(1);
    assert_eq!(store.purge_sessions(NOW + keep, keep, 100).await.unwrap(), 0);
    assert_eq!(store.purge_sessions(NOW + keep * 2, keep, 100).await.unwrap(), 1);
    assert!(store.session_by_id("living", NOW).await.unwrap().is_some());
}
