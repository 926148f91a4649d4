//! The commands, one file each.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod apikey;
pub(crate) mod backup;
pub(crate) mod config;
#[cfg(feature = "simulator")]
pub(crate) mod demo;
pub(crate) mod new;
mod place;
mod progress;
pub(crate) mod serve;
pub(crate) mod session;
#[cfg(feature = "simulator")]
pub(crate) mod simulate;
pub(crate) mod sync;

/// What the command was to work on is not there; the program ends with the exit code 3.
#[derive(Debug)]
pub(crate) struct NotThere(String);

impl std::fmt::Display for NotThere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotThere {}
