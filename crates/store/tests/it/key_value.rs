use std::time::Duration;

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use wecom_login_store::{Counter, KeyValue};

use crate::NOW;
use crate::backends::{Fresh, on_every_key_value};

on_every_key_value![
    insert_wins_once_until_the_value_expires,
    of_many_insertions_one_wins,
    of_many_replacements_of_one_version_one_wins,
    of_many_increments_each_counts,
    a_replacement_moves_the_expiry,
    a_value_made_anew_is_not_the_version_that_was_read,
    counters_count_within_their_window,
    purging_takes_only_what_has_expired,
];

const MINUTE: Duration = Duration::from_mins(1);

async fn insert_wins_once_until_the_value_expires(fresh: Fresh) {
    let values = fresh.store.key_value();
    assert!(values.insert("state", "first", NOW, NOW + MINUTE).await.unwrap());
    assert!(!values.insert("state", "second", NOW, NOW + MINUTE).await.unwrap());
    assert_eq!(values.get("state", NOW).await.unwrap().unwrap().value, "first");

    let later = NOW + MINUTE;
    assert_eq!(values.get("state", later).await.unwrap(), None);
    assert!(values.insert("state", "third", later, later + MINUTE).await.unwrap());
    assert_eq!(values.get("state", later).await.unwrap().unwrap().value, "third");
}

/// What everybody's try came to; odd ones are another process's.
async fn race<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    fresh: &Fresh,
    attempt: impl Fn(usize, KeyValue) -> F,
) -> Vec<T> {
    let values = [fresh.store.key_value(), fresh.another().await.key_value()];
    let start = Arc::new(Barrier::new(64));
    let mut tries = JoinSet::new();
    for number in 0..64 {
        let (start, attempt) = (start.clone(), attempt(number, values[number % 2].clone()));
        tries.spawn(async move {
            start.wait().await;
            attempt.await
        });
    }
    tries.join_all().await
}

async fn of_many_insertions_one_wins(fresh: Fresh) {
    let values = fresh.store.key_value();
    // One that has expired makes no difference.
    let past = NOW - MINUTE;
    values.insert("state", "old", past, NOW).await.unwrap();
    let won = race(&fresh, |number, values| async move {
        values.insert("state", &number.to_string(), NOW, NOW + MINUTE).await.unwrap().then_some(number)
    });
    let won: Vec<_> = won.await.into_iter().flatten().collect();
    let kept = values.get("state", NOW).await.unwrap().unwrap().value;
    assert_eq!(won.iter().map(ToString::to_string).collect::<Vec<_>>(), [kept]);
}

async fn of_many_replacements_of_one_version_one_wins(fresh: Fresh) {
    let values = fresh.store.key_value();
    values.insert("state", "issued", NOW, NOW + MINUTE).await.unwrap();
    let read = values.get("state", NOW).await.unwrap().unwrap();
    let version = read.version;
    let won = race(&fresh, |number, values| async move {
        let value = format!("claimed by {number}");
        values.replace("state", version, &value, NOW + MINUTE).await.unwrap().then_some(value)
    });
    let won: Vec<_> = won.await.into_iter().flatten().collect();
    let kept = values.get("state", NOW).await.unwrap().unwrap();
    assert_eq!((won, kept.version), (vec![kept.value], version + 1));
}

async fn of_many_increments_each_counts(fresh: Fresh) {
    let sums =
        race(
            &fresh,
            |_, values| async move { values.increment("failures", NOW, NOW + MINUTE).await.unwrap() },
        );
    let mut sums = sums.await;
    sums.sort_unstable();
    assert_eq!(sums, (1..=64).collect::<Vec<i64>>());
}

async fn a_replacement_moves_the_expiry(fresh: Fresh) {
    let values = fresh.store.key_value();
    values.insert("state", "issued", NOW, NOW + MINUTE).await.unwrap();
    let read = values.get("state", NOW).await.unwrap().unwrap();
    assert!(values.replace("state", read.version, "kept", NOW + MINUTE * 5).await.unwrap());
    assert_eq!(values.get("state", NOW + MINUTE * 4).await.unwrap().unwrap().value, "kept");
    assert_eq!(values.get("state", NOW + MINUTE * 5).await.unwrap(), None);
    assert!(!values.replace("nothing", 1, "", NOW + MINUTE).await.unwrap());
}

async fn a_value_made_anew_is_not_the_version_that_was_read(fresh: Fresh) {
    let values = fresh.store.key_value();
    values.insert("state", "old", NOW, NOW + MINUTE).await.unwrap();
    let old = values.get("state", NOW).await.unwrap().unwrap();
    let later = NOW + MINUTE;
    values.insert("state", "new", later, later + MINUTE).await.unwrap();
    assert!(!values.replace("state", old.version, "mine", later + MINUTE).await.unwrap());
}

async fn counters_count_within_their_window(fresh: Fresh) {
    let values = fresh.store.key_value();
    for expected in 1..=3 {
        assert_eq!(values.increment("failures", NOW, NOW + MINUTE).await.unwrap(), expected);
    }
    let later = NOW + MINUTE;
    // The window is that of the first increment.
    assert_eq!(values.increment("failures", NOW + MINUTE / 2, later + MINUTE).await.unwrap(), 4);
    assert_eq!(values.counter("failures", NOW).await.unwrap(), Counter { count: 4, until: later });
    assert_eq!(values.counter("failures", later).await.unwrap(), Counter { count: 0, until: later });
    assert_eq!(values.increment("failures", later, later + MINUTE).await.unwrap(), 1);
}

async fn purging_takes_only_what_has_expired(fresh: Fresh) {
    let values = fresh.store.key_value();
    for number in 0..5 {
        values.insert(&format!("old/{number}"), "", NOW, NOW + MINUTE).await.unwrap();
    }
    values.insert("new", "", NOW, NOW + MINUTE * 2).await.unwrap();
    let later = NOW + MINUTE;
    let purged = [values.purge(later, 3).await.unwrap(), values.purge(later, 3).await.unwrap()];
    assert_eq!(purged, if fresh.is_redis() { [0, 0] } else { [3, 2] }, "Redis does it by itself");
    assert!(values.get("new", later).await.unwrap().is_some());
}
