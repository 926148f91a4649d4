use std::fmt;
use std::time::Duration;

use crate::Error;

/// Receives every finished call, including gettoken. It must not block.
pub trait Observer: fmt::Debug + Send + Sync {
    /// `call` is the path below `/cgi-bin/`, `took` the duration of the call.
    fn called(&self, call: &'static str, failure: Option<&Error>, took: Duration);
}
