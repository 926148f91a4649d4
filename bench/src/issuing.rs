//! The cost of issuing states: GET /login and getLoginConfig in turn, against GET /healthz at the same rate in the same run.
//!
//! The server is a process of its own, with SQLite. Eight connections send 1,000 requests a second in all, at fixed times,
//! whether or not the answers come (an open loop); a latency counts from the time at which the request should have been sent,
//! so that a server which stalls cannot hide it. Seconds of /healthz and of issuing alternate. `--seconds` sets how many of
//! each there are.
//!
//! Goals: the 99th percentile of issuing is at most twice that of /healthz; no row of key_values, no growth of the data folder
//! or of the server's memory beyond the server's own work. Exits with status 1 if a goal is missed. Load and server share the
//! machine.
//!
//! With `--flood` the connections send one request after another instead, for `--seconds` (60 by default), and only growth is
//! a goal.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wecom_login_model::{Clock as _, SystemClock};
use wecom_login_simulator::{Options, Simulator};
use wecom_login_store::Store;
use wecom_login_testkit::app::{FUNCTIONS, free_addresses, write_app};
use wecom_login_testkit::program::{Program, command};
use wecom_login_testkit::wait::PATIENCE;

use crate::{Result, number};

const CONNECTIONS: usize = 8;
/// Requests per second, over all connections.
const RATE: u32 = 1_000;
const RATIO_GOAL: f64 = 2.0;
/// Growth of the server's memory that is not counted: its allocator takes memory in pieces, and worker threads warm up.
const MEMORY_NOISE: i64 = 4 * 1024 * 1024;
/// Growth of the data folder that is not counted: once a minute the server's own work writes some pages of the write-ahead log.
const DISK_NOISE: i64 = 64 * 1024;
/// Linux counts CPU time in these units (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What a connection asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Health,
    Issuing,
}

pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let is_flood = words.contains(&"--flood");
    let seconds = u32::try_from(number(words, "--seconds", if is_flood { 60 } else { 10 })?)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let server = runtime.block_on(Server::start())?;
    let mut load = Load::connect(&server.address)?;
    // Warms both sides up; the first state makes the database file grow.
    load.at_fixed_rate(Kind::Issuing, 1)?;
    let before = runtime.block_on(server.size())?;
    let is_fast = if is_flood {
        flood(&server, &mut load, seconds)?;
        true
    } else {
        alternate(&server, &mut load, seconds)?
    };
    let after = runtime.block_on(server.size())?;
    let has_grown = report_growth(before, after)?;
    Ok(if is_fast && !has_grown { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures both kinds in turn; returns true if the ratio is within its goal.
fn alternate(server: &Server, load: &mut Load, seconds: u32) -> Result<bool> {
    let (mut health, mut issuing) = (Series::default(), Series::default());
    for _ in 0..seconds {
        for (kind, series) in [(Kind::Health, &mut health), (Kind::Issuing, &mut issuing)] {
            let busy = server.busy()?;
            series.latencies.extend(load.at_fixed_rate(kind, 1)?);
            series.busy += server.busy()? - busy;
        }
    }
    let mut out = std::io::stdout().lock();
    for (name, series) in [("GET /healthz", &mut health), ("/login and getLoginConfig", &mut issuing)] {
        series.latencies.sort_unstable();
        writeln!(
            out,
            "{name}: {} requests at {RATE} a second over {CONNECTIONS} connections; median {:.2} ms, p99 {:.2} ms, largest \
             {:.2} ms; {:.0} µs of server CPU for each",
            series.latencies.len(),
            series.quantile(0.5),
            series.quantile(0.99),
            series.quantile(1.0),
            series.cpu_per_request(),
        )?;
    }
    let ratio = issuing.quantile(0.99) / health.quantile(0.99);
    writeln!(
        out,
        "p99 of issuing / p99 of /healthz: {ratio:.1} (goal: at most {RATIO_GOAL}); issuing costs {:.0} µs of server CPU more \
         than /healthz",
        issuing.cpu_per_request() - health.cpu_per_request(),
    )?;
    Ok(ratio <= RATIO_GOAL)
}

/// Sends as many requests as the server answers.
fn flood(server: &Server, load: &mut Load, seconds: u32) -> Result<()> {
    let busy = server.busy()?;
    let count = load.at_full_speed(Duration::from_secs(seconds.into()))?;
    let busy = server.busy()? - busy;
    writeln!(
        std::io::stdout(),
        "{count} requests for /login and getLoginConfig in {seconds} s over {CONNECTIONS} connections: {:.0} a second; {:.0} µs \
         of server CPU for each",
        f64::from(count) / f64::from(seconds),
        busy * 1e6 / f64::from(count),
    )?;
    Ok(())
}

/// Reports how the server has grown; returns true if it has.
fn report_growth(before: Size, after: Size) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    let rows = after.rows - before.rows;
    let (disk, memory) = (after.disk - before.disk, after.memory - before.memory);
    writeln!(out, "rows of key_values: {} before, {} after (goal: no more)", before.rows, after.rows)?;
    let kib = |bytes: i64| bytes / 1024;
    writeln!(
        out,
        "data folder: {} KiB before, {} KiB after (goal: no more but {} KiB of the server's own work)",
        kib(before.disk),
        kib(after.disk),
        kib(DISK_NOISE),
    )?;
    writeln!(
        out,
        "memory of the server: {} KiB before, {} KiB after (goal: no more but {} KiB of noise)",
        kib(before.memory),
        kib(after.memory),
        kib(MEMORY_NOISE),
    )?;
    Ok(rows > 0 || disk > DISK_NOISE || memory > MEMORY_NOISE)
}

/// The measurements of one kind.
#[derive(Debug, Default)]
struct Series {
    latencies: Vec<Duration>,
    /// Seconds of server CPU.
    busy: f64,
}

impl Series {
    /// A quantile of the sorted latencies, in milliseconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into some thousands of latencies"
    )]
    fn quantile(&self, part: f64) -> f64 {
        let index = (self.latencies.len() as f64 * part).ceil() as usize;
        let latency = self.latencies.get(index.saturating_sub(1));
        latency.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    }

    /// Microseconds of server CPU for each request.
    #[expect(clippy::cast_precision_loss, reason = "some thousands of latencies")]
    fn cpu_per_request(&self) -> f64 {
        self.busy * 1e6 / self.latencies.len() as f64
    }
}

/// The sizes that must not grow, in bytes.
#[derive(Debug, Clone, Copy)]
struct Size {
    rows: i64,
    disk: i64,
    memory: i64,
}

/// A server in a process of its own.
struct Server {
    program: Program,
    address: String,
    data: PathBuf,
    _wecom: Simulator,
    _folder: TempDir,
}

impl Server {
    async fn start() -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("wecom-login");
        if !program.exists() {
            return Err(format!("{} is not there: scripts/bench builds it", program.display()).into());
        }
        let (wecom, folder) = (Simulator::start(Options::default()).await?, tempfile::tempdir()?);
        let address = free_addresses(1).remove(0);
        write_app(folder.path(), &wecom, &format!("http://{address}"));
        let (app, data) = (folder.path().join("app"), folder.path().join("data"));
        let mut serve = command(&program, &["serve", "--listen", &address]);
        serve.arg("--app").arg(app).arg("--data").arg(&data);
        let mut program = Program::start(serve);
        program.is_ready();
        Ok(Self { program, address, data, _wecom: wecom, _folder: folder })
    }

    async fn size(&self) -> Result<Size> {
        let store = Store::open_sqlite(&self.data.join("wecom-login.db")).await?;
        let rows = store.rows(SystemClock.now()).await?.key_values;
        store.close().await;
        Ok(Size { rows, disk: size_of(&self.data)?, memory: self.memory()? })
    }

    /// The resident memory of the process, in bytes.
    fn memory(&self) -> Result<i64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.program.id()))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        Ok(resident.ok_or("no VmRSS")?.parse::<i64>()? * 1024)
    }

    /// The CPU time of the process so far, in seconds.
    fn busy(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.program.id()))?;
        // The fields after the command's name in parentheses; user and system time are the 14th and 15th of all.
        let fields = stat.rsplit_once(") ").ok_or("no name in stat")?.1;
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<f64>);
        Ok(ticks.sum::<std::result::Result<f64, _>>()? / TICKS_PER_SECOND)
    }
}

/// The sum of the sizes of a folder's files, in bytes.
fn size_of(folder: &Path) -> Result<i64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        sum += if metadata.is_dir() { size_of(&entry.path())? } else { i64::try_from(metadata.len())? };
    }
    Ok(sum)
}

/// The connections.
struct Load(Vec<Connection>);

impl Load {
    fn connect(address: &str) -> Result<Self> {
        let connections = (0..CONNECTIONS).map(|_| Connection::open(address));
        Ok(Self(connections.collect::<Result<_>>()?))
    }

    /// Sends requests at fixed times for so many seconds; returns the latencies, each from the time at which its request
    /// should have been sent.
    fn at_fixed_rate(&mut self, kind: Kind, seconds: u32) -> Result<Vec<Duration>> {
        let start = Instant::now() + Duration::from_millis(10);
        let (apart, connections) = (Duration::from_secs(1) / RATE, u32::try_from(CONNECTIONS)?);
        self.together(|first, connection| {
            let mut latencies = Vec::new();
            for turn in (first..RATE * seconds).step_by(CONNECTIONS) {
                let intended = start + apart * turn;
                std::thread::sleep(intended.saturating_duration_since(Instant::now()));
                connection.ask(kind, turn / connections)?;
                latencies.push(intended.elapsed());
            }
            Ok(latencies)
        })
        .map(|latencies| latencies.concat())
    }

    /// Sends one request after another for this time; returns how many were answered.
    fn at_full_speed(&mut self, time: Duration) -> Result<u32> {
        let end = Instant::now() + time;
        let counts = self.together(|_, connection| {
            let mut count = 0;
            while Instant::now() < end {
                connection.ask(Kind::Issuing, count)?;
                count += 1;
            }
            Ok(count)
        })?;
        Ok(counts.iter().sum())
    }

    /// Runs `what` for each connection in a thread of its own, with the number of the connection.
    fn together<T: Send>(
        &mut self,
        what: impl Fn(u32, &mut Connection) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let what = &what;
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..).zip(&mut self.0).map(|(number, one)| scope.spawn(move || what(number, one))).collect();
            threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")?).collect()
        })
    }
}

struct Connection {
    stream: TcpStream,
    health: String,
    login: String,
    config: String,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: text/html\r\n\r\n");
        let config = format!(
            "POST {FUNCTIONS}/getLoginConfig HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: 2\r\n\r\n{{}}"
        );
        Ok(Self { stream, health: get("/healthz"), login: get("/login"), config, buffer: Vec::new() })
    }

    /// Sends the request of this turn and reads its answer. An answer that holds nothing of what was asked for is an error.
    fn ask(&mut self, kind: Kind, turn: u32) -> Result<()> {
        let (request, expected) = match (kind, turn.is_multiple_of(2)) {
            (Kind::Health, _) => (&self.health, "ok"),
            (Kind::Issuing, true) => (&self.login, "state="),
            (Kind::Issuing, false) => (&self.config, "\"state\":"),
        };
        self.stream.write_all(request.as_bytes())?;
        let answer = self.receive()?;
        if !answer.starts_with("HTTP/1.1 200") || !answer.contains(expected) {
            return Err(format!("unexpected answer: {answer}").into());
        }
        Ok(())
    }

    /// The next answer, head and body.
    fn receive(&mut self) -> Result<&str> {
        self.buffer.clear();
        loop {
            let mut part = [0; 16 * 1024];
            let read = self.stream.read(&mut part)?;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            self.buffer.extend_from_slice(&part[..read]);
            let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.buffer[..end])?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.ok_or("an answer without content-length")?.parse()?;
            if self.buffer.len() >= end + 4 + length {
                return Ok(std::str::from_utf8(&self.buffer)?);
            }
        }
    }
}
