//! Random histories of two companies with two apps each: members, scopes, events, syncs, sign-ins, refusals, kills and steps of
//! the clock. After each step the copy is compared with a [reference model](model); after each history it must be what the apps
//! see.
//!
//! The test command runs a few with fixed seeds; `scripts/histories --seeds N` runs more.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod history;
mod model;
mod world;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use history::{Step, run, steps};
use world::Database;

/// Histories of the test command.
const FEW: u64 = 60;

/// The seeds of this run: `HISTORIES` many, beginning with `HISTORIES_FROM`.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
    };
    let from = number("HISTORIES_FROM", 0);
    from..from + number("HISTORIES", FEW)
}

fn steps_of(seed: u64) -> Vec<Step> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    steps().new_tree(&mut runner).unwrap().current()
}

/// Runs the histories of all seeds; of one that fails, the shortest form that is found is told.
async fn histories(mut database: impl AsyncFnMut() -> Database) {
    let (mut ran, seeds) = (0, seeds());
    for seed in seeds {
        let mut failing = steps_of(seed);
        let Err(mut problem) = run(database().await, &failing).await else {
            ran += 1;
            continue;
        };
        // Leaves out steps as long as it fails without them.
        let mut at = 0;
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
    histories(async || Database::Sqlite(tempfile::tempdir().unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
async fn the_copy_is_what_the_model_says_on_postgresql() {
    let address = world::make_database().await;
    histories(async || Database::Postgres(address.clone())).await;
}
