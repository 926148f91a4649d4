//! Element functions over HTTP, and the JavaScript client that calls them.

pub(crate) mod caller;
pub(crate) mod client_script;
pub(crate) mod functions;
pub(crate) mod scripts;
