use std::fmt;
use std::time::Duration;

use crate::Error;

/// Is told of every call of WeCom when it is over, gettoken included. It must not wait.
pub trait Observer: fmt::Debug + Send + Sync {
    /// The call's path below `/cgi-bin/`, its failure if it failed, and how long it took.
    fn called(&self, call: &'static str, failure: Option<&Error>, took: Duration);
}
