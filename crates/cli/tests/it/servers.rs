//! A PostgreSQL and a Redis of the test's own, which it may stop and start again.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tempfile::TempDir;
use wecom_login_testkit::wait::{PATIENCE, attended};

use crate::app::free_addresses;
use crate::program::output;

/// A PostgreSQL with one empty database.
pub(crate) struct OwnPostgres {
    server: Server,
    address: String,
    /// Outlives the server.
    _folder: TempDir,
}

impl OwnPostgres {
    pub(crate) fn start() -> Self {
        Self::start_with(&[], |_| ())
    }

    /// With further settings, such as `ssl=on`, and the files in its folder that they name.
    pub(crate) fn start_with(settings: &[&str], files: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        files(folder.path());
        let account = account();
        let run = {
            let folder = folder.path().to_owned();
            move |program: &str| {
                let mut command = Command::new(binary(program));
                command.current_dir(&folder);
                if let Some((user, group)) = account {
                    command.uid(user).gid(group);
                }
                command
            }
        };
        if let Some((user, group)) = account {
            let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
            for path in files.chain([folder.path().to_owned()]) {
                std::os::unix::fs::chown(path, Some(user), Some(group)).unwrap();
            }
        }
        let mut initdb = run("initdb");
        initdb.args(["-D", "data", "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-N"]);
        let output = output(initdb);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

        let address = free_addresses(1).remove(0);
        let port = address.rsplit_once(':').unwrap().1.to_owned();
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        let server = Server::new("database system is ready to accept connections", move || {
            let mut command = run("postgres");
            command.args(["-D", "data", "-p", &port, "-h", "127.0.0.1", "-k", "", "-F"]);
            for setting in &settings {
                command.args(["-c", setting]);
            }
            command
        });
        Self { server, address, _folder: folder }
    }

    /// The setting `database`, with these parameters, such as `sslmode=disable`.
    pub(crate) fn url(&self, parameters: &str) -> String {
        format!("postgres://tests@{}/postgres?{parameters}", self.address)
    }

    /// As an operator stops it: whoever is connected is cut off.
    pub(crate) fn stop(&mut self) {
        self.server.stop(libc::SIGINT);
    }

    pub(crate) fn start_again(&mut self) {
        self.server.start();
    }
}

pub(crate) struct OwnRedis {
    server: Server,
    address: String,
    _folder: TempDir,
}

impl OwnRedis {
    pub(crate) fn start() -> Self {
        Self::start_with(&[], |_| ())
    }

    /// With further arguments, and the files in its folder that they name. With `--tls-port` it listens for TLS alone.
    pub(crate) fn start_with(arguments: &[&str], files: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        files(folder.path());
        let address = free_addresses(1).remove(0);
        let port = address.rsplit_once(':').unwrap().1.to_owned();
        let arguments: Vec<String> = arguments.iter().map(|word| word.replace("PORT", &port)).collect();
        let path = folder.path().to_owned();
        let server = Server::new("Ready to accept connections", move || {
            let mut command = Command::new(binary("redis-server"));
            command.current_dir(&path).args(["--port", &port, "--bind", "127.0.0.1", "--save", ""]);
            command.args(&arguments);
            command
        });
        Self { server, address, _folder: folder }
    }

    /// The setting `redis`, under this scheme.
    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    pub(crate) fn stop(&mut self) {
        self.server.stop(libc::SIGKILL);
    }

    pub(crate) fn start_again(&mut self) {
        self.server.start();
    }
}

/// A process that answers once it has said so.
struct Server {
    command: Box<dyn Fn() -> Command + Send + Sync>,
    says: &'static str,
    running: Option<Child>,
}

impl Server {
    fn new(says: &'static str, command: impl Fn() -> Command + Send + Sync + 'static) -> Self {
        let mut server = Self { command: Box::new(command), says, running: None };
        server.start();
        server
    }

    fn start(&mut self) {
        let mut command = (self.command)();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (said, lines) = std::sync::mpsc::channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let said = said.clone();
            // Read to the end, or it would wait for a reader one day.
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = said.send(line);
                }
            });
        }
        drop(said);
        self.running = Some(child);
        let mut log = Vec::new();
        let end = Instant::now() + PATIENCE;
        while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(self.says) {
                return;
            }
            log.push(line);
        }
        panic!("it ended, or took longer than {PATIENCE:?}, before it answered:\n{}", log.join("\n"));
    }

    fn stop(&mut self, signal: i32) {
        let mut child = self.running.take().unwrap();
        let status = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
        assert!(status.unwrap().success());
        let (_, late) = attended(child.id(), || child.wait().unwrap());
        // Not while it reports another failure.
        assert!(!late || std::thread::panicking(), "it did not end within {PATIENCE:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.running.is_some() {
            // PostgreSQL's processes go with it.
            self.stop(libc::SIGINT);
        }
    }
}

/// `scripts/with-servers` finds the programs and says where.
fn binary(name: &str) -> String {
    let variable = format!("WECOM_LOGIN_TEST_{}_PROGRAM", name.replace('-', "_").to_uppercase());
    std::env::var(&variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run this with scripts/with-servers"))
}

/// PostgreSQL refuses to run as root; whom it runs as then.
fn account() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().parse().unwrap())
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let user = if id(&["-u", "postgres"]).is_some() { "postgres" } else { "nobody" };
    Some((id(&["-u", user]).unwrap(), id(&["-g", user]).unwrap()))
}
