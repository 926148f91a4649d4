//! Measures a sync of a whole company: 100,000 members in 2,000 departments (`--members` and `--departments` set other
//! numbers).
//!
//! The simulator, a bare downloader and the sync are separate processes. The downloader makes the same calls as the sync with
//! the same concurrency, over plain connections, and discards the answers: it is the lower bound for a sync. A real WeCom is
//! remote, so `user/list` takes 20 ms (`--latency` sets another time; 0 shows the cost of the sync itself). Goals: one
//! `user/list` for each department; at most 1.5 times the downloader's time; at most 2 s for SQLite, measured as CPU time of
//! its thread where Linux counts it, so that a busy machine does not change the result; a second sync writes no row; peak
//! memory (VmHWM). Exits with status 1 if a goal is missed.
//!
//! With `--postgres` the local copy is in the PostgreSQL of `scripts/with-servers`, and its time has no goal. With more than
//! 100,000 members no time has a goal, and the goal for memory is higher.
//!
//! With `--sign-ins` it measures sign-ins during a sync instead (`sign_ins_during_sync.rs`).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::{Result, number, sign_ins_during_sync};
use serde_json::{Value, json};
use wecom::{Budget, Client, Endpoints, Transport};
use wecom_login_directory::{Directory, SyncOptions, SyncSource};
use wecom_login_model::{AgentId, CorpId, Secret, SystemClock};
use wecom_login_simulator::{Company, Options, Simulator, sample};
use wecom_login_store::{PostgresOptions, Store};
use wecom_login_testkit::wait::PATIENCE;

/// The number of concurrent calls, as in a sync.
const AT_ONCE: usize = 8;
const TIMES_THE_DOWNLOADER: f64 = 1.5;
/// Stands for PostgreSQL in place of the database's path.
const POSTGRES: &str = "postgres";
const DATABASE: Duration = Duration::from_secs(2);

pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    match words[..] {
        ["simulate", members, departments] => simulate(members.parse()?, departments.parse()?)?,
        ["download", port, departments] => download(port.parse()?, departments.parse()?)?,
        ["sync", port, database] => sync(port.parse()?, database)?,
        _ if words.contains(&"--sign-ins") => return sign_ins_during_sync::run(words),
        _ => {
            let members = number(words, "--members", 100_000)?;
            let departments = number(words, "--departments", 2_000)?;
            let postgres = words.contains(&"--postgres");
            return measure(members, departments, number(words, "--latency", 20)?, postgres);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends its process when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts this program in another role; returns its first line of output.
fn start(role: &[String]) -> Result<(Running, Value)> {
    let mut child = Running(
        Command::new(std::env::current_exe()?)
            .arg("organisation_sync")
            .args(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    Ok((child, serde_json::from_str(&line)?))
}

fn measure(members: usize, departments: usize, latency: usize, postgres: bool) -> Result<ExitCode> {
    let folder = std::env::temp_dir().join(format!("wecom-login-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let database = if postgres { POSTGRES.to_owned() } else { folder.join("bench.db").display().to_string() };
    let result = measure_in(&database, members, departments, latency);
    std::fs::remove_dir_all(&folder)?;
    result
}

#[expect(clippy::print_stdout, reason = "what it measured")]
fn measure_in(database: &str, members: usize, departments: usize, latency: usize) -> Result<ExitCode> {
    let (_simulator, ready) = start(&["simulate".into(), members.to_string(), departments.to_string()])?;
    let port = ready["port"].to_string();
    let downloaded = || start(&["download".into(), port.clone(), departments.to_string()]);
    let synced = || start(&["sync".into(), port.clone(), database.to_owned()]).map(|(_, told)| told);
    let (kept_in, as_told) =
        if database == POSTGRES { ("PostgreSQL", true) } else { ("SQLite", members > 100_000) };
    // One download warms the simulator's caches; the measured ones are before and after the sync.
    downloaded()?;
    if latency > 0 {
        let fault = json!({"endpoint": "user/list", "kind": "latency", "ms": latency});
        Connection::open(port.parse()?)?.ask("POST", "/_sim/faults", &fault.to_string())?;
    }
    let before = downloaded()?.1["seconds"].as_f64().ok_or("seconds")?;
    request(port.parse()?, "DELETE", "/_sim/calls")?;
    let first = synced()?;
    let calls: Value = serde_json::from_slice(&request(port.parse()?, "GET", "/_sim/calls")?)?;
    let after = downloaded()?.1["seconds"].as_f64().ok_or("seconds")?;
    let second = synced()?;

    let seconds = |told: &Value, key: &str| told[key].as_f64().ok_or("a number is missing");
    let (bare, whole) = (f64::midpoint(before, after), seconds(&first, "seconds")?);
    let in_database = seconds(&first, "database")?;
    let megabytes = seconds(&first, "peak_kib")? / 1024.0;
    let memory_goal = if members > 100_000 { 300.0 } else { 100.0 };
    let lists = calls["calls"]["user/list"].as_u64();
    let goals = [
        (lists == Some(departments as u64), format!("user/list was called {lists:?} times")),
        (
            whole <= bare * TIMES_THE_DOWNLOADER || members > 100_000,
            format!("{:.2} times the downloader", whole / bare),
        ),
        (in_database <= DATABASE.as_secs_f64() || as_told, format!("{in_database:.2} s in the database")),
        (second["written"] == 0, format!("the second sync wrote {} rows", second["written"])),
        (megabytes <= memory_goal, format!("{megabytes:.0} MiB at most")),
    ];
    let on_core =
        if database == POSTGRES { String::new() } else { format!("{in_database:.2} s on its core, ") };
    println!(
        "{members} members, {departments} departments, {kept_in}: {whole:.2} s, {:.2} times a bare downloader ({bare:.2} s); \
         database {on_core}{:.2} s by the clock; peak memory {megabytes:.0} MiB; {} calls of user/list; second sync {:.2} s, \
         database {:.2} s, {} rows written",
        whole / bare,
        seconds(&first, "database_clock")?,
        lists.unwrap_or_default(),
        seconds(&second, "seconds")?,
        seconds(&second, "database")?,
        second["written"],
    );
    let missed: Vec<&String> = goals.iter().filter(|(met, _)| !met).map(|(_, text)| text).collect();
    for text in &missed {
        println!("missed: {text}");
    }
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn say(told: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{told}")?;
    Ok(out.flush()?)
}

/// Runs until its standard input closes, which happens when the parent process ends.
fn simulate(members: usize, departments: usize) -> Result<()> {
    runtime()?.block_on(async {
        let companies = vec![Company::generated(members, departments, 1)];
        let simulator = Simulator::start(Options { companies, ..Options::default() }).await?;
        say(&json!({"port": simulator.port()}))?;
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        Ok(())
    })
}

/// Sends a request to the simulator; returns the body of the answer.
fn request(port: u16, method: &str, path: &str) -> Result<Vec<u8>> {
    Connection::open(port)?.ask(method, path, "")
}

/// A keep-alive connection.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    port: u16,
}

impl Connection {
    fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, read: vec![0; 1024 * 1024], port })
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Vec<u8>> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncontent-type: application/json\r\ncontent-length: {}",
            self.port,
            body.len()
        );
        write!(self.stream, "{head}\r\n\r\n{body}")?;
        let mut answer = Vec::new();
        loop {
            let count = self.stream.read(&mut self.read)?;
            answer.extend_from_slice(&self.read[..count]);
            let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
                if count == 0 {
                    return Err("no answer".into());
                }
                continue;
            };
            let length = std::str::from_utf8(&answer[..head])?
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
                })
                .unwrap_or(0);
            let whole = head + 4 + length;
            while answer.len() < whole {
                let count = self.stream.read(&mut self.read)?;
                if count == 0 {
                    return Err("half an answer".into());
                }
                answer.extend_from_slice(&self.read[..count]);
            }
            return Ok(answer.split_off(head + 4));
        }
    }
}

/// Makes the calls of a sync, and nothing else.
fn download(port: u16, departments: usize) -> Result<()> {
    let began = Instant::now();
    let token = format!("/cgi-bin/gettoken?corpid={}&corpsecret={}", sample::CORP_ID, sample::SECRET);
    let answer: Value = serde_json::from_slice(&request(port, "GET", &token)?)?;
    let token = answer["access_token"].as_str().ok_or("no token")?.to_owned();
    for path in [format!("agent/get?agentid={}&", sample::AGENT_ID), "department/list?".to_owned()] {
        request(port, "GET", &format!("/cgi-bin/{path}access_token={token}"))?;
    }
    let next = AtomicUsize::new(1);
    let bytes = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| -> Result<usize> {
                    let (mut connection, mut bytes) = (Connection::open(port)?, 0);
                    loop {
                        let id = next.fetch_add(1, Ordering::Relaxed);
                        if id > departments {
                            return Ok(bytes);
                        }
                        let path = format!("/cgi-bin/user/list?access_token={token}&department_id={id}");
                        bytes += connection.ask("GET", &path, "")?.len();
                    }
                })
            })
            .collect();
        workers.into_iter().try_fold(0, |sum, worker| match worker.join() {
            Ok(bytes) => bytes.map(|bytes| sum + bytes),
            Err(_) => Err("a worker failed".into()),
        })
    })?;
    say(&json!({"seconds": began.elapsed().as_secs_f64(), "bytes": bytes}))
}

/// The CPU time of the threads of that name, of this process or of another one, in seconds; none where Linux does not count it
/// (schedstat).
pub(crate) fn on_core(name: &str, process: Option<u32>) -> Option<f64> {
    let mut nanos = 0_f64;
    let process = process.map_or_else(|| "self".to_owned(), |process| process.to_string());
    for task in std::fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten() {
        if std::fs::read_to_string(task.path().join("comm")).ok()?.starts_with(name) {
            let schedstat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            nanos += schedstat.split_whitespace().next()?.parse::<f64>().ok()?;
        }
    }
    (nanos > 0.0).then_some(nanos / 1e9)
}

/// Runs one sync, as the program does.
fn sync(port: u16, database: &str) -> Result<()> {
    runtime()?.block_on(async {
        let store = if database == POSTGRES {
            let url =
                std::env::var("WECOM_LOGIN_TEST_POSTGRES").map_err(|_| "run this by scripts/with-servers")?;
            Store::open_postgres(&PostgresOptions::parse(&url, 4)?).await?
        } else {
            Store::open_sqlite(Path::new(database)).await?
        };
        let directory = Directory::new(store.clone(), Arc::new(SystemClock));
        let corp_id = CorpId::parse(sample::CORP_ID)?;
        let agent_id = AgentId::parse(sample::AGENT_ID.to_string())?;
        let client = Client::builder(corp_id.clone(), Secret::new(sample::SECRET))
            .endpoints(Endpoints::default().with_api(&format!("http://127.0.0.1:{port}"))?)
            .transport(Transport::builder().build()?)
            .build()?;
        let source = SyncSource {
            instance: "bench".to_owned(),
            corp_id,
            app: client.within(Budget::of_a_company()),
            contact: None,
            others: Vec::new(),
            agent_id,
        };
        let options = SyncOptions { started_by: "bench".to_owned(), force: false, every: None };
        let began = Instant::now();
        let report = directory.sync(&source, &options, &|_| ()).await?;
        let seconds = began.elapsed().as_secs_f64();
        let core = on_core("sqlx-sqlite", None);
        store.close().await;
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        say(&json!({
            "seconds": seconds,
            "database": core.unwrap_or(report.database.as_secs_f64()),
            "database_clock": report.database.as_secs_f64(),
            "written": report.applied.written,
            "seen": report.run.seen,
            "peak_kib": peak.unwrap_or(0_u64),
        }))
    })
}
