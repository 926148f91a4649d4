//! The storage suite: what every backend must keep.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod accounts;
mod auth_model;
mod auth_model_random;
mod key_value;
mod members;
mod sessions;
mod token_pairs;

use tempfile::TempDir;
use wecom_login_model::Timestamp;
use wecom_login_store::Store;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

struct Fresh {
    store: Store,
    folder: TempDir,
}

async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
    Fresh { store, folder }
}

#[tokio::test]
async fn opening_again_keeps_what_was_written() {
    let Fresh { store, folder } = fresh().await;
    let later = NOW + std::time::Duration::from_mins(1);
    assert!(store.key_value().insert("key", "value", NOW, later).await.unwrap());
    store.close().await;

    let again = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
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
