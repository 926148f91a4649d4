use wecom_login_store::Version;

use crate::NOW;
use crate::backends::{Fresh, on_every_database};
use crate::sessions::begin;

on_every_database![
    a_fresh_database_takes_writes_and_has_the_right_version,
    another_version_is_seen,
    a_table_that_is_gone_is_seen,
    rows_are_counted,
];

async fn a_fresh_database_takes_writes_and_has_the_right_version(fresh: Fresh) {
    let store = &fresh.store;
    store.check_writable(NOW).await.unwrap();
    store.check_writable(NOW).await.unwrap();
    let Version { found, expected } = store.version().await.unwrap();
    assert!(found == expected && found >= 30, "{found} {expected}");
    store.close().await;
    assert!(store.check_writable(NOW).await.unwrap_err().is_unavailable());
    assert!(store.version().await.is_err());
}

async fn another_version_is_seen(fresh: Fresh) {
    let right = fresh.store.version().await.unwrap().expected;
    fresh
        .meddle(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'later', TRUE, 'x', 1)",
        )
        .await;
    assert_eq!(fresh.store.version().await.unwrap(), Version { found: 9999, expected: right });
    fresh.meddle("DELETE FROM _sqlx_migrations WHERE version > 1").await;
    assert_eq!(fresh.store.version().await.unwrap(), Version { found: 1, expected: right });
}

async fn a_table_that_is_gone_is_seen(fresh: Fresh) {
    fresh.meddle("DROP TABLE key_values").await;
    assert!(fresh.store.check_writable(NOW).await.is_err());
    fresh.store.version().await.unwrap();
}

async fn rows_are_counted(fresh: Fresh) {
    let store = &fresh.store;
    begin(store, "s1", "a", None).await.unwrap();
    begin(store, "s2", "b", None).await.unwrap();
    store.end_session("s2", NOW, wecom_login_store::EndReason::Logout).await.unwrap();
    let rows = store.rows(NOW).await.unwrap();
    // A binding, two sign-ins and the end of a session.
    assert_eq!((rows.sessions, rows.live_sessions, rows.audit_events, rows.members), (2, 1, 4, 0));
    let later = store.rows(NOW + std::time::Duration::from_hours(1)).await.unwrap();
    assert_eq!((later.sessions, later.live_sessions), (2, 0));
}
