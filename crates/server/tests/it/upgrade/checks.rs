//! Checks that everything that the story wrote is there and works.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use wecom_login_model::{CorpId, SystemEntropy, UserId};
use wecom_login_simulator::{Company, sample};
use wecom_login_store::{SealKey, Sealer};

use super::database::Database;
use super::faces::{as_of_leavers, assert_kept, shown, with_key};
use super::story::{
    self, HELD, Known, KnownPair, LEAVER, NEW_NAME, NEWCOMER, RETRY_KEY, code, narrow, sign_in, synchronise,
    synchronised, widen,
};
use super::{SECOND, server};
use crate::browser::Browser;
use crate::front_end::{FrontEnd, Pair};
use crate::world::{API, BROWSER_COOKIE, ELEMENT, SESSION_COOKIE, World, redirect};

/// Opens the database with this version of the program, and checks everything.
pub(super) async fn find_everything(database: &Database, known: &Known) {
    // Migrates the tables before anything else changes them.
    database.store().await.close().await;
    assert_eq!(rows_of_then(database, known).await, known.rows, "rows of the tables");

    let world = server(database, known.at).start().await;
    let store = database.store().await;
    story::companies_at_the_end(&world.wecom);
    let now = shown(&world, &store, &known.api_key).await;
    assert_kept(&as_of_leavers(&known.shown), &as_of_leavers(&now), "shown");
    everything_is_of_use(&now);

    sessions(&world, known).await;
    keys_and_administration(&world, database, known).await;
    sealed_values(&world, database, known).await;
    widen(&world.wecom);
    accounts(&world, known).await;
    leaver(&world, &store, known).await;
    event_that_waited(&world).await;
    syncs(&world, &store, known).await;
    store.close().await;
}

/// The numbers of rows, only of the tables that existed when the database was written. Bindings of leavers, which were in a table
/// with the others, count there.
async fn rows_of_then(database: &Database, known: &Known) -> std::collections::BTreeMap<String, i64> {
    let mut rows = database.rows().await;
    if !known.rows.contains_key("former_bindings") {
        let former = rows["former_bindings"];
        rows.entry("bindings".to_owned()).and_modify(|bindings| *bindings += former);
    }
    rows.retain(|table, _| known.rows.contains_key(table));
    rows
}

/// Asserts that the story wrote entries of every kind, so that [`assert_kept`] has something to compare.
fn everything_is_of_use(shown: &Value) {
    for (list, least) in [
        ("/accounts/rowDatas", 7),
        ("/sessions/rowDatas", 8),
        ("/sync/runs", 5),
        ("/sync/held", 1),
        ("/members/rowDatas", 20),
        ("/departments/0/tree", 5),
        ("/departments/1/tree", 1),
        ("/apiKeys", 1),
        ("/events", 1),
        ("/outbox", 3),
        ("/audit", 20),
    ] {
        let length = shown.pointer(list).and_then(Value::as_array).map_or(0, Vec::len);
        assert!(length >= least, "{list} has {length}: {shown:#}");
    }
}

fn with_cookie(world: &World, cookie: &str) -> Browser {
    let browser = world.browser();
    browser.set_cookie(SESSION_COOKIE, cookie);
    browser
}

async fn me(world: &World, cookie: &str) -> Option<String> {
    with_cookie(world, cookie).me().await
}

async fn sessions(world: &World, known: &Known) {
    assert_eq!(me(world, &known.admin_cookie).await.as_deref(), Some("zhangsan"));
    assert_eq!(me(world, &known.member_cookie).await.as_deref(), Some("lisi"));
    assert_eq!(me(world, &known.second_cookie).await.as_deref(), Some("heshui"));
    assert_eq!(me(world, &known.signed_out_cookie).await, None);
    assert_eq!(me(world, &known.leavers_cookie).await, None);
    let account = with_cookie(world, &known.member_cookie).account().await;
    assert_eq!(account, known.accounts[&format!("{}/lisi", sample::CORP_ID)]);

    let program = FrontEnd::program(world);
    let KnownPair { access, refresh } = &known.pair;
    assert_eq!(program.me(access).await.as_deref(), Some("wangwu"));
    let next = program.next(refresh).await.unwrap();
    assert_eq!(program.me(&next.access).await.as_deref(), Some("wangwu"));

    let [first, second] = &known.refreshed;
    assert_eq!(program.me(&first.access).await.as_deref(), Some("lisi"), "for its ten minutes");
    assert_eq!(program.me(&second.access).await.as_deref(), Some("lisi"));
    let retry = json!({"refreshToken": first.refresh, "retryKey": RETRY_KEY});
    let again = KnownPair::from(Pair::of(&program.refresh(&retry).await.json()));
    assert_eq!(again, *second, "the answer may have been lost");
    assert_eq!(
        program.next(&first.refresh).await,
        Err((401, 710_317)),
        "used before, by a client without the key"
    );
    assert_eq!(program.me(&second.access).await, None);
    assert_eq!(program.next(&second.refresh).await, Err((401, 710_301)));

    assert_eq!(program.me(&known.leavers_pair.access).await, None);
    assert_eq!(program.next(&known.leavers_pair.refresh).await, Err((401, 710_301)));
}

async fn keys_and_administration(world: &World, database: &Database, known: &Known) {
    let browser = world.browser();
    let status = async |path: &str, key: &str| {
        with_key(&browser, Method::GET, path, key, &Value::Null).await.status.as_u16()
    };
    assert_eq!(status("/console/api/accounts", &known.api_key).await, 200);
    assert_eq!(status("/console/api/accounts", &known.removed_api_key).await, 403);

    let read = async |cookie: &str| {
        let (browser, body) = (with_cookie(world, cookie), json!({"userId": "lisi"}));
        let page = browser.post_json(&format!("{API}/getUserInfo"), &body).await;
        page.json()["errcode"].as_i64().unwrap()
    };
    assert_eq!(read(&known.admin_cookie).await, 0);
    assert_eq!(read(&known.member_cookie).await, 710_314);

    let rows = database.rows().await;
    let page = with_key(&browser, Method::GET, "/metrics", &known.api_key, &Value::Null).await;
    for table in ["accounts", "bindings", "departments", "outbox"] {
        let line = format!("wecom_login_rows{{table=\"{table}\"}} {}", rows[table]);
        assert!(page.text.lines().any(|told| told == line), "{line}\n{}", page.text);
    }
}

/// The length of a state in versions that stored it.
const STORED_STATE: usize = 66;

/// The key of the database opens the values that the earlier version sealed.
async fn sealed_values(world: &World, database: &Database, known: &Known) {
    let sealer =
        Sealer::new(&SealKey::parse(&known.key).unwrap(), std::sync::Arc::new(SystemEntropy)).unwrap();
    let query = "SELECT key || ' ' || value FROM key_values WHERE key LIKE 'access-token/%' AND value <> ''";
    let tokens = database.texts(query.to_owned()).await;
    assert!(tokens.len() >= 3, "of three apps: {tokens:?}");
    for token in tokens {
        let (place, sealed) = token.split_once(' ').unwrap();
        let token: Value = serde_json::from_str(sealer.open(place, sealed).unwrap().expose()).unwrap();
        assert!(token["token"].is_string(), "{place}");
    }

    // The session of a redirect that is delivered again; its token is sealed.
    let calls = world.wecom.calls_of("auth/getuserinfo");
    let browser = world.browser();
    browser.set_cookie(BROWSER_COOKIE, &known.delivered.browser);
    let page = browser.get(&known.delivered.address).await;
    if known.delivered.state().len() == STORED_STATE {
        // Versions that stored their states issued them in a form that is not recognised; the session goes on.
        assert_eq!((page.status.as_u16(), page.problem()), (400, 710_003));
        let session = with_cookie(world, &known.delivered.cookie);
        assert_eq!(session.me().await.as_deref(), Some("wangwu"));
        return;
    }
    assert_eq!(page.status.as_u16(), 303, "{page:?}");
    assert_eq!(browser.cookie(SESSION_COOKIE).as_ref(), Some(&known.delivered.cookie));
    assert_eq!(browser.me().await.as_deref(), Some("wangwu"));
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), calls);
}

/// Members sign in to their former accounts, and a new member gets an unused account number.
async fn accounts(world: &World, known: &Known) {
    for (instance, corp_id, user_id) in [
        ("Example", sample::CORP_ID, "zhangsan"),
        ("Example", sample::CORP_ID, "lisi"),
        ("Example", sample::CORP_ID, "wangwu"),
        ("Example", sample::CORP_ID, "qianqi"),
        ("Example", sample::CORP_ID, "wu10"),
        ("Old", sample::CORP_ID, "qianqi"),
        ("Second", sample::SECOND_CORP_ID, "zhangsan"),
    ] {
        let account = sign_in(world, instance, user_id).await.account().await;
        assert_eq!(account, known.accounts[&format!("{corp_id}/{user_id}")], "{corp_id}/{user_id}");
    }
    let told = with_cookie(world, &known.admin_cookie).get_json("/me").await.json();
    assert_eq!(told["mobile"], "13800000001", "consented to, and withheld since");

    // The sign-in that had only started can be finished; one of a version that stored its states starts again.
    let mut browser = world.browser();
    browser.set_cookie(BROWSER_COOKIE, &known.begun.browser);
    let page = browser.get(&redirect(&world.code(sample::NOT_ACTIVATED), &known.begun.state)).await;
    if known.begun.state.len() == STORED_STATE {
        assert_eq!((page.status.as_u16(), page.problem(), browser.me().await), (400, 710_003, None));
        browser = sign_in(world, "Example", sample::NOT_ACTIVATED).await;
    }
    assert_eq!(browser.me().await.as_deref(), Some(sample::NOT_ACTIVATED), "{page:?}");
    let last = known.accounts.values().max().unwrap();
    assert!(browser.account().await > *last);
}

async fn leaver(world: &World, store: &wecom_login_store::Store, known: &Known) {
    let (corp_id, user_id) = (CorpId::parse(sample::CORP_ID).unwrap(), UserId::parse(LEAVER).unwrap());
    assert!(store.member(&corp_id, &user_id).await.unwrap().unwrap().left_at.is_some());
    let browser = world.browser();
    let state = world.state(&browser).await;
    let page = browser.get(&redirect(&code(world, "Example", LEAVER), &state)).await;
    assert_eq!((page.status.as_u16(), browser.me().await), (403, None), "{page:?}");

    // A member who returns to the company has the same account.
    let back = Company::sample().member(LEAVER).unwrap().into_owned();
    world.wecom.edit(sample::CORP_ID, |company| company.put_member(back)).unwrap();
    let account = sign_in(world, "Example", LEAVER).await.account().await;
    assert_eq!(account, known.accounts[&format!("{}/{LEAVER}", sample::CORP_ID)]);

    let left = known.shown["outbox"].as_array().unwrap().iter();
    let sessions: Vec<&Value> =
        left.filter(|row| row["userId"] == LEAVER.to_lowercase()).map(|row| &row["session"]).collect();
    assert_eq!(sessions.iter().filter(|session| session.is_null()).count(), 1, "that the member left");
    assert_eq!(sessions.iter().filter(|session| session.is_string()).count(), 2, "that sessions ended");
}

/// The waiting event is processed now that WeCom answers.
async fn event_that_waited(world: &World) {
    world
        .wecom
        .edit(sample::CORP_ID, |company| {
            assert!(company.edit_member("wangwu", |member| NEW_NAME.clone_into(&mut member.name)));
        })
        .unwrap();
    assert_eq!(world.waiting().await, 1);
    world.advance(Duration::from_mins(1));
    world.settle().await;
    let model = world.server().auth_model(ELEMENT).unwrap();
    let row = model.get(&"Q(userId='wangwu')".parse().unwrap(), &[]).await.unwrap().unwrap();
    assert_eq!(row.name, NEW_NAME);
}

async fn syncs(world: &World, store: &wecom_login_store::Store, known: &Known) {
    let admin = with_cookie(world, &known.admin_cookie);
    let told = admin.get_json("/console/api/sync").await.json()["data"].clone();

    // The interrupted sync is done, resumed or from the beginning.
    let run = synchronise(&admin, SECOND).await;
    assert_eq!(run["outcome"], "complete", "{run}");
    assert_eq!(me(world, &known.second_cookie).await, None, "the member has left");
    let second = CorpId::parse(sample::SECOND_CORP_ID).unwrap();
    let newcomer = store.member(&second, &UserId::parse(NEWCOMER).unwrap()).await.unwrap();
    assert_eq!(newcomer.map(|member| member.profile.name).as_deref(), Some("江南"));

    // The administrator approves the removals.
    let held = &told["held"][0];
    assert_eq!((&held["instance"], &held["count"]), (&json!(ELEMENT), &json!(HELD)), "{told}");
    let members = held["members"].as_array().unwrap();
    assert!(members.contains(&json!("temp01")), "{held}");
    narrow(&world.wecom);
    let confirm = json!({"instance": ELEMENT});
    let approved = admin.post_json("/console/api/sync/confirm", &confirm).await.json();
    assert_eq!(approved["data"]["started"], json!([ELEMENT]), "{approved}");
    let told = synchronised(&admin).await;
    let run = &told["runs"][0];
    assert_eq!((&run["outcome"], &run["left"]), (&json!("complete"), &json!(HELD)), "{run}");
    assert_eq!(told["held"], json!([]));

    let corp_id = CorpId::parse(sample::CORP_ID).unwrap();
    for user_id in members {
        let user_id = UserId::parse(user_id.as_str().unwrap()).unwrap();
        assert!(store.member(&corp_id, &user_id).await.unwrap().unwrap().left_at.is_some(), "{user_id}");
    }
    assert_eq!(admin.me().await.as_deref(), Some("zhangsan"));
}
