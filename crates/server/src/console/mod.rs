//! /console: administration.

pub(crate) mod accounts;
pub(crate) mod administrator;
mod call;
pub(crate) mod sessions;
pub(crate) mod sync;
