//! The stage on which stories and benchmarks of the whole program are played: processes of it, an app folder, browsers, and
//! the simulator as their WeCom. No part of the program.
//!
//! * [`program`]: a process;
//! * [`app`]: what one is started with;
//! * [`browser`]: cookies, whichever process they are sent to;
//! * [`replicas`]: three processes on one PostgreSQL and one Redis, those of `scripts/with-servers`;
//! * [`rush`]: everybody at once.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "where the stage cannot be set up, the play ends"
)]

pub mod app;
pub mod browser;
pub mod program;
pub mod replicas;
pub mod rush;
