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
    /// Write a new sign-in instance into an app folder.
    New(commands::new::Arguments),
    /// Look after accounts and the members who are bound to them.
    #[command(subcommand)]
    Account(commands::account::Command),
    /// Make, list and remove the keys of programs that administer.
    #[command(subcommand)]
    Apikey(commands::apikey::Command),
    /// Look at settings and elements without starting.
    #[command(subcommand)]
    Config(commands::config::Command),
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
            Command::New(arguments) => commands::new::run(arguments),
            Command::Account(command) => commands::account::run(command).await,
            Command::Apikey(command) => commands::apikey::run(command).await,
            Command::Config(command) => commands::config::run(command).await,
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
