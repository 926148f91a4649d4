//! The simulator as its clients see it: over the wire.

mod browser;
mod codes;
