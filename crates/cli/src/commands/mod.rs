//! The commands, one file each.

#[cfg(feature = "simulator")]
pub(crate) mod demo;
pub(crate) mod serve;
#[cfg(feature = "simulator")]
pub(crate) mod simulate;

use std::io::Write as _;

/// Writes a line to standard output at once, for a program that waits for it.
fn say(text: impl std::fmt::Display) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}
