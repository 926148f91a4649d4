use std::time::Duration;

use wecom_login_model::{Fingerprint, Timestamp};

use crate::NOW;
use crate::backends::{Fresh, on_every_database};

on_every_database![an_api_key_is_known_by_its_fingerprint_until_it_is_removed];

async fn an_api_key_is_known_by_its_fingerprint_until_it_is_removed(fresh: Fresh) {
    let store = &fresh.store;
    let (key, other) = (Fingerprint::of("key"), Fingerprint::of("other"));
    assert!(store.add_api_key("backup", key, NOW).await.unwrap());
    assert!(!store.add_api_key("backup", other, NOW).await.unwrap(), "the name is taken");
    assert!(store.add_api_key("Backup", other, NOW).await.unwrap(), "names are told apart by case");

    let later = NOW + Duration::from_mins(90);
    let used = store.use_api_key(key, later).await.unwrap().unwrap();
    assert_eq!((used.name.as_str(), used.last_used_at), ("backup", None));
    store.use_api_key(key, later + Duration::from_mins(10)).await.unwrap().unwrap();
    let keys = store.api_keys().await.unwrap();
    assert_eq!(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["Backup", "backup"]);
    let hour = NOW.as_millis() - NOW.as_millis() % 3_600_000 + 3_600_000;
    assert_eq!(keys[1].last_used_at, Some(Timestamp::from_millis(hour)), "to the hour");

    assert!(
        store.remove_api_key("backup", NOW).await.unwrap()
            && !store.remove_api_key("backup", NOW).await.unwrap()
    );
    assert_eq!(store.use_api_key(key, later).await.unwrap(), None);
}
