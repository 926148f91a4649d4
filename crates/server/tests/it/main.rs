//! Stories of the sign-in: the server and the simulated WeCom in one process, real HTTP between them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod accounts;
mod administrators;
mod api;
mod binding;
mod borders;
mod brand;
mod client_script;
mod consent;
mod cross_origin;
mod domain_files;
mod elements;
mod error_codes;
mod events;
mod front_end;
mod functions;
mod heads;
mod keys;
mod library;
mod limits;
mod odd_headers;
mod operations;
mod owners;
mod pages;
mod pairs;
mod random_headers;
mod raw;
mod rehire;
mod renewal;
mod replicas;
mod settings;
mod sign_in;
mod sync;
mod upgrade;
mod wecom_fails;
mod who;
mod workbench;

use wecom_login_testkit::world;
use wecom_login_testkit::world::browser;
