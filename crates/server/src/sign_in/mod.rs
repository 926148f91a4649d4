//! The sign-in in a browser, from the sign-in page to the session.

pub(crate) mod begin;
mod binding;
pub(crate) mod bound_notice;
pub(crate) mod domain_file;
pub(crate) mod finish;
pub(crate) mod links;
pub(crate) mod log;
pub(crate) mod page;
mod panel;
pub(crate) mod redirect;
mod return_to;
pub(crate) mod workbench;
