//! Stories of the sign-in: the server and the simulated WeCom in one process, real HTTP between them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod accounts;
mod administrators;
mod api;
mod borders;
mod brand;
mod browser;
mod consent;
mod delivered_twice;
mod domain_files;
mod elements;
mod error_codes;
mod functions;
mod keys;
mod library;
mod pages;
mod restarts;
mod sign_in;
mod wecom_fails;
mod who;
mod world;
