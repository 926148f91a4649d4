//! App folders, good and broken; Types, overrides and calls; files that change.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod app_folders;
mod arguments;
mod broken;
mod calls;
mod config;
mod example;
mod function_lists;
mod overrides;
mod reload;
mod world;
