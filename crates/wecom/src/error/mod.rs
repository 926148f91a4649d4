//! The one error of this crate. Its inside is private, so that a cause can be told apart better tomorrow without
//! breaking anyone; callers ask predicates. It is cheap to clone, because one failed fetch of a token is handed
//! to everyone who waited for it.

mod refusal;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use refusal::{Refusal, redacted};

/// Why a call to WeCom gave no result. It never holds a URL, a token, a code or a secret.
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
    /// The call's path below `/cgi-bin/`; none where no call was made.
    call: Option<&'static str>,
    kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// WeCom answered with an errcode.
    Refused(Refusal),
    /// No answer within the call's or the budget's time.
    TimedOut,
    /// No connection: nothing of the request has reached WeCom.
    Unreachable(String),
    /// The connection broke after the request may have reached WeCom.
    Interrupted(String),
    /// An HTTP status other than 200, which WeCom's API never uses for its own errors.
    Status(u16),
    /// More bytes than this endpoint can sensibly answer with.
    TooLarge(usize),
    NotJson,
    NoErrcode,
    /// errcode 0, but what was asked for is not in the answer.
    Incomplete(&'static str),
    Misconfigured(String),
    /// No call was made: the company has no more of this kind to spare for so long.
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

    /// WeCom's errcode, where WeCom refused. The meaning of each is in [`explain`](crate::explain).
    pub fn errcode(&self) -> Option<i64> {
        self.refusal().map(|refusal| refusal.errcode)
    }

    /// WeCom's errmsg without the tail (hint, caller address, link). For people; WeCom may change it any day.
    pub fn errmsg(&self) -> Option<&str> {
        self.refusal().map(|refusal| refusal.text.as_str())
    }

    /// The number under which WeCom's support finds the call (open.work.weixin.qq.com/devtool/query).
    pub fn hint_id(&self) -> Option<&str> {
        self.refusal()?.hint_id.as_deref()
    }

    /// The address from which WeCom saw the call come: with 60020, the one to add to the app's trusted addresses.
    pub fn caller_ip(&self) -> Option<&str> {
        self.refusal()?.caller_ip.as_deref()
    }

    /// The authorization code is wrong, used or older than five minutes (WeCom 90313): sign in again.
    pub fn is_bad_code(&self) -> bool {
        self.has_errcode(&[40029, 42003, 42022, 40078, 41008])
    }

    /// The member or department lies outside the app's visible scope (可见范围), or is gone: WeCom answers alike.
    pub fn is_outside_scope(&self) -> bool {
        self.has_errcode(&[60111, 60011, 60021, 50002, 40003])
    }

    /// This machine's address is not among the app's trusted addresses (企业可信IP).
    pub fn is_ip_not_allowed(&self) -> bool {
        self.has_errcode(&[60020])
    }

    /// WeCom does not take the access token any more. Seen only after one replacement has failed as well.
    pub fn is_token_invalid(&self) -> bool {
        self.has_errcode(&[40014, 42001])
    }

    /// corpId and secret are no pair, or WeCom wants a new secret. Trying again gets the machine locked out.
    pub fn is_credentials_wrong(&self) -> bool {
        self.has_errcode(&[40001, 40013, 40091, 41002, 41004, 45031])
    }

    /// Too many calls in a time (45009) or at a time (45033), or [no more to spare](Self::free_in).
    pub fn is_rate_limited(&self) -> bool {
        self.has_errcode(&[45009, 45033]) || self.free_in().is_some()
    }

    /// Where a background job's call was not made, because the company has no more of its kind to spare (WeCom 90312) and
    /// the job's patience ends before it has again: how long that takes.
    pub fn free_in(&self) -> Option<Duration> {
        match self.0.kind {
            Kind::NoCallsLeft(free_in) => Some(free_in),
            _ => None,
        }
    }

    /// WeCom says that it is busy (-1).
    pub fn is_busy(&self) -> bool {
        self.has_errcode(&[-1])
    }

    /// No answer came in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, Kind::TimedOut)
    }

    /// No usable answer came: no connection, a broken one, a time-out, an HTTP 5xx, 408 or 429, or a body that is
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

    /// Not an outcome of the sign-in: the same browser may try again with the same code.
    pub fn is_transient(&self) -> bool {
        self.is_unavailable() || self.is_busy() || self.is_ip_not_allowed()
    }

    /// No call was made: an endpoint or a proxy was configured wrongly.
    pub fn is_misconfigured(&self) -> bool {
        matches!(self.0.kind, Kind::Misconfigured(_))
    }

    /// True when WeCom cannot have seen the request.
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
    fn only_what_may_pass_by_itself_is_transient() {
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
