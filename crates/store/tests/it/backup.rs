use wecom_login_store::{BackupError, Store};

use crate::NOW;
use crate::backends::{Fresh, on_every_database};
use crate::sessions::begin;

on_every_database![a_copy_has_what_was_there_and_one_of_a_server_is_refused];

async fn a_copy_has_what_was_there_and_one_of_a_server_is_refused(fresh: Fresh) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy's.db");
    begin(&fresh.store, "s1", "token", None).await.unwrap();
    match fresh.store.backup(&path).await {
        Ok(()) => {}
        Err(BackupError::NotSqlite) if fresh.is_postgres() => return,
        Err(error) => panic!("{error}"),
    }
    assert!(!fresh.is_postgres());
    begin(&fresh.store, "s2", "token 2", None).await.unwrap();
    let copy = Store::open_sqlite(&path).await.unwrap();
    assert!(copy.session_by_id("s1", NOW).await.unwrap().is_some());
    assert!(copy.session_by_id("s2", NOW).await.unwrap().is_none());
    copy.close().await;

    let left = std::fs::metadata(&path).unwrap().len();
    let error = fresh.store.backup(&path).await.unwrap_err();
    assert!(matches!(&error, BackupError::Exists(found) if *found == path), "{error}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), left);
    let nowhere = folder.path().join("no/such/copy.db");
    assert!(matches!(fresh.store.backup(&nowhere).await, Err(BackupError::File { .. })));
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["copy's.db"], "no draft is left");
}
