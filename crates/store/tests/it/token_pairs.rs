use std::time::Duration;

use wecom_login_model::{CorpId, Fingerprint, Profile, Timestamp, UserId};
use wecom_login_store::{EndReason, NewPair, NewSession, Rotation, Store};

use crate::NOW;
use crate::backends::{Fresh, REGISTERS, begin_session, on_every_database, save_member};
use crate::organisation::agent;

on_every_database![
    a_refresh_token_is_good_once_and_access_tokens_for_their_time,
    an_idle_session_is_not_refreshed,
    the_last_rotation_is_remembered_with_its_retry_key,
    a_first_pair_is_begun_once,
    the_member_model_shows_the_pair_that_was_issued_last,
    a_session_that_is_purged_takes_its_pair_along,
];

const HOUR: Duration = Duration::from_hours(1);
const ACCESS: Duration = Duration::from_mins(10);

fn corp() -> CorpId {
    CorpId::parse("wwA").unwrap()
}

fn print(text: &str) -> Fingerprint {
    Fingerprint::of(text)
}

/// A session of zhangsan with a pair: refresh token `r0` of the family `f`, access token `a0`.
async fn begin(store: &Store) {
    let user_id = UserId::parse("zhangsan").unwrap();
    save_member(store, &corp(), &user_id, &Profile::default(), NOW, &agent("7")).await;
    let session = NewSession {
        id: "s1",
        token_hash: print("token"),
        sign_in: None,
        corp_id: &corp(),
        user_id: &user_id,
        instance: "auths.loginTypes.Example",
        agent_id: &agent("7"),
        created_at: NOW,
        idle_until: NOW + HOUR,
        expires_at: NOW + HOUR * 24,
        account: REGISTERS,
        former: None,
    };
    begin_session(store, &session).await.unwrap();
    assert_eq!(store.begin_pair(&first("r0")).await.unwrap(), Some(NOW));
}

fn first(refresh: &str) -> NewPair<'static> {
    let (family, refresh, access) = (print("f"), print(refresh), print("a0"));
    NewPair { session_id: "s1", family, refresh, access, issued_at: NOW, access_until: NOW + ACCESS }
}

fn rotation(spent: &str, refresh: &str, access: &str, now: Timestamp) -> Rotation<'static> {
    Rotation {
        family: print("f"),
        spent: print(spent),
        refresh: print(refresh),
        access: print(access),
        retry: None,
        issued_at: now,
        access_until: now + ACCESS,
    }
}

async fn a_refresh_token_is_good_once_and_access_tokens_for_their_time(fresh: Fresh) {
    let store = &fresh.store;
    begin(store).await;
    let opens =
        async |access: &str, now| store.session_by_access(print(access), now).await.unwrap().is_some();
    let rotate = async |rotation| store.rotate_pair(&rotation).await.unwrap().map(|session| session.id);
    let later = NOW + ACCESS / 2;
    assert_eq!(rotate(rotation("never", "r9", "a9", later)).await, None);
    assert_eq!(rotate(rotation("r0", "r1", "a1", later)).await.as_deref(), Some("s1"));
    assert_eq!(rotate(rotation("r0", "r2", "a2", later)).await, None, "spent");
    assert!(opens("a0", later).await && opens("a1", later).await);
    assert!(!opens("a2", later).await && !opens("a9", later).await && !opens("r1", later).await);
    assert!(!opens("a0", NOW + ACCESS).await && opens("a1", NOW + ACCESS).await);

    assert_eq!(store.purge_access_tokens(NOW + ACCESS, 100).await.unwrap(), 1);
    assert!(opens("a1", NOW + ACCESS).await);
    assert!(store.end_session("s1", later, EndReason::Reused).await.unwrap());
    assert!(!opens("a1", later).await);
    assert_eq!(rotate(rotation("r1", "r2", "a2", later)).await, None, "its session has ended");
    assert_eq!(store.pair_of_family(print("f"), later).await.unwrap(), None);
}

async fn an_idle_session_is_not_refreshed(fresh: Fresh) {
    let store = &fresh.store;
    begin(store).await;
    assert_eq!(store.rotate_pair(&rotation("r0", "r1", "a1", NOW + HOUR)).await.unwrap(), None);
}

async fn the_last_rotation_is_remembered_with_its_retry_key(fresh: Fresh) {
    let store = &fresh.store;
    begin(store).await;
    let remembered = async || {
        let row = store.pair_of_family(print("f"), NOW).await.unwrap().unwrap();
        (row.spent_hash, row.retry_hash, row.salt, row.issued_at)
    };
    let nothing = String::new();
    assert_eq!(remembered().await, (nothing.clone(), nothing.clone(), nothing.clone(), NOW));
    let later = NOW + ACCESS;
    let with_key = Rotation { retry: Some((print("key"), "salt")), ..rotation("r0", "r1", "a1", later) };
    store.rotate_pair(&with_key).await.unwrap().unwrap();
    assert_eq!(remembered().await, (print("r0").to_hex(), print("key").to_hex(), "salt".to_owned(), later));
    store.rotate_pair(&rotation("r1", "r2", "a2", later)).await.unwrap().unwrap();
    assert_eq!(remembered().await, (print("r1").to_hex(), nothing.clone(), nothing, later));
}

async fn a_first_pair_is_begun_once(fresh: Fresh) {
    let store = &fresh.store;
    begin(store).await;
    let again = NewPair { issued_at: NOW + ACCESS, ..first("r0") };
    assert_eq!(store.begin_pair(&again).await.unwrap(), Some(NOW), "it was issued then");
    assert_eq!(store.begin_pair(&first("other")).await.unwrap(), None);
    store.rotate_pair(&rotation("r0", "r1", "a1", NOW)).await.unwrap().unwrap();
    assert_eq!(store.begin_pair(&first("r0")).await.unwrap(), None);
}

async fn the_member_model_shows_the_pair_that_was_issued_last(fresh: Fresh) {
    let store = &fresh.store;
    begin(store).await;
    let shown = async |filter: &str| {
        let row =
            store.auth_row(Some((&corp(), &agent("7"))), &filter.parse().unwrap(), &[], NOW).await.unwrap();
        row.map(|row| (row.access_token.expose().to_owned(), row.refresh_token.expose().to_owned()))
    };
    let pair = |access: &str, refresh: &str| Some((print(access).to_hex(), print(refresh).to_hex()));
    assert_eq!(shown("Q()").await, pair("a0", "r0"));
    store.rotate_pair(&rotation("r0", "r1", "a1", NOW)).await.unwrap().unwrap();
    assert_eq!(shown("Q()").await, pair("a1", "r1"));
    assert_eq!(shown(&format!("Q(refreshToken='{}')", print("r1").to_hex())).await, pair("a1", "r1"));
    assert_eq!(shown(&format!("Q(accessToken='{}')", print("a1").to_hex())).await, pair("a1", "r1"));
    assert_eq!(shown(&format!("Q(refreshToken='{}')", print("r0").to_hex())).await, None);
    store.end_session("s1", NOW, EndReason::Logout).await.unwrap();
    assert_eq!(shown("Q()").await, Some((String::new(), String::new())));
}

async fn a_session_that_is_purged_takes_its_pair_along(fresh: Fresh) {
    let store = &fresh.store;
    begin(store).await;
    let late = NOW + HOUR * 48;
    assert_eq!(store.purge_sessions(late, HOUR, 100).await.unwrap(), 1);
    assert_eq!(store.purge_access_tokens(late, 100).await.unwrap(), 0, "gone with its session");
}
