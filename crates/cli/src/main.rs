//! `wecom-login`: sign in to any app with WeCom (企业微信).

mod commands;
mod logging;
mod stop;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Sign in to any app with WeCom (企业微信).
///
/// Exit codes: 0 done or stopped by a signal; 1 it failed, the error says why; 2 the command line is wrong.
#[derive(Debug, Parser)]
#[command(name = "wecom-login", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it out: a simulated company and the server, on this machine only.
    #[cfg(feature = "simulator")]
    Demo(commands::demo::Arguments),
    /// Run the server for an app folder.
    Serve(commands::serve::Arguments),
    /// Run the WeCom simulator alone, on this machine only.
    #[cfg(feature = "simulator")]
    Simulate(commands::simulate::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logging::start();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let done = runtime.block_on(async {
        match arguments.command {
            #[cfg(feature = "simulator")]
            Command::Demo(arguments) => commands::demo::run(arguments).await,
            Command::Serve(arguments) => commands::serve::run(arguments).await,
            #[cfg(feature = "simulator")]
            Command::Simulate(arguments) => commands::simulate::run(arguments).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

#[expect(clippy::print_stderr, reason = "the program's last word")]
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("wecom-login: {error:#}");
    ExitCode::FAILURE
}
