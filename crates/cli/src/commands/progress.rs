//! A line that shows how far a long work is: on a terminal only, and only if it is long.

use std::io::{IsTerminal as _, Write as _};

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
