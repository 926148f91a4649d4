//! 10,000 members sign in at once at three `serve` processes on one PostgreSQL and one Redis. No process has an access token
//! yet. `--people` and `--at-once` set other numbers.
//!
//! All sign-ins start before WeCom gives a token. Then every browser follows WeCom's redirect. The number of concurrent
//! connections is limited by the open files of the processes, and by the five seconds in which a sign-in must be answered.
//! gettoken takes half a second, so that all of the first sign-ins wait for it. Goals: one call of gettoken; every member is
//! signed in, by the /me of another replica than the one that handled the redirect. Exits with status 1 if a goal is missed.
//! Browsers, WeCom, replicas and databases share the machine.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use wecom_login_testkit::load;
use wecom_login_testkit::replicas::Replicas;

use crate::{Result, number};

#[tokio::main]
pub(crate) async fn run(words: &[&str]) -> Result<ExitCode> {
    let people = number(words, "--people", 10_000)?;
    let at_once = number(words, "--at-once", 1_000)?.min(connections()?);
    let program = std::env::current_exe()?.with_file_name("wecom-login");
    if !program.exists() {
        return Err(format!("{} is not there: scripts/bench builds it", program.display()).into());
    }
    let replicas = Arc::new(Replicas::cold(&program, people).await);
    let rush = load::sign_everybody_in(&replicas, at_once).await;
    let sessions = replicas.sessions(&[]).await;
    let members: BTreeSet<_> = sessions.iter().filter_map(|session| session["userId"].as_str()).collect();

    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} cold sign-ins at three replicas, {at_once} at once: {:.0} a second, {:.1} s in all; {} of gettoken (goal: 1); \
         {} lost (goal: 0); {} sessions of {} members",
        rush.people,
        f64::from(u32::try_from(rush.people)?) / rush.took.as_secs_f64(),
        rush.took.as_secs_f64(),
        rush.access_tokens,
        rush.lost.len(),
        sessions.len(),
        members.len(),
    )?;
    for problem in rush.lost.iter().take(5) {
        writeln!(out, "lost: {problem}")?;
    }
    let well = rush.access_tokens == 1
        && rush.lost.is_empty()
        && (rush.people, sessions.len(), members.len()) == (people, people, people);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The number of connections for the limit on open files. Each connection has one file here, and may cause a call to the
/// simulated WeCom, which is in this process too; the rest is for other files.
fn connections() -> Result<usize> {
    let Ok(limits) = std::fs::read_to_string("/proc/self/limits") else { return Ok(usize::MAX) };
    let files =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    Ok(files.ok_or("no limit of open files")?.parse::<usize>().map_or(usize::MAX, |files| files / 4))
}
