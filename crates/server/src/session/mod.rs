//! Sessions of members and programs over HTTP.

pub(crate) mod home;
pub(crate) mod logout;
pub(crate) mod me;
pub(crate) mod pair_body;
mod person;
pub(crate) mod token_pair;
