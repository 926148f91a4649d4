//! The error of all calls. Its content is private, so that causes can be refined without breaking callers; callers use
//! the predicates. It is cheap to clone, because all callers that wait for a token get the same failure.

mod refusal;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use refusal::{Refusal, redacted};

/// A failed call. It never contains a URL, a token, a code or a secret.
///
/// ```no_run
/// # async fn example(calls: wecom::Calls, code: wecom::AuthCode) {
/// match calls.identify(&code).await {
///     Err(error) if error.is_bad_code() => println!("start the sign-in again"),
///     Err(error) if error.is_ip_not_allowed() => println!("trust this address: {:?}", error.caller_ip()),
///     Err(error) => println!("{error}"),
///     Ok(identity) => println!("{identity:?}"),
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    /// The call's path below `/cgi-bin/`; `None` if no call was made.
    call: Option<&'static str>,
    kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// WeCom answered with an errcode.
    Refused(Refusal),
    /// No answer within the time limit of the call or the budget.
    TimedOut,
    /// No connection: the request has not reached WeCom.
    Unreachable(String),
    /// The connection broke after the request may have reached WeCom.
    Interrupted(String),
    /// An HTTP status other than 200, which WeCom's API never uses for its own errors.
    Status(u16),
    /// The answer exceeds the size limit of the endpoint.
    TooLarge(usize),
    NotJson,
    NoErrcode,
    /// errcode 0, but a required field is missing.
    Incomplete(&'static str),
    Misconfigured(String),
    /// No call was made: the company has no quota for it until this time has passed.
    NoCallsLeft(Duration),
    /// The task that fetched the token died with its runtime.
    Abandoned,
}

impl Error {
    pub(crate) fn of_call(call: &'static str, kind: Kind) -> Self {
        Self(Arc::new(Inner { call: Some(call), kind }))
    }

    pub(crate) fn misconfigured(text: impl Into<String>) -> Self {
        Self(Arc::new(Inner { call: None, kind: Kind::Misconfigured(text.into()) }))
    }

    fn refusal(&self) -> Option<&Refusal> {
        match &self.0.kind {
            Kind::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    fn has_errcode(&self, codes: &[i64]) -> bool {
        self.errcode().is_some_and(|code| codes.contains(&code))
    }

    /// The call that failed, by its path below `/cgi-bin/`, such as `auth/getuserinfo`.
    pub fn call(&self) -> Option<&'static str> {
        self.0.call
    }

    /// WeCom's errcode, if WeCom refused the call. [`explain`](crate::explain) describes it.
    pub fn errcode(&self) -> Option<i64> {
        self.refusal().map(|refusal| refusal.errcode)
    }

    /// WeCom's errmsg without the tail (hint, caller address, link). For people to read: WeCom may change it.
    pub fn errmsg(&self) -> Option<&str> {
        self.refusal().map(|refusal| refusal.text.as_str())
    }

    /// The number of the call for WeCom's support (open.work.weixin.qq.com/devtool/query).
    pub fn hint_id(&self) -> Option<&str> {
        self.refusal()?.hint_id.as_deref()
    }

    /// The caller's address as WeCom saw it: with 60020, the one to add to the app's trusted addresses.
    pub fn caller_ip(&self) -> Option<&str> {
        self.refusal()?.caller_ip.as_deref()
    }

    /// The authorization code is wrong, used or expired (WeCom 90313): sign in again.
    pub fn is_bad_code(&self) -> bool {
        self.has_errcode(&[40029, 42003, 42022, 40078, 41008])
    }

    /// The member or department is outside the app's visible scope (可见范围) or was deleted: WeCom gives the same answer.
    pub fn is_outside_scope(&self) -> bool {
        self.has_errcode(&[60111, 60011, 60021, 50002, 40003])
    }

    /// This machine's address is not among the app's trusted addresses (企业可信IP).
    pub fn is_ip_not_allowed(&self) -> bool {
        self.has_errcode(&[60020])
    }

    /// WeCom rejects the access token. Returned only after a new token was rejected as well.
    pub fn is_token_invalid(&self) -> bool {
        self.has_errcode(&[40014, 42001])
    }

    /// corpId and secret do not match, or WeCom requires a new secret. Repeated tries lock the machine out.
    pub fn is_credentials_wrong(&self) -> bool {
        self.has_errcode(&[40001, 40013, 40091, 41002, 41004, 45031])
    }

    /// Too many calls in a period (45009) or at the same time (45033), or [no quota left](Self::free_in).
    pub fn is_rate_limited(&self) -> bool {
        self.has_errcode(&[45009, 45033]) || self.free_in().is_some()
    }

    /// The time until the company has quota again (WeCom 90312), if a background job made no call because that is longer
    /// than its patience.
    pub fn free_in(&self) -> Option<Duration> {
        match self.0.kind {
            Kind::NoCallsLeft(free_in) => Some(free_in),
            _ => None,
        }
    }

    /// WeCom is busy (-1).
    pub fn is_busy(&self) -> bool {
        self.has_errcode(&[-1])
    }

    /// There was no answer in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, Kind::TimedOut)
    }

    /// There was no usable answer: no connection, a broken one, a time-out, an HTTP 5xx, 408 or 429, or a body that is
    /// not WeCom's.
    pub fn is_unavailable(&self) -> bool {
        match self.0.kind {
            Kind::Status(status) => status >= 500 || status == 408 || status == 429,
            Kind::TimedOut
            | Kind::Unreachable(_)
            | Kind::Interrupted(_)
            | Kind::NotJson
            | Kind::NoErrcode
            | Kind::Abandoned => true,
            Kind::Refused(_)
            | Kind::TooLarge(_)
            | Kind::Incomplete(_)
            | Kind::Misconfigured(_)
            | Kind::NoCallsLeft(_) => false,
        }
    }

    /// The failure says nothing about the sign-in: the same browser may try again with the same code.
    pub fn is_transient(&self) -> bool {
        self.is_unavailable() || self.is_busy() || self.is_ip_not_allowed()
    }

    /// No call was made: the configuration of an endpoint or a proxy is wrong.
    pub fn is_misconfigured(&self) -> bool {
        matches!(self.0.kind, Kind::Misconfigured(_))
    }

    /// True if the request cannot have reached WeCom.
    pub(crate) fn is_unreached(&self) -> bool {
        matches!(self.0.kind, Kind::Unreachable(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.0.call.unwrap_or("WeCom");
        match &self.0.kind {
            Kind::Refused(refusal) => {
                write!(f, "{call}: WeCom answered {} ({})", refusal.errcode, refusal.text)
            }
            Kind::TimedOut => write!(f, "{call}: no answer in time"),
            Kind::Unreachable(cause) => write!(f, "{call}: no connection to WeCom: {cause}"),
            Kind::Interrupted(cause) => write!(f, "{call}: the connection to WeCom broke: {cause}"),
            Kind::Status(status) => write!(f, "{call}: HTTP status {status} in place of an answer"),
            Kind::TooLarge(limit) => write!(f, "{call}: the answer is larger than {limit} bytes"),
            Kind::NotJson => write!(f, "{call}: the answer is not JSON"),
            Kind::NoErrcode => write!(f, "{call}: the answer has no errcode, so it is not WeCom's"),
            Kind::Incomplete(what) => write!(f, "{call}: the answer has no {what}"),
            Kind::Misconfigured(text) => f.write_str(text),
            Kind::NoCallsLeft(free_in) => {
                let seconds = free_in.as_secs().max(1);
                write!(f, "{call}: the company has no more calls of this kind to spare for {seconds} seconds")
            }
            Kind::Abandoned => write!(f, "{call}: given up before an answer came"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("call", &self.0.call).field("kind", &self.0.kind).finish()
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(errcode: i64) -> Error {
        Error::of_call("user/get", Kind::Refused(Refusal::new(errcode, "text", &[])))
    }

    #[test]
    fn only_failures_that_may_pass_are_transient() {
        for errcode in [-1, 60020] {
            assert!(refused(errcode).is_transient(), "{errcode}");
        }
        for errcode in [40029, 40001, 40014, 45009, 60111] {
            assert!(!refused(errcode).is_transient(), "{errcode}");
        }
        for (status, transient) in [(502, true), (429, true), (404, false), (301, false)] {
            let error = Error::of_call("user/get", Kind::Status(status));
            assert_eq!(error.is_transient(), transient, "{status}");
        }
    }

    #[test]
    fn display_names_call_and_errcode() {
        assert_eq!(refused(60111).to_string(), "user/get: WeCom answered 60111 (text)");
    }
}
