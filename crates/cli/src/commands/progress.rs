//! A line that shows how far a long work is: on a terminal only, and only if it is long.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};

use wecom_login_store::Phase;

const LONG: usize = 1000;
const WIDTH: usize = 30;

#[derive(Debug)]
pub(crate) struct Progress {
    total: usize,
    shown: Option<usize>,
    active: bool,
}

impl Progress {
    pub(crate) fn new(total: usize) -> Self {
        Self { total, shown: None, active: total >= LONG && std::io::stderr().is_terminal() }
    }

    /// Shows how many are done, whenever that is a percent more.
    pub(crate) fn at(&mut self, done: usize) {
        let percent = done * 100 / self.total.max(1);
        if !self.active || self.shown == Some(percent) {
            return;
        }
        self.shown = Some(percent);
        let full = percent * WIDTH / 100;
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(WIDTH - full));
        let end = if done == self.total { "\n" } else { "" };
        // A terminal that is gone does not end the work.
        let _ = write!(std::io::stderr(), "\r[{bar}] {percent:3}% {done}/{}{end}", self.total);
    }
}

/// How far a sync is, in one line that is written over.
#[derive(Debug)]
pub(crate) struct SyncBar {
    name: String,
    shown: Mutex<String>,
    active: bool,
}

impl SyncBar {
    pub(crate) fn new(name: &str) -> Self {
        let name = name.rsplit('.').next().unwrap_or(name).to_owned();
        Self { name, shown: Mutex::default(), active: std::io::stderr().is_terminal() }
    }

    pub(crate) fn at(&self, progress: wecom_login_directory::Progress) {
        if !self.active {
            return;
        }
        let line = match progress.phase {
            Phase::Listing => "everybody's identifiers".to_owned(),
            Phase::VisibleScope => "what the app sees".to_owned(),
            Phase::Walk => {
                let (done, all) = (progress.walked, progress.departments.max(1));
                let full = usize::try_from(done * WIDTH as u64 / all).unwrap_or(WIDTH).min(WIDTH);
                let bar = format!("{}{}", "#".repeat(full), ".".repeat(WIDTH - full));
                format!("[{bar}] {done}/{} departments, {} members", progress.departments, progress.seen)
            }
            Phase::Names | Phase::Leavers => format!("{} asked for by name", progress.asked),
            Phase::Apply => "writing".to_owned(),
        };
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown != line {
            let _ = write!(std::io::stderr(), "\r\x1b[K{}: {line}", self.name);
            *shown = line;
        }
    }

    /// Takes the line away, for what is said next.
    pub(crate) fn clear(&self) {
        if self.active {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
