//! The HTTP server: the sign-in page, the redirect, the session, the element API.
//!
//! [`Settings`] say where it listens and under which address the world knows it; [`Server::open`] reads the app and
//! opens the database; [`Server::run`] answers until told to stop. Denied by default: a route, an origin, a
//! `return_to` or a proxy counts only when it is named.

mod brand;
mod check;
mod console;
mod element_api;
mod http;
mod key;
mod metrics;
mod operations;
mod retention;
mod routes;
mod server;
mod session;
mod settings;
mod sign_in;
mod state;
mod storage;
mod wecom_callback;

pub use brand::Brand;
pub use check::check;
pub use http::error_numbers::explanations;
pub use operations::audit_file::AuditLog;
pub use retention::Retention;
pub use server::{FileWatch, Server, StartError, Surroundings, has_database, open_store};
pub use settings::{Given, Settings, SettingsError};
pub use storage::Storage;
