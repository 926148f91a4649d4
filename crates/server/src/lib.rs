//! The HTTP server: the sign-in page, the redirect, the session, the element API.
//!
//! [`Settings`] say where it listens and under which address the world knows it; [`Server::open`] reads the app and
//! opens the database; [`Server::run`] answers until told to stop. Denied by default: a route, an origin, a
//! `return_to` or a proxy counts only when it is named.

mod address;
mod administrator;
mod api;
mod audit_file;
mod background;
mod body;
mod brand;
mod callback;
mod caller;
mod check;
mod client_script;
mod connections;
mod console;
mod cookies;
mod cross_site;
mod domain_file;
mod envelope;
mod events;
mod headers;
mod home;
mod impatient;
mod janitor;
mod key;
mod language;
mod limits;
mod login_page;
mod metrics;
mod organisation;
mod pair;
mod problem;
mod problems;
mod ready;
mod reload;
mod request;
mod retention;
mod return_to;
mod routes;
mod server;
mod session;
mod settings;
mod shared_tokens;
mod sharing;
mod sign_in_log;
mod site;
mod stopping;
mod storage;
mod workers;

pub use audit_file::AuditLog;
pub use brand::Brand;
pub use check::check;
pub use problems::explanations;
pub use retention::Retention;
pub use server::{FileWatch, Server, StartError, Surroundings, has_database, open_store};
pub use settings::{Given, Settings, SettingsError};
pub use storage::Storage;
