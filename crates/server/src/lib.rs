//! The HTTP server: the sign-in page, the redirect, the session, the element API.
//!
//! [`Settings`] hold the listen address and the public URL; [`Server::open`] reads the app and opens the database;
//! [`Server::run`] answers requests until it is stopped. Denied by default: a route, an origin, a `return_to` or a proxy is
//! accepted only if it is declared or configured.

mod check;
mod console;
mod element_api;
mod http;
mod metrics;
mod operations;
mod routes;
mod run;
mod server;
mod session;
mod settings;
mod sign_in;
mod start;
mod state;
mod wecom_callback;

pub use check::{Checked, check, served_companies};
pub use http::error_numbers::explanations;
pub use server::{FileWatch, Server};
pub use settings::{
    AccountSettings, Administrators, AuditLog, Brand, BrandStyle, Folders, Interval, KeyError, Network,
    OperationsSettings, OrganisationSettings, Override, Retention, SessionLimits, Settings, SettingsError,
    Storage, StorageError,
};
pub use start::{Dependencies, StartError, has_database, open_store};
