//! The `wecom-login` program, as a library: the Python package runs the same one, with Types of its own.

mod commands;
mod logging;
mod output;
mod stop;
mod values;

use std::ffi::OsString;
use std::time::Duration;

use clap::{Parser, Subcommand};
use wecom_login_element::Environment;
use wecom_login_server::Server;
use wecom_login_store::Act;

/// What a blocking call gets that is still under way when all is done, such as a name server that does not answer or an
/// element's own code: nobody can end it but the process.
const LAST_CALLS: Duration = Duration::from_secs(1);

/// What a program that holds this one adds to it.
pub trait Host: Sync {
    /// Adds Types of its own.
    fn register(&self, environment: Environment) -> Environment {
        environment
    }

    /// The server has read its app and is about to answer.
    fn opened(&self, server: &Server) {
        let _ = server;
    }
}

/// The program by itself.
#[derive(Debug, Clone, Copy)]
pub struct Alone;

impl Host for Alone {}

/// Sign in to any app with WeCom (企业微信).
///
/// Exit codes: 0 done or stopped by a signal; 1 it failed, the error says why; 2 the command line is wrong; 3 what the
/// command was to work on is not there; 130 and 143 ended at once by a second signal. `sync` has others; see its help.
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
    /// Bring the local copy of the organisation up to date.
    Sync(commands::sync::Arguments),
    /// Look after accounts and the members who are bound to them.
    #[command(subcommand)]
    Account(commands::account::Command),
    /// See which accounts administer, and confirm one after a change of person.
    #[command(subcommand)]
    Admin(commands::admin::Command),
    /// Make, list and remove the keys of programs that administer.
    #[command(subcommand)]
    Apikey(commands::apikey::Command),
    /// See who is signed in, and sign people out.
    #[command(subcommand)]
    Session(commands::session::Command),
    /// Copy the SQLite database while the server runs.
    Backup(commands::backup::Arguments),
    /// Look at settings and elements without starting.
    #[command(subcommand)]
    Config(commands::config::Command),
    /// Run the WeCom simulator alone, on this machine only.
    #[cfg(feature = "simulator")]
    Simulate(commands::simulate::Arguments),
}

/// Runs the program to its end, with the command line as the system gives it, and gives its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>, host: &dyn Host) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    logging::start();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let done = runtime.block_on(Act::of("command line").scope(async {
        match arguments.command {
            #[cfg(feature = "simulator")]
            Command::Demo(arguments) => commands::demo::run(arguments, host).await,
            Command::Serve(arguments) => commands::serve::run(arguments, host).await,
            Command::New(arguments) => commands::new::run(arguments),
            Command::Sync(arguments) => return commands::sync::run(arguments, host).await,
            Command::Account(command) => commands::account::run(command, host).await,
            Command::Admin(command) => commands::admin::run(command).await,
            Command::Apikey(command) => commands::apikey::run(command).await,
            Command::Session(command) => commands::session::run(command).await,
            Command::Backup(arguments) => commands::backup::run(arguments).await,
            Command::Config(command) => commands::config::run(command, host).await,
            #[cfg(feature = "simulator")]
            Command::Simulate(arguments) => commands::simulate::run(arguments).await,
        }
        .map(|()| 0)
    }));
    runtime.shutdown_timeout(LAST_CALLS);
    match done {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> u8 {
    if error.is::<output::ReaderGone>() {
        return 0;
    }
    output::complain(error);
    if error.is::<commands::NotThere>() { 3 } else { 1 }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// Adds a call that blocks for as long as the test lives, as a name server may that does not answer.
    struct Stuck(Mutex<Option<Receiver<()>>>);

    impl Host for Stuck {
        fn register(&self, environment: Environment) -> Environment {
            if let Some(end) = self.0.lock().unwrap().take() {
                tokio::task::spawn_blocking(move || end.recv());
            }
            environment
        }
    }

    #[test]
    fn a_call_that_blocks_does_not_keep_the_program() {
        let (app, (end, blocked)) = (tempfile::tempdir().unwrap(), channel());
        let host = Stuck(Mutex::new(Some(blocked)));
        let (told, done) = channel();
        let app = app.path().to_owned();
        std::thread::spawn(move || {
            let arguments = ["wecom-login", "config", "check", "--app"].map(OsString::from);
            run(arguments.into_iter().chain([app.into_os_string()]), &host);
            let was_called = host.0.lock().unwrap().is_none();
            told.send(was_called).unwrap();
        });
        let ended = done.recv_timeout(Duration::from_mins(1));
        assert!(ended.expect("it waits for the call"));
        drop(end);
    }
}
