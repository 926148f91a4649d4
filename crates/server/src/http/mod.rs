//! HTTP, shared by all subjects of the server: the request context, the middleware, the forms and headers of answers, limits
//! and connections.

pub(crate) mod answer_form;
pub(crate) mod body;
pub(crate) mod border;
pub(crate) mod client_address;
pub(crate) mod connections;
pub(crate) mod cookies;
pub(crate) mod cors;
pub(crate) mod envelope;
pub(crate) mod error_numbers;
pub(crate) mod fetch_metadata;
pub(crate) mod head_size;
pub(crate) mod header_bytes;
pub(crate) mod known_browser;
pub(crate) mod language;
pub(crate) mod open_files;
pub(crate) mod page;
pub(crate) mod rejection;
pub(crate) mod request;
pub(crate) mod security_headers;
pub(crate) mod visitor;
