use std::path::Path;
use std::process::Command;

pub(crate) use wecom_login_testkit::program::{Ended, Program, http, output};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_wecom-login");

/// The program with an environment of its own: settings of the caller's shell do not reach it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    wecom_login_testkit::program::command(Path::new(PROGRAM), arguments)
}
