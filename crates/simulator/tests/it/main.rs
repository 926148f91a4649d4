//! The simulator as its clients see it: over the wire.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod browser;
mod checks;
mod codes;
mod contact_sync;
mod contacts;
mod control;
mod events;
mod faults;
mod inbox;
mod oauth_page;
mod ownership;
mod secure;
mod sign_in_page;
mod tickets;
mod tokens;
