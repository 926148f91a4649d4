//! Stories of a single sign-in: its state, its redirect delivered twice, its restarts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod cost;
mod delivered_twice;
mod restarts;
mod states;
