//! Opening a database: again, by many at once, and what is no database of ours.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use wecom_login_store::{Error, PostgresOptions, Store};

use crate::NOW;
use crate::backends::{Fresh, address, empty_database, on_every_key_value, postgres};

on_every_key_value![opening_again_keeps_what_was_written];

async fn opening_again_keeps_what_was_written(fresh: Fresh) {
    let later = NOW + Duration::from_mins(1);
    assert!(fresh.store.key_value().insert("key", "value", NOW, later).await.unwrap());
    fresh.store.close().await;
    let again = fresh.another().await;
    assert_eq!(again.key_value().get("key", NOW).await.unwrap().unwrap().value, "value");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    std::fs::write(&path, "this is a text file and nothing else, long enough to have a header".repeat(20))
        .unwrap();
    assert!(Store::open_sqlite(&path).await.unwrap_err().is_corrupt());
}

#[tokio::test]
async fn a_folder_that_is_missing_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open_sqlite(&folder.path().join("no/such/test.db")).await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
}

/// Replicas that start together: one makes the tables, all of them work.
async fn open_by_many_at_once<F>(open: impl Fn() -> F)
where
    F: Future<Output = Result<Store, Error>> + Send + 'static,
{
    let start = Arc::new(Barrier::new(8));
    let mut replicas = JoinSet::new();
    for _ in 0..8 {
        let (start, open) = (start.clone(), open());
        replicas.spawn(async move {
            start.wait().await;
            open.await.unwrap()
        });
    }
    let later = NOW + Duration::from_mins(1);
    let (replicas, mut won) = (replicas.join_all().await, 0);
    for replica in &replicas {
        won += usize::from(replica.key_value().insert("key", "", NOW, later).await.unwrap());
    }
    assert_eq!(won, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_is_opened_by_many_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        open_by_many_at_once(|| {
            let path = path.clone();
            async move { Store::open_sqlite(&path).await }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn an_empty_database_is_opened_by_many_at_once() {
    let options = postgres(&empty_database().await);
    open_by_many_at_once(|| {
        let options = options.clone();
        async move { Store::open_postgres(&options).await }
    })
    .await;
}

const LATER_VERSION: &str =
    "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                             VALUES (9999, 'of a later program', true, '', 0)";

fn assert_says_that_it_is_newer(error: &Error) {
    assert!(error.is_newer(), "{error}");
    assert!(error.to_string().contains("version 9999, which a later wecom-login has made"), "{error}");
}

#[tokio::test]
async fn a_file_of_a_later_version_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    Store::open_sqlite(&path).await.unwrap().close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(LATER_VERSION).execute(&mut connection).await.unwrap();
    assert_says_that_it_is_newer(&Store::open_sqlite(&path).await.unwrap_err());
}

#[tokio::test]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn a_database_of_a_later_version_is_told_as_such() {
    let name = empty_database().await;
    Store::open_postgres(&postgres(&name)).await.unwrap().close().await;
    let mut connection = sqlx::PgConnection::connect(&address(&name)).await.unwrap();
    sqlx::query(LATER_VERSION).execute(&mut connection).await.unwrap();
    assert_says_that_it_is_newer(&Store::open_postgres(&postgres(&name)).await.unwrap_err());
}

#[tokio::test]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn a_database_that_is_missing_is_named_and_the_password_is_not() {
    let url = address("nowhere").replace("tests@", "tests:pa55word@");
    let options = PostgresOptions::parse(&url, 2).unwrap();
    assert!(!format!("{options:?}").contains("pa55word"));
    let error = Store::open_postgres(&options).await.unwrap_err();
    assert!(error.is_unavailable() && error.to_string().contains("nowhere"), "{error}");
    assert!(!format!("{error} {error:?}").contains("pa55word"));
}
