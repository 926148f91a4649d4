//! A running `wecom-login`, ended with the test.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub(crate) struct Program {
    child: Child,
}

/// The program with an environment of its own: settings of the caller's shell do not reach it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wecom-login"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in wecom_login_server::Settings::environment() {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG");
    command
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        Self { child: command.spawn().unwrap() }
    }

    /// Starts it and reads the line of JSON that it prints when it is ready.
    pub(crate) fn start_json(arguments: &[&str]) -> (Self, Value) {
        let mut command = command(arguments);
        command.stderr(Stdio::null());
        let mut program = Self::start(command);
        let mut line = String::new();
        BufReader::new(program.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        (program, ready)
    }

    /// Waits until a line of the log has this text.
    pub(crate) fn wait_for_log(&mut self, text: &str) -> BufReader<std::process::ChildStderr> {
        let mut log = BufReader::new(self.child.stderr.take().unwrap());
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended before {text:?}: {seen}");
            if line.contains(text) {
                return log;
            }
            seen.push_str(&line);
        }
    }

    /// Starts a server and waits until it is ready; what it logs after that is thrown away.
    pub(crate) fn start_ready(command: Command) -> Self {
        let mut program = Self::start(command);
        program.is_ready();
        program
    }

    /// Waits until a server is ready. Its log is read on, or it would wait for a reader one day.
    pub(crate) fn is_ready(&mut self) {
        let mut log = self.wait_for_log("ready");
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: i32) {
        let status = Command::new("kill").arg(format!("-{signal}")).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// True once it runs no more.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it like a power cut of the process: no signal handler runs.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; exit code and the rest of standard error.
    pub(crate) fn finish(mut self) -> (Option<i32>, String) {
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut text).unwrap();
        }
        (self.child.wait().unwrap().code(), text)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that follows no redirects and keeps no connection: one that the server closes just when it is used again is an
/// error that a real browser does not show.
pub(crate) fn http() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .timeout(std::time::Duration::from_secs(30))
        .build()
        .unwrap()
}
