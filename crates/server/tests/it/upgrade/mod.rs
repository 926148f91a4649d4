//! Opens a database that an earlier version wrote, and checks that nothing in it is lost.
//!
//! * [`story`]: uses a server so that every table has rows, and records the expected content;
//! * [`checks`]: checks this content through the public interfaces of the program;
//! * [`faces`]: reads what these interfaces show;
//! * [`database`]: creates databases, and loads and saves them in folders of `tests/fixtures`.
//!
//! The databases in `tests/fixtures/database-*` are never changed. Later versions add their own: see the README there.

mod checks;
mod database;
mod faces;
mod story;

use std::path::{Path, PathBuf};

use serde_json::json;
use wecom_login_model::{MemberRef, Timestamp};
use wecom_login_simulator::sample;

use self::database::Database;
use self::story::Known;
use crate::events;
use crate::world::{Builder, world};

/// The folder to which the stories write their database.
const WRITE: &str = "WECOM_LOGIN_WRITE_DATABASE";

const OLD: &str = "auths.loginTypes.Old";
const SECOND: &str = "auths.loginTypes.Second";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The server of the story, on this database. The port and the simulator may differ: the instances have the same names,
/// companies and apps.
fn server(database: &Database, at: Timestamp) -> Builder {
    let mut example = events::keys();
    example["scope"] = json!("snsapi_privateinfo");
    example["bindBy"] = json!("userId");
    let old = json!({"corpSecret": sample::OLD_SECRET, "agentId": sample::OLD_AGENT_ID});
    let second = json!({
        "corpId": sample::SECOND_CORP_ID,
        "corpSecret": sample::SECOND_SECRET,
        "agentId": sample::SECOND_AGENT_ID,
        "contactSecret": sample::SECOND_CONTACT_SECRET,
    });
    let storage = database.settings();
    let settings = move |settings: &mut wecom_login_server::Settings| {
        storage(settings);
        let admin: MemberRef = format!("{}/zhangsan", sample::CORP_ID).parse().unwrap();
        settings.administrators.admins = [admin].into_iter().collect();
    };
    world().config(example).instance("Old", old).instance("Second", second).settings(settings).at(at)
}

/// Plays the story and checks everything. With `WECOM_LOGIN_WRITE_DATABASE` it also writes the database and the expected
/// content to that folder.
async fn write_and_find(database: Database) {
    let known = story::play(&database).await;
    if let Some(folder) = std::env::var_os(WRITE) {
        known.write(&database, Path::new(&folder)).await;
    }
    checks::find_everything(&database, &known).await;
}

async fn open_and_find(database: Database, folder: &Path) {
    let known = Known::read(&database, folder);
    database.load(folder, &known.key).await;
    checks::find_everything(&database, &known).await;
}

#[tokio::test]
async fn nothing_is_lost_when_the_server_opens_its_own_database_again() {
    write_and_find(Database::sqlite()).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test -p wecom-login-server --test it upgrade -- --ignored"]
async fn nothing_is_lost_when_the_server_opens_its_own_database_in_postgresql_again() {
    write_and_find(Database::postgres().await).await;
}

#[tokio::test]
async fn a_database_of_3da44a7_opens_and_nothing_is_lost() {
    open_and_find(Database::sqlite(), &fixture("database-3da44a7")).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test -p wecom-login-server --test it upgrade -- --ignored"]
async fn a_postgresql_database_of_3da44a7_opens_and_nothing_is_lost() {
    open_and_find(Database::postgres().await, &fixture("database-3da44a7")).await;
}
