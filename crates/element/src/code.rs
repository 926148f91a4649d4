use std::fmt;

use serde::Serialize;

/// The one error at the border of elements: a number and a reason.
///
/// The number is WeCom's errcode where WeCom refused, one of ours otherwise; 50000 stands for what nobody foresaw.
/// The text form holds both and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Code {
    /// The number.
    pub code: i64,
    /// The reason, in the caller's language.
    pub reason: String,
}

impl Code {
    /// For what nobody foresaw; the details are in the log.
    pub const UNFORESEEN: i64 = 50000;

    /// An error with its number and reason.
    pub fn new(code: i64, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.reason)
    }
}

impl std::error::Error for Code {}
