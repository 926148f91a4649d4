//! The benchmarks, by name: `scripts/bench NAME`. Each prints its results, and fails below its goal.

mod cold_sign_ins;
mod contact_events;
mod issuing;
mod organisation_sync;
mod sign_ins_during_sync;
mod simulator_load;
mod simulator_size;
mod token_cache;

use std::error::Error;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.split_first() {
        Some((&"token_cache", _)) => Ok(token_cache::run()),
        Some((&"simulator_load", _)) => simulator_load::run(),
        Some((&"simulator_size", _)) => simulator_size::run(),
        Some((&"organisation_sync", more)) => organisation_sync::run(more),
        Some((&"contact_events", _)) => contact_events::run(),
        Some((&"issuing", more)) => issuing::run(more),
        Some((&"cold_sign_ins", more)) => cold_sign_ins::run(more),
        _ => Err("there is no benchmark of that name: scripts/bench lists them".into()),
    }
}

/// The number after an option.
fn number(words: &[&str], name: &str, default: usize) -> Result<usize> {
    match words.iter().position(|word| *word == name) {
        None => Ok(default),
        Some(at) => Ok(words.get(at + 1).ok_or_else(|| format!("a number must follow {name}"))?.parse()?),
    }
}
