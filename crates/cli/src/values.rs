//! Values of options that the parser's own messages do not explain (`invalid digit found in string`).

use std::net::SocketAddr;

pub(crate) fn port(text: &str) -> Result<u16, &'static str> {
    text.trim().parse().map_err(|_| "must be a port, a whole number from 0 to 65535")
}

pub(crate) fn count(text: &str) -> Result<usize, &'static str> {
    text.trim().parse().map_err(|_| "must be a whole number")
}

pub(crate) fn department(text: &str) -> Result<u32, &'static str> {
    text.trim().parse().map_err(|_| "must be the number of a department")
}

pub(crate) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.trim().parse().map_err(|_| "must be an address and a port such as 127.0.0.1:8443")
}
