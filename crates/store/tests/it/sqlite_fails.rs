//! The file is held by another process.

use sqlx::{Connection as _, Executor as _};
use wecom_login_model::Fingerprint;
use wecom_login_store::Store;

use crate::NOW;
use crate::backends::register;

#[tokio::test]
async fn a_file_that_another_process_holds_is_busy_and_then_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let store = Store::open_sqlite(&path).await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut beside = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    beside.execute("BEGIN EXCLUSIVE").await.unwrap();

    let who = "wwA/zhangsan".parse().unwrap();
    let (write, begun) =
        tokio::join!(store.add_api_key("backup", Fingerprint::of("key"), NOW), register(&store, &who),);
    let (write, begun) = (write.unwrap_err(), begun.unwrap_err());
    assert!(write.is_busy() && begun.is_unavailable(), "{write:?} {begun:?}");
    assert!(store.api_keys().await.unwrap().is_empty(), "readers wait for nobody");
    beside.execute("ROLLBACK").await.unwrap();
    assert!(store.add_api_key("backup", Fingerprint::of("key"), NOW).await.unwrap());
}
