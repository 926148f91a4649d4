//! The HTTP server: the sign-in page, the redirect, the session, the element API.
//!
//! [`Settings`] say where it listens and under which address the world knows it; [`Server::open`] reads the app and
//! opens the database; [`Server::run`] answers until told to stop. Denied by default: a route, an origin, a
//! `return_to` or a proxy counts only when it is named.

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

pub use check::{Checked, check};
pub use http::error_numbers::explanations;
pub use server::{FileWatch, Server};
pub use settings::{
    Administrators, AuditLog, Brand, BrandStyle, Folders, Interval, KeyError, Network, OperationsSettings,
    OrganisationSettings, Override, Retention, SessionLimits, Settings, SettingsError, Storage, StorageError,
};
pub use start::{Dependencies, StartError, has_database, open_store};
