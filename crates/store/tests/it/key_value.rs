use std::time::Duration;

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use wecom_login_store::{Claimed, Counter, KeyValue};

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
    a_claim_is_won_once_and_its_winner_alone_may_replace_it,
    what_was_issued_before_values_were_lost_is_not_claimed,
    of_many_claims_one_wins,
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

async fn a_claim_is_won_once_and_its_winner_alone_may_replace_it(fresh: Fresh) {
    let values = fresh.store.key_value();
    values.begin_epoch(NOW).await.unwrap();
    let claim = async |value: &str, now| values.claim("state", value, NOW, now, now + MINUTE).await.unwrap();
    let Claimed::Won(version) = claim("first", NOW).await else { panic!() };
    assert_eq!(claim("second", NOW).await, Claimed::Held);
    let entry = values.get("state", NOW).await.unwrap().unwrap();
    assert_eq!((entry.value.as_str(), entry.version), ("first", version));
    assert!(!values.replace("state", version + 1, "stolen", NOW + MINUTE).await.unwrap());
    assert!(values.replace("state", version, "spent", NOW + MINUTE).await.unwrap());
    assert_eq!(claim("third", NOW).await, Claimed::Held);
    assert!(matches!(claim("anew", NOW + MINUTE).await, Claimed::Won(_)), "after its expiry");
}

/// An empty store, which a Redis without a disk is after its restart, knows nothing of what was claimed before.
async fn what_was_issued_before_values_were_lost_is_not_claimed(fresh: Fresh) {
    let values = fresh.store.key_value();
    let claim =
        async |key: &str, issued_at, now| values.claim(key, "", issued_at, now, now + MINUTE).await.unwrap();
    let found_empty = NOW + MINUTE;
    assert_eq!(claim("one", NOW, found_empty).await, Claimed::Lost);
    assert_eq!(claim("one", NOW, found_empty).await, Claimed::Lost, "it stays lost");
    assert!(matches!(claim("two", found_empty, found_empty).await, Claimed::Won(_)));
    let before = NOW + MINUTE - Duration::from_millis(1);
    assert_eq!(claim("three", before, found_empty).await, Claimed::Lost);
    values.begin_epoch(NOW + MINUTE * 2).await.unwrap();
    assert!(
        matches!(claim("four", found_empty, found_empty).await, Claimed::Won(_)),
        "the first epoch stays"
    );
    values.purge(NOW + MINUTE * 1_000_000, 100).await.unwrap();
    assert!(
        matches!(claim("five", found_empty, found_empty).await, Claimed::Won(_)),
        "the epoch never expires"
    );
}

async fn of_many_claims_one_wins(fresh: Fresh) {
    fresh.store.key_value().begin_epoch(NOW).await.unwrap();
    let claims = race(&fresh, |number, values| async move {
        values.claim("state", &number.to_string(), NOW, NOW, NOW + MINUTE).await.unwrap()
    });
    let claims = claims.await;
    assert_eq!(claims.iter().filter(|claim| matches!(claim, Claimed::Won(_))).count(), 1);
    assert_eq!(claims.iter().filter(|claim| **claim == Claimed::Held).count(), claims.len() - 1);
}
