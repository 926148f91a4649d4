//! Random histories of two companies with two apps each: members, scopes, events, syncs, sign-ins, refusals, kills and steps of
//! the clock. After each step the copy is compared with a [reference model](model); after each history it must be what the apps
//! see.
//!
//! The test command runs a few with fixed seeds; `scripts/histories --seeds N` runs more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "it says how many histories ran")]

mod history;
mod model;
mod steps;
mod world;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use futures_util::{StreamExt as _, stream};
use history::run;
use steps::{Step, steps};
use world::Database;

/// Histories of the test command, on SQLite and on PostgreSQL, which takes longer for each.
const FEW: [u64; 2] = [60, 8];

/// The seeds of this run: `HISTORIES` many, beginning with `HISTORIES_FROM`.
fn seeds(few: u64) -> std::ops::Range<u64> {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
    };
    let from = number("HISTORIES_FROM", 0);
    from..from + number("HISTORIES", few)
}

fn steps_of(seed: u64) -> Vec<Step> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    steps().new_tree(&mut runner).unwrap().current()
}

/// Runs the histories of all seeds, `at_once` at a time; of one that fails, the shortest form that is found is told.
async fn histories(few: u64, at_once: usize, database: impl AsyncFn() -> Database) {
    let mut outcomes = stream::iter(seeds(few))
        .map(|seed| {
            let database = database();
            async move { (seed, run(database.await, &steps_of(seed)).await) }
        })
        .buffer_unordered(at_once);
    let mut ran = 0;
    while let Some((seed, outcome)) = outcomes.next().await {
        let Err(mut problem) = outcome else {
            ran += 1;
            continue;
        };
        drop(outcomes);
        // Leaves out steps as long as it fails without them.
        let (mut failing, mut at) = (steps_of(seed), 0);
        while at < failing.len() {
            let mut fewer = failing.clone();
            fewer.remove(at);
            match run(database().await, &fewer).await {
                Err(other) => (failing, problem) = (fewer, other),
                Ok(()) => at += 1,
            }
        }
        panic!("seed {seed}: {problem}\nafter {failing:#?}");
    }
    println!("{ran} histories without a difference");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_is_what_the_model_says_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let with_tables = folder.path().join("tables.db");
    wecom_login_store::Store::open_sqlite(&with_tables).await.unwrap().close().await;
    histories(FEW[0], 4, async || Database::sqlite(&with_tables).await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn the_copy_is_what_the_model_says_on_postgresql() {
    let database = Database::postgres().await;
    database.open().await.close().await;
    histories(FEW[1], 1, async || database.clone()).await;
}
