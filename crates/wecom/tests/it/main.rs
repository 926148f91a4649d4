//! The client against a scripted WeCom on loopback: canned answers, counters, and gates that hold an answer until
//! the test lets it go. No sleeps; time is moved, not waited for.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod budgets;
mod callback;
mod calls;
mod failures;
mod script;
mod secrecy;
mod shared_token;
mod token;
