//! The client against a scripted WeCom on loopback: canned answers, counters, and gates that hold an answer back until
//! the test releases it. No sleeps: tests move the clock.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod budgets;
mod callback;
mod calls;
mod failures;
mod script;
mod secrecy;
mod shared_token;
mod token;
