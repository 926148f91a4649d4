//! The program as an operator runs it: a process of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod accounts;
mod app;
mod command_line;
mod demo;
mod kill;
mod logs;
mod messages;
mod open_files;
mod operations;
mod outages;
mod program;
mod replicas;
mod servers;
mod sync;
mod tls;

use wecom_login_testkit::browser;
