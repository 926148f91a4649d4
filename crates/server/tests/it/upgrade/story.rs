//! A morning at two companies, after which every persistent table has rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wecom_login_model::Timestamp;
use wecom_login_simulator::{
    CodeRequest, CodeScope, Fault, FaultKind, Member, SensitiveField, Simulator, sample,
};
use wecom_login_store::Store;
use wecom_login_testkit::wait::{found, until};

use super::database::Database;
use super::faces::{keys_of, shown, with_key};
use super::{OLD, SECOND, server};
use crate::browser::Browser;
use crate::events::{self, Sender};
use crate::front_end::{FrontEnd, Pair};
use crate::world::{BROWSER_COOKIE, ELEMENT, SESSION_COOKIE, World, redirect};

/// The start of the story, 2026-11-27T00:00:00Z.
const BEGINNING: Timestamp = Timestamp::from_millis(1_795_737_600_000);
/// The department that is removed from the app's visible scope; see [`narrow`].
const FINANCE: i64 = 7;
/// More members than a sync removes without approval of an administrator.
const TEMPS: u64 = 12;
/// The member who leaves.
pub(super) const LEAVER: &str = "Ouyang.Na";
/// The number of members of department 7, whose removal is held: the temps and two of the sample.
pub(super) const HELD: u64 = TEMPS + 2;
/// The retry key with which lisi's program refreshed its pair.
pub(super) const RETRY_KEY: &str = "key-of-43-characters-0123456789-0123456789-";
/// The member whom the interrupted sync has found.
pub(super) const NEWCOMER: &str = "jiangnan";
/// wangwu's name once the waiting event is processed.
pub(super) const NEW_NAME: &str = "王五一";

/// The expected content of a database.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Known {
    /// The server's time when it stopped.
    pub(super) at: Timestamp,
    /// The key that seals values at rest.
    pub(super) key: String,
    /// The active session of zhangsan, an administrator.
    pub(super) admin_cookie: String,
    pub(super) member_cookie: String,
    /// The active session of a member whom the next sync of the second company removes.
    pub(super) second_cookie: String,
    pub(super) signed_out_cookie: String,
    pub(super) leavers_cookie: String,
    /// wangwu's pair, as it was issued.
    pub(super) pair: KnownPair,
    /// lisi's pairs, before and after the refresh.
    pub(super) refreshed: [KnownPair; 2],
    pub(super) leavers_pair: KnownPair,
    pub(super) api_key: String,
    pub(super) removed_api_key: String,
    /// A redirect that signed wangwu in a minute before the end, and its session.
    pub(super) delivered: Delivered,
    /// A sign-in that has only started.
    pub(super) begun: Begun,
    /// The account of each member who has one, by company and userid.
    pub(super) accounts: BTreeMap<String, i64>,
    /// The number of rows of each table.
    pub(super) rows: BTreeMap<String, i64>,
    /// The content that the program showed at the end; see [`shown`].
    pub(super) shown: Value,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownPair {
    pub(super) access: String,
    pub(super) refresh: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Delivered {
    pub(super) address: String,
    pub(super) browser: String,
    pub(super) cookie: String,
}

impl Delivered {
    pub(super) fn state(&self) -> &str {
        self.address.rsplit_once("state=").unwrap().1
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Begun {
    pub(super) state: String,
    pub(super) browser: String,
}

impl From<Pair> for KnownPair {
    fn from(pair: Pair) -> Self {
        Self { access: pair.access, refresh: pair.refresh }
    }
}

impl Known {
    pub(super) async fn write(&self, database: &Database, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        database.save(folder).await;
        let text = serde_json::to_string_pretty(self).unwrap() + "\n";
        std::fs::write(folder.join(database.known_file()), text).unwrap();
    }

    pub(super) fn read(database: &Database, folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join(database.known_file())).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// Both companies as they are at the end.
pub(super) fn companies_at_the_end(wecom: &Simulator) {
    hire_temps(wecom);
    let company = wecom.edit(sample::CORP_ID, |company| company.remove_member(LEAVER));
    assert!(company.unwrap().is_some());
    change_second_company(wecom);
}

fn hire_temps(wecom: &Simulator) {
    let edited = wecom.edit(sample::CORP_ID, |company| {
        for number in 1..=TEMPS {
            let userid = format!("temp{number:02}");
            company.put_member(Member::new(userid, format!("季工{number}"), &[FINANCE]));
        }
    });
    edited.unwrap();
}

fn change_second_company(wecom: &Simulator) {
    let edited = wecom.edit(sample::SECOND_CORP_ID, |company| {
        company.put_member(Member::new(NEWCOMER, "江南", &[1]));
        company.remove_member("heshui")
    });
    assert!(edited.unwrap().is_some());
}

/// Limits the app's visible scope to the departments below the root, except [`FINANCE`].
pub(super) fn narrow(wecom: &Simulator) {
    see(wecom, &[2, 5, 6]);
}

pub(super) fn widen(wecom: &Simulator) {
    see(wecom, &[1]);
}

fn see(wecom: &Simulator, departments: &[i64]) {
    let edited = wecom.edit(sample::CORP_ID, |company| {
        company.edit_app(sample::AGENT_ID, |app| app.scope.departments = departments.to_vec())
    });
    assert!(edited.unwrap());
}

/// Signs a member in through an instance; the browser then has the session.
pub(super) async fn sign_in(world: &World, instance: &str, user_id: &str) -> Browser {
    let browser = world.browser();
    let state = world.state_of(&browser, instance).await;
    browser.get(&redirect(&code(world, instance, user_id), &state)).await;
    assert_eq!(browser.me().await.as_deref(), Some(user_id));
    browser
}

/// A code for a member, as WeCom sends it to the app of an instance.
pub(super) fn code(world: &World, instance: &str, user_id: &str) -> String {
    let (corp_id, agent_id) = match instance {
        "Old" => (sample::CORP_ID, sample::OLD_AGENT_ID),
        "Second" => (sample::SECOND_CORP_ID, sample::SECOND_AGENT_ID),
        _ => (sample::CORP_ID, sample::AGENT_ID),
    };
    world.wecom.issue_code(CodeRequest::member(corp_id, agent_id, user_id))
}

/// The answer of GET /console/api/sync, once no sync is running.
pub(super) async fn synchronised(by: &Browser) -> Value {
    found("no sync is under way", async || {
        let told = by.get_json("/console/api/sync").await.json()["data"].clone();
        if told["running"] == json!([]) { Ok(told) } else { Err(told) }
    })
    .await
}

/// Runs a sync of an instance's app to its end; returns its run.
pub(super) async fn synchronise(by: &Browser, instance: &str) -> Value {
    let begun = by.post_json("/console/api/sync", &json!({"instance": instance})).await.json();
    assert_eq!(begun["data"]["started"], json!([instance]), "{begun}");
    synchronised(by).await["runs"][0].clone()
}

/// Plays the story on a new server, and stops the server.
pub(super) async fn play(database: &Database) -> Known {
    let mut world = server(database, BEGINNING).start().await;
    let store = database.store().await;
    hire_temps(&world.wecom);
    let admin = administrator(&world).await;
    for instance in [ELEMENT, OLD, SECOND] {
        world.advance(Duration::from_mins(1));
        let run = synchronise(&admin, instance).await;
        assert_eq!(run["outcome"], "complete", "{run}");
    }
    let (api_key, removed_api_key) = keys_and_accounts(&world, &store, &admin).await;
    world.advance(Duration::from_mins(1));
    let [member_cookie, second_cookie, signed_out_cookie] = sign_ins(&world).await;
    let (leavers_cookie, leavers_pair) = departure(&world).await;
    world.advance(Duration::from_hours(1));
    syncs_without_end(&world, &admin).await;
    world.advance(Duration::from_mins(1));
    let (pair, refreshed) = programs(&world).await;
    let (delivered, begun) = sign_ins_under_way(&world).await;
    event_that_waits(&world).await;

    world.advance(Duration::from_secs(1));
    let known = Known {
        at: world.now(),
        key: database.key(),
        admin_cookie: cookie(&admin),
        member_cookie,
        second_cookie,
        signed_out_cookie,
        leavers_cookie,
        pair,
        refreshed,
        leavers_pair,
        accounts: accounts(&admin).await,
        shown: shown(&world, &store, &api_key).await,
        api_key,
        removed_api_key,
        delivered,
        begun,
        rows: BTreeMap::new(),
    };
    store.close().await;
    world.stop();
    world.stopped().await;
    Known { rows: database.rows().await, ..known }
}

/// The administrator signs in and consents to sharing their details.
async fn administrator(world: &World) -> Browser {
    let admin = world.browser();
    let state = world.state(&admin).await;
    let consent = CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, "zhangsan");
    let consent = consent.scope(CodeScope::PrivateInfo(SensitiveField::ALL.to_vec()));
    admin.get(&redirect(&world.wecom.issue_code(consent), &state)).await;
    assert_eq!(admin.get_json("/me").await.json()["mobile"], "13800000001");
    admin
}

/// Members sign in, by each way to get an account. Returns the cookies of lisi, of a member of the second company, and of a
/// member who has signed out.
async fn sign_ins(world: &World) -> [String; 3] {
    let member = sign_in(world, "Example", "lisi").await;
    bind_second_identity(world, &member).await;
    for (instance, user_id) in [("Example", "wangwu"), ("Old", "qianqi"), ("Example", "wu10")] {
        sign_in(world, instance, user_id).await;
    }
    let second = sign_in(world, "Second", "heshui").await;
    let signed_out = sign_in(world, "Example", "qianqi").await;
    let cookies = [&member, &second, &signed_out].map(cookie);
    assert_eq!(signed_out.post_json("/logout", &json!({})).await.status.as_u16(), 200);
    cookies
}

/// A member with two sessions leaves the company.
async fn departure(world: &World) -> (String, KnownPair) {
    let (browser, program) = (sign_in(world, "Example", LEAVER).await, FrontEnd::program(world));
    let (cookie, pair) = (cookie(&browser), program.pair(world, LEAVER).await);
    world.advance(Duration::from_mins(1));
    let left = world.wecom.edit(sample::CORP_ID, |company| company.remove_member(LEAVER));
    assert!(left.unwrap().is_some());
    Sender::contacts(world).change(&events::member("delete_user", LEAVER)).await;
    assert_eq!((browser.me().await, program.me(&pair.access).await), (None, None));
    world.settle().await;
    (cookie, pair.into())
}

/// One sync holds its removals, and another one is interrupted after it has read the members.
async fn syncs_without_end(world: &World, admin: &Browser) {
    narrow(&world.wecom);
    let run = synchronise(admin, ELEMENT).await;
    assert_eq!((&run["outcome"], &run["held"]), (&json!("held"), &json!(HELD)), "{run}");

    change_second_company(&world.wecom);
    world.wecom.fault(Fault::new("user/get", FaultKind::Errcode { code: 60_020 }));
    let run = synchronise(admin, SECOND).await;
    assert_eq!((&run["outcome"], &run["phase"]), (&Value::Null, &json!("leavers")), "{run}");
    world.wecom.clear_faults();
}

/// Sessions of two programs, of which one has refreshed its pair, and a request with a guessed API key.
async fn programs(world: &World) -> (KnownPair, [KnownPair; 2]) {
    let program = FrontEnd::program(world);
    let pair = program.pair(world, "wangwu").await;
    let first = program.pair(world, "lisi").await;
    let refresh = json!({"refreshToken": first.refresh, "retryKey": RETRY_KEY});
    let second = Pair::of(&program.refresh(&refresh).await.json());
    let guess = format!("wecom-login-key_{}", "a".repeat(43));
    let page = with_key(&world.browser(), Method::GET, "/console/api/accounts", &guess, &Value::Null).await;
    assert_eq!(page.status.as_u16(), 403);
    (pair.into(), [first.into(), second.into()])
}

/// Sends an event that has to wait, because WeCom does not answer.
async fn event_that_waits(world: &World) {
    world.wecom.reset_calls();
    world.wecom.fault(Fault::new("user/get", FaultKind::Errcode { code: -1 }));
    Sender::contacts(world).change(&events::member("update_user", "wangwu")).await;
    until("user/get is called", async || world.wecom.calls_of("user/get") > 0).await;
}

fn cookie(browser: &Browser) -> String {
    browser.cookie(SESSION_COOKIE).unwrap()
}

/// Adds and removes API keys as the command does, imports accounts, and binds one as an administrator. Returns the remaining
/// key and the removed one.
async fn keys_and_accounts(world: &World, store: &Store, admin: &Browser) -> (String, String) {
    let keys = keys_of(world, store);
    let [key, removed] = [keys.add("hr").await, keys.add("former").await].map(|key| {
        let key = key.unwrap().unwrap();
        key.secret().expose().to_owned()
    });
    assert!(keys.remove("former").await.unwrap());

    let list = format!(
        "username,mobile,email,corpId,userId\nboss,13900000001,boss@example.com,{corp},qianqi\nwangwu,,,{corp},\nclerk,,,{corp},\n",
        corp = sample::CORP_ID
    );
    let browser = world.browser();
    let request = browser
        .request(Method::POST, "/console/api/accounts/import")
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "text/csv");
    let imported = browser.send(request.body(list)).await.json();
    assert_eq!(imported["data"]["created"], 3, "{imported}");
    let binding = json!({"username": "clerk", "corpId": sample::CORP_ID, "userId": "wu10"});
    let bound = admin.post_json("/console/api/accounts/bind", &binding).await.json();
    assert_eq!(bound["errcode"], 0, "{bound}");
    (key, removed)
}

/// The member binds the member of the second company that has the same userid, zhangsan.
async fn bind_second_identity(world: &World, browser: &Browser) {
    let page = browser.get(&format!("/login?bind=1&element={SECOND}&return_to=/")).await;
    let (_, rest) = page.text.split_once("&#38;state=").unwrap();
    let state: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    let page = browser.get(&redirect(&code(world, "Second", "zhangsan"), &state)).await;
    assert!(page.location().ends_with('/'), "{page:?}");
}

/// A redirect that WeCom may deliver again, and a sign-in whose code has not arrived yet.
async fn sign_ins_under_way(world: &World) -> (Delivered, Begun) {
    let browser = world.browser();
    let address = world.redirect(&browser, "wangwu").await;
    browser.get(&address).await;
    let delivered =
        Delivered { address, browser: browser.cookie(BROWSER_COOKIE).unwrap(), cookie: cookie(&browser) };
    let browser = world.browser();
    let state = world.state(&browser).await;
    (delivered, Begun { state, browser: browser.cookie(BROWSER_COOKIE).unwrap() })
}

/// The account number of each member who has an account.
pub(super) async fn accounts(admin: &Browser) -> BTreeMap<String, i64> {
    let told = admin.get_json("/console/api/accounts?size=500").await.json();
    let mut accounts = BTreeMap::new();
    for row in told["data"]["rowDatas"].as_array().unwrap() {
        let former = row["formerMembers"].as_array().unwrap();
        for member in row["members"].as_array().unwrap().iter().chain(former) {
            let name = |key: &str| member[key].as_str().unwrap();
            accounts.insert(format!("{}/{}", name("corpId"), name("userId")), row["id"].as_i64().unwrap());
        }
    }
    accounts
}
