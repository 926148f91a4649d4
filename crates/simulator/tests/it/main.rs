//! The simulator as its clients see it: over the wire.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod browser;
mod checks;
mod codes;
mod contacts;
mod control;
mod faults;
mod oauth_page;
mod ownership;
mod secure;
mod sign_in_page;
mod tickets;
mod tokens;
