//! Checks that memory and speed of the simulator do not depend on the size of the company: compares companies of 1,000,000 and
//! of 10,000 members, with departments of the same size, so that answers of `user/list` have the same length.
//!
//! Goals: the large company and all of its answers need less than 48 MiB more than the empty program, and `user/list` takes at
//! most twice as long as in the small company. All pages of `user/list_id` are read, and the time is reported without a goal.
//! Exits with status 1 below a goal.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::Result;
use serde_json::{Value, json};
use wecom_login_simulator::{Company, Options, Simulator, sample};
use wecom_login_testkit::wait::PATIENCE;

const LARGE: usize = 1_000_000;
const SMALL: usize = 10_000;
const PER_DEPARTMENT: usize = 1_000;
const CALLS: usize = 200;
const MEMORY_GOAL: u64 = 48;
const TIME_GOAL: f64 = 2.0;

/// The measurements of one company.
struct Measured {
    list: Duration,
    members: usize,
    all_ids: Duration,
    ids: usize,
}

pub(crate) fn run() -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let empty = mebibytes("VmRSS")?;
    let small = measure(&runtime, SMALL)?;
    let large = measure(&runtime, LARGE)?;
    let grown = mebibytes("VmHWM")?.saturating_sub(empty);
    let each = |measured: &Measured| {
        measured.list.as_secs_f64() / f64::from(u32::try_from(measured.members).unwrap_or(1))
    };
    let ratio = each(&large) / each(&small);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{LARGE} members: {grown} MiB at most above the empty program (goal: under {MEMORY_GOAL})"
    )?;
    writeln!(
        out,
        "user/list: {:.2} ms for {} members; per member {ratio:.2} times that of {SMALL} members (goal: at most \
         {TIME_GOAL})",
        1e3 * large.list.as_secs_f64(),
        large.members,
    )?;
    writeln!(out, "user/list_id to its end: {} rows in {:.2} s", large.ids, large.all_ids.as_secs_f64())?;
    let reached = grown < MEMORY_GOAL && ratio <= TIME_GOAL && large.ids > LARGE && small.ids > SMALL;
    writeln!(out, "{}", if reached { "both goals reached" } else { "BELOW A GOAL" })?;
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(runtime: &tokio::runtime::Runtime, members: usize) -> Result<Measured> {
    let company = Company::generated(members, members / PER_DEPARTMENT, 7);
    let sim =
        runtime.block_on(Simulator::start(Options { companies: vec![company], ..Options::default() }))?;
    let token = |secret: &str| -> Result<String> {
        let answer =
            call(&sim, "GET", &format!("gettoken?corpid={}&corpsecret={secret}", sample::CORP_ID), "")?;
        Ok(answer["access_token"].as_str().ok_or("gettoken gave no token")?.to_owned())
    };
    let (app, sync) = (token(sample::SECRET)?, token(sample::CONTACT_SECRET)?);
    let departments = members / PER_DEPARTMENT;
    let (mut fastest, mut listed) = (Duration::MAX, 0);
    for number in 0..CALLS {
        let path = format!("user/list?department_id={}&access_token={app}", 1 + number % departments);
        let begun = Instant::now();
        let answer = exchange(&sim, "GET", &path, "")?;
        let took = begun.elapsed();
        if took < fastest {
            let answer: Value = serde_json::from_slice(&answer)?;
            (fastest, listed) = (took, answer["userlist"].as_array().ok_or("no userlist")?.len());
        }
    }
    let (begun, mut ids, mut cursor) = (Instant::now(), 0, json!(""));
    loop {
        let body = json!({"cursor": cursor, "limit": 10_000}).to_string();
        let answer = call(&sim, "POST", &format!("user/list_id?access_token={sync}"), &body)?;
        ids += answer["dept_user"].as_array().ok_or("no dept_user")?.len();
        cursor = answer["next_cursor"].clone();
        if cursor == "" {
            break;
        }
    }
    let all_ids = begun.elapsed();
    runtime.block_on(sim.shutdown());
    Ok(Measured { list: fastest, members: listed, all_ids, ids })
}

fn call(sim: &Simulator, method: &str, path: &str, body: &str) -> Result<Value> {
    Ok(serde_json::from_slice(&exchange(sim, method, path, body)?)?)
}

/// Sends one request on a connection of its own; returns the body.
fn exchange(sim: &Simulator, method: &str, path: &str, body: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", sim.port()))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} /cgi-bin/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or("no end of the head")?;
    Ok(answer.split_off(end + 4))
}

/// A line of /proc/self/status in mebibytes, such as current or peak resident memory.
fn mebibytes(line: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let text =
        status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).ok_or("no such line")?;
    Ok(text.trim().trim_end_matches(" kB").parse::<u64>()? / 1024)
}
