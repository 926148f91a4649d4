//! A running `wecom-login` process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::wait::{PATIENCE, attended};

/// Completes when a program has ended.
pub type Ended = tokio::sync::oneshot::Receiver<()>;

/// A process that is killed when it is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
}

/// A command that does not inherit settings from the environment of the test.
pub fn command(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| name.starts_with("WECOM_LOGIN_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG");
    command
}

/// Runs a command until it ends.
pub fn output(mut command: Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (output, late) = attended(child.id(), || child.wait_with_output().unwrap());
    assert!(
        !late,
        "{command:?} did not end within {PATIENCE:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

impl Program {
    /// Starts a command.
    pub fn start(mut command: Command) -> Self {
        Self { child: command.spawn().unwrap() }
    }

    /// Starts a command and reads the line of JSON that it prints when it is ready.
    pub fn start_json(mut command: Command) -> (Self, Value) {
        command.stderr(Stdio::null());
        let mut program = Self::start(command);
        let mut line = String::new();
        let mut output = BufReader::new(program.child.stdout.take().unwrap());
        let (_, late) = attended(program.id(), || output.read_line(&mut line).unwrap());
        assert!(!late, "it said nothing within {PATIENCE:?}");
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        (program, ready)
    }

    /// Waits until a line of the log has this text; returns the rest of the log, which the caller must read.
    pub fn wait_for_log(&mut self, text: &str) -> BufReader<std::process::ChildStderr> {
        self.wait_for_logs(&[text])
    }

    fn wait_for_logs(&mut self, texts: &[&str]) -> BufReader<std::process::ChildStderr> {
        let mut log = BufReader::new(self.child.stderr.take().unwrap());
        let (mut seen, mut missing) = (String::new(), texts.to_vec());
        let read = || {
            while !missing.is_empty() {
                let begin = seen.len();
                if log.read_line(&mut seen).unwrap() == 0 {
                    break;
                }
                missing.retain(|text| !seen[begin..].contains(text));
            }
        };
        let ((), late) = attended(self.id(), read);
        let problem = if late { "it took too long" } else { "it ended" };
        assert!(missing.is_empty(), "{problem} before {missing:?}: {seen}");
        log
    }

    /// Starts a server and waits until it is ready; its later log is discarded.
    pub fn start_ready(command: Command) -> Self {
        let mut program = Self::start(command);
        program.is_ready();
        program
    }

    /// Waits until a server is ready. Its later log is read and discarded, so that the pipe does not fill up.
    pub fn is_ready(&mut self) {
        self.is_ready_and_says(&[]);
    }

    /// Waits until a server is ready and has logged these texts, in any order.
    pub fn is_ready_and_says(&mut self, more: &[&str]) {
        let mut log = self.wait_for_logs(&[&["ready"], more].concat());
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, by number.
    pub fn signal(&self, signal: i32) {
        let status = Command::new("kill").arg(format!("-{signal}")).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Completes when the process has ended.
    pub fn ended(&mut self) -> Ended {
        let mut output = self.child.stdout.take().unwrap();
        let (tell, ended) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut output, &mut std::io::sink());
            let _ = tell.send(());
        });
        ended
    }

    /// Kills the process like a power failure: no signal handler runs.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end of the process; returns the exit code and the rest of standard error.
    pub fn finish(mut self) -> (Option<i32>, String) {
        let (process, mut text) = (self.id(), String::new());
        let end = || {
            if let Some(mut stderr) = self.child.stderr.take() {
                stderr.read_to_string(&mut text).unwrap();
            }
            self.child.wait().unwrap()
        };
        let (status, late) = attended(process, end);
        assert!(!late, "it did not end within {PATIENCE:?}: {text}");
        (status.code(), text)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that follows no redirects and keeps no connections open: if the server closed a kept connection just when the
/// client reused it, the request would fail, where a real browser retries.
pub fn http() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .timeout(std::time::Duration::from_secs(30))
        .build()
        .unwrap()
}
