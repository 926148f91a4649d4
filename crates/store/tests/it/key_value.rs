use std::time::Duration;

use crate::{NOW, fresh};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn insert_wins_once_until_the_value_expires() {
    let fresh = fresh().await;
    let values = fresh.store.key_value();
    assert!(values.insert("state", "first", NOW, NOW + MINUTE).await.unwrap());
    assert!(!values.insert("state", "second", NOW, NOW + MINUTE).await.unwrap());
    assert_eq!(values.get("state", NOW).await.unwrap().unwrap().value, "first");

    let later = NOW + MINUTE;
    assert_eq!(values.get("state", later).await.unwrap(), None);
    assert!(values.insert("state", "third", later, later + MINUTE).await.unwrap());
    assert_eq!(values.get("state", later).await.unwrap().unwrap().value, "third");
}

#[tokio::test]
async fn of_many_replacements_of_one_version_one_wins() {
    let fresh = fresh().await;
    let values = fresh.store.key_value();
    values.insert("state", "issued", NOW, NOW + MINUTE).await.unwrap();
    let read = values.get("state", NOW).await.unwrap().unwrap();

    let mut tries = tokio::task::JoinSet::new();
    for number in 0..64 {
        let values = values.clone();
        tries.spawn(async move {
            values
                .replace("state", read.version, &format!("claimed by {number}"), NOW + MINUTE)
                .await
                .unwrap()
        });
    }
    let wins = tries.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(wins, 1);
    assert_eq!(values.get("state", NOW).await.unwrap().unwrap().version, read.version + 1);
}

#[tokio::test]
async fn a_value_made_anew_is_not_the_version_that_was_read() {
    let fresh = fresh().await;
    let values = fresh.store.key_value();
    values.insert("state", "old", NOW, NOW + MINUTE).await.unwrap();
    let old = values.get("state", NOW).await.unwrap().unwrap();
    let later = NOW + MINUTE;
    values.insert("state", "new", later, later + MINUTE).await.unwrap();
    assert!(!values.replace("state", old.version, "mine", later + MINUTE).await.unwrap());
}

#[tokio::test]
async fn counters_count_within_their_window() {
    let fresh = fresh().await;
    let values = fresh.store.key_value();
    for expected in 1..=3 {
        assert_eq!(values.increment("failures", NOW, NOW + MINUTE).await.unwrap(), expected);
    }
    assert_eq!(values.count("failures", NOW).await.unwrap(), 3);
    let later = NOW + MINUTE;
    assert_eq!(values.count("failures", later).await.unwrap(), 0);
    assert_eq!(values.increment("failures", later, later + MINUTE).await.unwrap(), 1);
}

#[tokio::test]
async fn purging_takes_only_what_has_expired() {
    let fresh = fresh().await;
    let values = fresh.store.key_value();
    for number in 0..5 {
        values.insert(&format!("old/{number}"), "", NOW, NOW + MINUTE).await.unwrap();
    }
    values.insert("new", "", NOW, NOW + MINUTE * 2).await.unwrap();
    let later = NOW + MINUTE;
    assert_eq!(values.purge(later, 3).await.unwrap(), 3);
    assert_eq!(values.purge(later, 3).await.unwrap(), 2);
    assert!(values.get("new", later).await.unwrap().is_some());
}
