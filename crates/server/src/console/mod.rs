//! /console: administration.

pub(crate) mod accounts;
