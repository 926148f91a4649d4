//! The commands, one file each.

pub(crate) mod account;
pub(crate) mod apikey;
pub(crate) mod config;
#[cfg(feature = "simulator")]
pub(crate) mod demo;
pub(crate) mod new;
mod place;
mod progress;
pub(crate) mod serve;
#[cfg(feature = "simulator")]
pub(crate) mod simulate;
pub(crate) mod sync;

use std::io::Write as _;

/// Writes a line to standard output at once, for a program that waits for it.
fn say(text: impl std::fmt::Display) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}
