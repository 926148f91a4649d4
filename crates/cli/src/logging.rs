//! Logs go to standard error, so that standard output stays readable by programs.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging at `info`, or as `RUST_LOG` says; a process that logs already goes on as it does.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        // It would say so on standard error, where nobody reads any more, and panic.
        .log_internal_errors(false)
        .try_init();
}
