use std::error::Error;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// Our own numbers of a call by name.
pub mod number {
    /// Whoever called is not signed in.
    pub const NOT_SIGNED_IN: i64 = 710_301;
    /// There is no such element or function, or none that may be called from outside.
    pub const NO_SUCH_FUNCTION: i64 = 710_313;
    /// The arguments are not those that the function declares.
    pub const BAD_ARGUMENTS: i64 = 710_308;
    /// The function is for administrators.
    pub const ADMINISTRATORS_ONLY: i64 = 710_314;
}

/// The one error at the border of elements: a number and a reason.
///
/// The number is WeCom's errcode where WeCom refused, one of ours otherwise; 50000 stands for what nobody foresaw.
/// The text form holds both and nothing else. What caused it, where somebody inside knows, is its
/// [`source`](Error::source); it never goes outside.
#[derive(Debug, Clone, Serialize)]
pub struct Code {
    /// The number.
    pub code: i64,
    /// The reason, in the caller's language.
    pub reason: String,
    #[serde(skip)]
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl Code {
    /// For what nobody foresaw; the details are in the log.
    pub const UNFORESEEN: i64 = 50000;

    /// An error with its number and reason.
    pub fn new(code: i64, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), cause: None }
    }

    /// The same with what caused it.
    pub fn caused_by(mut self, cause: impl Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Arc::new(cause));
        self
    }
}

/// Two errors are one when the outside cannot tell them apart.
impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        (self.code, &self.reason) == (other.code, &other.reason)
    }
}

impl Eq for Code {}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.reason)
    }
}

impl Error for Code {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
