//! Checks that the simulator can replace WeCom under load. Two goals in one run: a company of 100,000 members loads in less
//! than 2 s, and `auth/getuserinfo` with fresh codes answers at least 20,000 times per second on one core.
//!
//! The simulator has a thread with a single-threaded runtime of its own; the load comes from another thread over 32 keep-alive
//! connections with one request each at a time (no pipelining). Both goals apply to the CPU time of the simulator's thread, so
//! that a busy machine does not change the result; on systems other than Linux, where it is unknown, to elapsed time. Exits
//! with status 1 below a goal.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::Result;
use tokio::sync::oneshot;
use wecom_login_simulator::{CodeRequest, Company, Options, Simulator, sample};
use wecom_login_testkit::wait::PATIENCE;

const MEMBERS: usize = 100_000;
const DEPARTMENTS: usize = 1_000;
const CALLS: usize = 200_000;
const CONNECTIONS: usize = 32;
const LOAD_GOAL: Duration = Duration::from_secs(2);
const RATE_GOAL: f64 = 20_000.0;

/// The message from the simulator's thread to the load's thread.
struct Ready {
    port: u16,
    codes: Vec<String>,
    loaded_in: Times,
    /// The file in which Linux counts the thread's CPU time.
    schedstat: String,
}

pub(crate) fn run() -> Result<ExitCode> {
    let (tell, ready) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let simulator = std::thread::spawn(move || simulate(&tell, stopped));
    let Ready { port, codes, loaded_in, schedstat } = ready.recv()?;

    let mut load = Load::connect(port)?;
    let path = format!("/cgi-bin/gettoken?corpid={}&corpsecret={}", sample::CORP_ID, sample::SECRET);
    let answer = load.get(&path)?;
    let answer: serde_json::Value = serde_json::from_str(&answer)?;
    let token = answer["access_token"].as_str().ok_or("gettoken gave no token")?;

    let (measured, warm_up) = codes.split_at(CALLS);
    load.redeem(token, warm_up)?;
    let watch = Watch::start(schedstat);
    load.redeem(token, measured)?;
    let answered_in = watch.read();
    let _ = stop.send(());
    simulator.join().map_err(|_| "the simulator's thread panicked")??;

    let rate = |time: Duration| f64::from(u32::try_from(CALLS).unwrap_or(0)) / time.as_secs_f64();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "company of {MEMBERS} members in {DEPARTMENTS} departments: {:.2} s of core time, {:.2} s by the clock \
         (goal: under {} s)",
        loaded_in.on_core.as_secs_f64(),
        loaded_in.by_the_clock.as_secs_f64(),
        LOAD_GOAL.as_secs(),
    )?;
    writeln!(
        out,
        "auth/getuserinfo: {:.0} requests per second of core time, {:.0} by the clock; the simulator used {:.0} % \
         of its core ({CALLS} fresh codes over {CONNECTIONS} connections; goal: {RATE_GOAL:.0})",
        rate(answered_in.on_core),
        rate(answered_in.by_the_clock),
        1e2 * answered_in.on_core.as_secs_f64() / answered_in.by_the_clock.as_secs_f64(),
    )?;
    let reached = loaded_in.on_core < LOAD_GOAL && rate(answered_in.on_core) >= RATE_GOAL;
    writeln!(out, "{}", if reached { "both goals reached" } else { "BELOW A GOAL" })?;
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The body of the simulator's thread.
fn simulate(tell: &mpsc::Sender<Ready>, stopped: oneshot::Receiver<()>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let thread = std::fs::read_link("/proc/thread-self").unwrap_or_default();
        let schedstat = format!("/proc/{}/schedstat", thread.display());
        let watch = Watch::start(schedstat.clone());
        let company = Company::generated(MEMBERS, DEPARTMENTS, 7);
        let sim = Simulator::start(Options { companies: vec![company], ..Options::default() }).await?;
        let loaded_in = watch.read();
        // A tenth more codes than measured, to warm both sides up.
        let codes = (0..CALLS + CALLS / 10)
            .map(|number| {
                let userid = format!("m{:06}", 3 + number % (MEMBERS - 2));
                sim.issue_code(CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, userid))
            })
            .collect();
        tell.send(Ready { port: sim.port(), codes, loaded_in, schedstat })?;
        let _ = stopped.await;
        Ok(())
    })
}

/// Measures a thread's CPU time and the elapsed time.
struct Watch {
    schedstat: String,
    begun: Instant,
    busy: Option<Duration>,
}

struct Times {
    on_core: Duration,
    by_the_clock: Duration,
}

impl Watch {
    fn start(schedstat: String) -> Self {
        let busy = busy(&schedstat);
        Self { schedstat, begun: Instant::now(), busy }
    }

    fn read(&self) -> Times {
        let by_the_clock = self.begun.elapsed();
        let on_core = busy(&self.schedstat).zip(self.busy).map(|(now, before)| now.saturating_sub(before));
        Times { on_core: on_core.unwrap_or(by_the_clock), by_the_clock }
    }
}

/// The CPU time of the thread so far; unknown on systems other than Linux.
fn busy(schedstat: &str) -> Option<Duration> {
    let text = std::fs::read_to_string(schedstat).ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

struct Load {
    connections: Vec<Connection>,
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Load {
    fn connect(port: u16) -> Result<Self> {
        let connect = |_| {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            Ok(Connection { stream, buffer: Vec::with_capacity(1024) })
        };
        Ok(Self { connections: (0..CONNECTIONS).map(connect).collect::<Result<_>>()? })
    }

    fn get(&mut self, path: &str) -> Result<String> {
        let connection = self.connections.first_mut().ok_or("no connection")?;
        connection.send(path)?;
        connection.receive().map(str::to_owned)
    }

    /// Redeems each code once; an answer without a member is an error.
    fn redeem(&mut self, token: &str, codes: &[String]) -> Result<()> {
        for round in codes.chunks(CONNECTIONS) {
            for (connection, code) in self.connections.iter_mut().zip(round) {
                connection.send(&format!("/cgi-bin/auth/getuserinfo?access_token={token}&code={code}"))?;
            }
            for connection in self.connections.iter_mut().take(round.len()) {
                let body = connection.receive()?;
                if !body.contains(r#""errcode":0"#) || !body.contains(r#""userid":"m"#) {
                    return Err(format!("unexpected answer: {body}").into());
                }
            }
        }
        Ok(())
    }
}

impl Connection {
    fn send(&mut self, path: &str) -> Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        Ok(self.stream.write_all(request.as_bytes())?)
    }

    /// Receives the body of the next answer.
    fn receive(&mut self) -> Result<&str> {
        self.buffer.clear();
        loop {
            let mut chunk = [0; 4096];
            let read = self.stream.read(&mut chunk)?;
            if read == 0 {
                return Err("the simulator closed the connection".into());
            }
            self.buffer.extend_from_slice(&chunk[..read]);
            let text = std::str::from_utf8(&self.buffer)?;
            let Some(end) = text.find("\r\n\r\n") else { continue };
            let length: usize = text[..end]
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .ok_or("an answer without content-length")?
                .parse()?;
            if self.buffer.len() >= end + 4 + length {
                return Ok(std::str::from_utf8(&self.buffer[end + 4..])?);
            }
        }
    }
}
