//! PostgreSQL goes away, at rest and half-way: what is told, and that nothing is lost or done by halves.

use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection};
use wecom_login_model::{Fingerprint, MemberRef};
use wecom_login_store::{PostgresOptions, Store};

use crate::backends::{address, empty_database, register};
use crate::wire::{State, Wire};
use crate::{NOW, until};

const MINUTE: Duration = Duration::from_mins(1);

struct World {
    store: Store,
    wire: Wire,
    /// Not over the wire.
    beside: PgConnection,
    url: String,
}

async fn world() -> World {
    let url = address(&empty_database().await);
    let (_, rest) = url.split_once('@').unwrap();
    let (server, rest) = rest.split_once('/').unwrap();
    let wire = Wire::to(server.to_owned()).await;
    let over = format!("postgres://tests@{}/{rest}", wire.address);
    let store = Store::open_postgres(&PostgresOptions::parse(&over, 4).unwrap()).await.unwrap();
    World { store, wire, beside: PgConnection::connect(&url).await.unwrap(), url }
}

fn who() -> MemberRef {
    "wwA/zhangsan".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn a_server_that_restarts_is_found_again_and_a_read_does_not_notice() {
    let mut world = world().await;
    let values = world.store.key_value();
    assert!(values.insert("key", "value", NOW, NOW + MINUTE).await.unwrap());
    // What a restart does to connections.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..3 {
        world.beside.execute(end).await.unwrap();
        assert_eq!(values.get("key", NOW).await.unwrap().unwrap().value, "value");
    }
    assert!(values.insert("other", "", NOW, NOW + MINUTE).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn while_it_is_gone_everything_is_unavailable_and_afterwards_it_works() {
    let world = world().await;
    let values = world.store.key_value();
    world.store.check().await.unwrap();
    world.wire.set(State::Cut);
    assert!(world.store.check().await.unwrap_err().is_unavailable());
    let error = values.insert("key", "", NOW, NOW + MINUTE).await.unwrap_err();
    assert!(error.is_unavailable() && !error.is_outcome_unknown(), "it never got there: {error}");
    assert!(register(&world.store, &who()).await.unwrap_err().is_unavailable());
    world.wire.set(State::Open);
    assert!(values.insert("key", "", NOW, NOW + MINUTE).await.unwrap());
    register(&world.store, &who()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn a_write_whose_answer_is_lost_is_not_sent_again_and_says_so() {
    let world = world().await;
    let values = world.store.key_value();
    values.increment("failures", NOW, NOW + MINUTE).await.unwrap();
    world.wire.set(State::LosesTheAnswerTo("failures"));
    let error = values.increment("failures", NOW, NOW + MINUTE).await.unwrap_err();
    assert!(error.is_outcome_unknown() && error.is_unavailable(), "{error:?}");
    assert_eq!(values.counter("failures", NOW).await.unwrap().count, 2, "this one had come to pass, once");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn a_transaction_that_is_cut_half_way_never_was() {
    let mut world = world().await;
    world.beside.execute("BEGIN; LOCK TABLE bindings IN EXCLUSIVE MODE").await.unwrap();
    let registering = tokio::spawn({
        let store = world.store.clone();
        async move { register(&store, &who()).await }
    });
    // The account is made, and the binding waits for the lock.
    let waits =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                 AND query LIKE 'INSERT INTO bindings%'";
    // Within a transaction the answer would stay the same.
    let mut looking = PgConnection::connect(&world.url).await.unwrap();
    until("the binding waits for the lock", async || {
        assert!(!registering.is_finished(), "it should wait");
        looking.fetch_optional(waits).await.unwrap().is_some()
    })
    .await;
    world.wire.set(State::Cut);
    let error = registering.await.unwrap().unwrap_err();
    assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
    world.beside.execute("ROLLBACK").await.unwrap();
    world.wire.set(State::Open);
    assert_eq!(world.store.accounts(0, 10).await.unwrap().1, 0);
    assert_eq!(register(&world.store, &who()).await.unwrap().username.as_str(), "zhangsan");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn what_somebody_else_holds_for_too_long_is_busy_and_nothing_is_written() {
    let mut world = world().await;
    world.beside.execute("BEGIN; LOCK TABLE api_keys IN EXCLUSIVE MODE").await.unwrap();
    let error = world.store.add_api_key("backup", Fingerprint::of("key"), NOW).await.unwrap_err();
    assert!(error.is_busy() && !error.is_outcome_unknown(), "{error:?}");
    world.beside.execute("ROLLBACK").await.unwrap();
    assert!(world.store.add_api_key("backup", Fingerprint::of("key"), NOW).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn what_a_constraint_refuses_is_told_without_the_values_of_the_row() {
    let mut world = world().await;
    world.beside.execute("ALTER TABLE api_keys ADD CHECK (name <> 'hidden')").await.unwrap();
    let error = world.store.add_api_key("hidden", Fingerprint::of("key"), NOW).await.unwrap_err();
    assert!(!error.is_unavailable() && !format!("{error} {error:?}").contains("hidden"), "{error:?}");
}
