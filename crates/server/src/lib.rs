//! The HTTP server: the sign-in page, the redirect, the session, the element API.
//!
//! [`Settings`] say where it listens and under which address the world knows it; [`Server::open`] reads the app and
//! opens the database; [`Server::run`] answers until told to stop. Denied by default: a route, an origin, a
//! `return_to` or a proxy counts only when it is named.

mod address;
mod administrator;
mod api;
mod brand;
mod callback;
mod caller;
mod check;
mod client_script;
mod console;
mod cookies;
mod cross_site;
mod domain_file;
mod envelope;
mod events;
mod headers;
mod home;
mod key;
mod language;
mod limits;
mod login_page;
mod organisation;
mod pair;
mod problem;
mod problems;
mod reload;
mod request;
mod return_to;
mod routes;
mod server;
mod session;
mod settings;
mod shared_tokens;
mod sharing;
mod site;
mod storage;

pub use brand::Brand;
pub use check::check;
pub use problems::explanations;
pub use server::{FileWatch, Server, StartError, Surroundings, open_store};
pub use settings::{Settings, SettingsError};
pub use storage::Storage;
