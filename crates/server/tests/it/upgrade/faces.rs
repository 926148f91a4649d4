//! The content of a database as the program's interfaces show it: to administrators, to the library, and to the consumer of
//! the outbox.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use wecom_login_accounts::ApiKeys;
use wecom_login_auth_model::{Page, Query};
use wecom_login_model::{CorpId, SystemEntropy};
use wecom_login_simulator::sample;
use wecom_login_store::{OutgoingEvent, Store};

use crate::browser::{self, Browser};
use crate::world::World;

const EVERY_COMPANY: &str = "auths.loginTypes.QywxInnerType.QywxInnerAuthModel";
/// A page size larger than the number of rows that the story writes to any table.
const ALL: i64 = 500;

/// Everything that the interfaces show. Reading it changes nothing.
pub(super) async fn shown(world: &World, store: &Store, key: &str) -> Value {
    let browser = world.browser();
    let console = async |path: &str| {
        let page = with_key(&browser, Method::GET, &format!("/console/api/{path}"), key, &Value::Null).await;
        let answer = page.json();
        assert_eq!(answer["errcode"], 0, "{path}: {answer}");
        answer["data"].clone()
    };
    let query = Query { page: Page::new(1, ALL).unwrap(), ..Query::of("Q()".parse().unwrap()) };
    let members = world.server().auth_model(EVERY_COMPANY).unwrap().query(&query).await.unwrap();
    let mut departments = Vec::new();
    for corp_id in [sample::CORP_ID, sample::SECOND_CORP_ID] {
        let corp_id = CorpId::parse(corp_id).unwrap();
        departments.push(json!({"corpId": corp_id, "tree": store.departments(&corp_id).await.unwrap()}));
    }
    // Refused requests are counted, and their rows written when their minute is over.
    world.server().flush_audit_log().await;
    let audit = store.audit_entries(0, ALL).await.unwrap();
    json!({
        "accounts": console("accounts?size=500").await,
        "sessions": console("sessions?size=500").await,
        "sync": console("sync").await,
        "members": members.whole(),
        "departments": departments,
        "apiKeys": api_keys(world, store).await,
        "events": events(world).await,
        "outbox": outbox(store).await,
        "audit": audit.into_iter().map(|(id, entry)| json!([id, entry])).collect::<Vec<_>>(),
    })
}

/// A request with an API key.
pub(super) async fn with_key(
    browser: &Browser,
    method: Method,
    path: &str,
    key: &str,
    body: &Value,
) -> browser::Page {
    let request = browser.request(method, path).header("authorization", format!("Bearer {key}"));
    browser.send(if body.is_null() { request } else { request.json(body) }).await
}

pub(super) fn keys_of(world: &World, store: &Store) -> ApiKeys {
    ApiKeys::new(store.clone(), Arc::new(world.clock.clone()), Arc::new(SystemEntropy))
}

async fn api_keys(world: &World, store: &Store) -> Vec<Value> {
    let keys = keys_of(world, store).list().await.unwrap();
    keys.iter()
        .map(|key| json!({"name": key.name, "createdAt": key.created_at, "lastUsedAt": key.last_used_at}))
        .collect()
}

async fn events(world: &World) -> Vec<Value> {
    let backlog = world.events().backlog().await.unwrap();
    backlog
        .iter()
        .map(|company| {
            json!({
                "corpId": company.corp_id,
                "waiting": company.waiting,
                "since": company.since,
                "setAside": company.set_aside,
            })
        })
        .collect()
}

async fn outbox(store: &Store) -> Vec<Value> {
    let rows = store.outbox(0, ALL).await.unwrap();
    rows.iter()
        .map(|row| {
            let session = match &row.event {
                OutgoingEvent::MemberLeft | OutgoingEvent::MemberReturned => None,
                OutgoingEvent::SessionEnded(session) => Some(session),
            };
            json!({
                "id": row.id,
                "session": session,
                "corpId": row.corp_id,
                "userId": row.user_key,
                "at": row.happened_at,
            })
        })
        .collect()
}

/// The same, whichever version shows leavers: their accounts name them among the members, and their contact data, which was kept
/// once and is erased since, is left out.
pub(super) fn as_of_leavers(shown: &Value) -> Value {
    let mut shown = shown.clone();
    for row in shown["accounts"]["rowDatas"].as_array_mut().unwrap() {
        let former = row["formerMembers"].take();
        let members = row["members"].as_array_mut().unwrap();
        for member in former.as_array().into_iter().flatten() {
            members.push(json!({"corpId": member["corpId"], "userId": member["userId"]}));
        }
        members.sort_by_key(ToString::to_string);
        row.as_object_mut().unwrap().remove("formerMembers");
    }
    for row in shown["members"]["rowDatas"].as_array_mut().unwrap() {
        if row["status"] == 2 || row["status"] == 5 {
            for erased in ["mobile", "email", "bizMail", "avatar", "gender"] {
                row.as_object_mut().unwrap().remove(erased);
            }
        }
    }
    shown
}

/// Asserts that all of `then` is in `now`: objects may have additional keys, and nothing else may differ.
pub(super) fn assert_kept(then: &Value, now: &Value, place: &str) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            for (key, value) in then {
                let place = format!("{place}.{key}");
                assert_kept(value, now.get(key).unwrap_or_else(|| panic!("{place} is lost")), &place);
            }
        }
        (Value::Array(then), Value::Array(now)) => {
            assert_eq!(then.len(), now.len(), "{place}: {then:?} became {now:?}");
            for (number, (then, now)) in then.iter().zip(now).enumerate() {
                assert_kept(then, now, &format!("{place}[{number}]"));
            }
        }
        _ => assert_eq!(then, now, "{place}"),
    }
}
