//! Apps on disk: the elements of an app folder, and the one error at their border.
//!
//! An element is a folder that holds an `e.json`; its full name is its path with dots. An instance of a login type
//! keeps its configuration beside it in `<Name>.json`. A broken element is reported and left out; the others work.

mod app;
mod code;
mod config;
mod fault;

pub use app::{App, Element};
pub use code::Code;
pub use config::Config;
pub use fault::{Fault, OpenError};
