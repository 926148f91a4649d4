//! The one way to standard output, and the program's last word on standard error.
//!
//! A reader that has gone away (`| head`) is no failure: what was to be done is done all the same, without output, and a
//! list ends.

use std::fmt::{Display, Write as _};
use std::io::{self, Write as _};

/// The reader of a list has gone away. The program ends quietly.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the output any more")]
pub(crate) struct ReaderGone;

/// Writes a line at once, for a program that waits for it. Without a reader it is dropped.
pub(crate) fn say(text: impl Display) -> anyhow::Result<()> {
    match line(&text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Writes a line of a list. Without a reader the list ends, with [`ReaderGone`].
pub(crate) fn say_row(text: impl Display) -> anyhow::Result<()> {
    match line(&text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        other => Ok(other?),
    }
}

fn line(text: &dyn Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Says why the program fails, if anybody reads it.
pub(crate) fn complain(error: &anyhow::Error) {
    // `eprintln!` panics when standard error is a pipe without a reader.
    let _ = writeln!(io::stderr(), "wecom-login: {}", message(error));
}

/// The error and its causes in one line. Errors of libraries may hold their cause in their text, as the logs need it: what
/// has been said is not said again.
fn message(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if message.is_empty() {
            message = text;
        } else if !message.contains(&text) {
            let _ = write!(message, ": {text}");
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("nope.toml: {source}")]
    struct Twice {
        source: io::Error,
    }

    /// F38: the same error of the system stood two or three times in one line.
    #[test]
    fn a_cause_is_said_once() {
        let not_found = || io::Error::from(io::ErrorKind::NotFound);
        let error = anyhow::Error::from(Twice { source: not_found() });
        assert_eq!(message(&error), "nope.toml: entity not found");
        let error = Err::<(), _>(Twice { source: not_found() }).context("settings").unwrap_err();
        assert_eq!(message(&error), "settings: nope.toml: entity not found");
        let error = Err::<(), _>(not_found()).context("nope.toml").unwrap_err();
        assert_eq!(message(&error), "nope.toml: entity not found");
    }
}
