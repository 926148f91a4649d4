//! The test kit for stories and benchmarks of the whole program. It is not part of the program.
//!
//! * [`world`]: a company, a server in this process, and a clock that the test moves;
//! * [`program`]: the program in a process of its own;
//! * [`app`]: an app folder and settings for such a process;
//! * [`browser`]: browsers whose cookies go to any process;
//! * [`replicas`]: three processes on one PostgreSQL and one Redis, those of `scripts/with-servers`;
//! * [`load`]: all members of a company sign in at once;
//! * [`wait`]: waits with a deadline.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot be set up fails"
)]

pub mod app;
pub mod browser;
pub mod cookies;
pub mod load;
pub mod program;
pub mod replicas;
pub mod wait;
pub mod world;
