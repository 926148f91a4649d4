//! The session of a person or a program over HTTP.

pub(crate) mod home;
pub(crate) mod logout;
pub(crate) mod me;
pub(crate) mod pair_body;
mod person;
pub(crate) mod token_pair;
