//! /console: administration.

pub(crate) mod accounts;
mod call;
pub(crate) mod sessions;
pub(crate) mod sync;
