//! The error of all calls. Its content is private, so that causes can be refined without breaking callers; callers use
//! the predicates. It is cheap to clone, because all callers that wait for a token get the same failure.

mod refusal;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use refusal::{Refusal, redacted};

use crate::Concern;
use crate::concern::Cause;

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

    fn has_cause(&self, cause: Cause) -> bool {
        self.errcode().and_then(Cause::of_errcode) == Some(cause)
    }

    /// What the failure concerns: the member or department asked for, this request, the app, or the moment. Every
    /// caller that decides from a failure decides from this.
    ///
    /// | failure without errcode | concern |
    /// |---|---|
    /// | no connection, a broken one, a time-out, HTTP 5xx, 408 and 429, a body that is not WeCom's, no quota left | moment |
    /// | another HTTP status (a wrong address of the API, a proxy that refuses), a wrong configuration | app |
    /// | an answer that is too large or lacks a required field | request |
    pub fn concern(&self) -> Concern {
        match &self.0.kind {
            Kind::Refused(refusal) => Concern::of_errcode(refusal.errcode),
            Kind::TimedOut
            | Kind::Unreachable(_)
            | Kind::Interrupted(_)
            | Kind::NotJson
            | Kind::NoErrcode
            | Kind::NoCallsLeft(_)
            | Kind::Abandoned => Concern::Moment,
            Kind::Status(status) if *status >= 500 || *status == 408 || *status == 429 => Concern::Moment,
            Kind::Status(_) | Kind::Misconfigured(_) => Concern::App,
            Kind::TooLarge(_) | Kind::Incomplete(_) => Concern::Request,
        }
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
        self.has_cause(Cause::BadCode)
    }

    /// The member or department is outside the app's visible scope (可见范围) or was deleted: WeCom gives the same answer.
    /// The only failure that says something about them; [`Concern::NotVisible`].
    pub fn is_outside_scope(&self) -> bool {
        self.concern() == Concern::NotVisible
    }

    /// This machine's address is not among the app's trusted addresses (企业可信IP).
    pub fn is_ip_not_allowed(&self) -> bool {
        self.has_cause(Cause::UntrustedAddress)
    }

    /// WeCom rejects the access token. Returned only after a new token was rejected as well.
    pub fn is_token_invalid(&self) -> bool {
        self.has_cause(Cause::BadToken)
    }

    /// corpId and secret do not match, or WeCom requires a new secret. Repeated tries lock the machine out.
    pub fn is_credentials_wrong(&self) -> bool {
        self.has_cause(Cause::WrongCredentials)
    }

    /// The app may not make this call (48002 and the like): WeCom gives no permission for it, or has withdrawn it. Other calls
    /// of the app may succeed.
    pub fn is_call_not_allowed(&self) -> bool {
        self.has_cause(Cause::CallNotAllowed)
    }

    /// Too many calls in a period (45009) or at the same time (45033), or [no quota left](Self::free_in).
    pub fn is_rate_limited(&self) -> bool {
        self.has_cause(Cause::RateLimited) || self.free_in().is_some()
    }

    /// The time until the company has quota again (WeCom 90312), if a background job made no call because that is longer
    /// than its patience.
    pub fn free_in(&self) -> Option<Duration> {
        match self.0.kind {
            Kind::NoCallsLeft(free_in) => Some(free_in),
            _ => None,
        }
    }

    /// WeCom is busy (-1), or another change of the same data is in progress (6000).
    pub fn is_busy(&self) -> bool {
        self.has_cause(Cause::Busy)
    }

    /// There was no answer in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, Kind::TimedOut)
    }

    /// There was no usable answer: no connection, a broken one, a time-out, an HTTP 5xx, 408 or 429, or a body that is
    /// not WeCom's.
    pub fn is_unavailable(&self) -> bool {
        self.concern() == Concern::Moment && self.errcode().is_none() && self.free_in().is_none()
    }

    /// The failure says nothing about the sign-in: the same browser may try again with the same code, when WeCom can
    /// answer or when this machine's address is trusted.
    pub fn is_transient(&self) -> bool {
        self.concern() == Concern::Moment || self.is_ip_not_allowed()
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
    use crate::explanations;

    fn refused(errcode: i64) -> Error {
        Error::of_call("user/get", Kind::Refused(Refusal::new(errcode, "text", &[])))
    }

    #[test]
    fn only_failures_that_may_pass_are_transient() {
        for errcode in [-1, 45009, 45033, 60020] {
            assert!(refused(errcode).is_transient(), "{errcode}");
        }
        for errcode in [40029, 40001, 40014, 50003, 60111] {
            assert!(!refused(errcode).is_transient(), "{errcode}");
        }
        for (status, transient) in [(502, true), (429, true), (404, false), (301, false)] {
            let error = Error::of_call("user/get", Kind::Status(status));
            assert_eq!(error.is_transient(), transient, "{status}");
        }
    }

    /// O4: the predicates and the concern of a number cannot contradict each other.
    #[test]
    fn the_predicates_agree_with_the_concern_of_every_errcode() {
        let numbers = explanations().iter().map(|row| row.code).chain([1, 48001, 48003, 99_999]);
        for error in numbers.map(refused) {
            let concern = error.concern();
            assert_eq!(error.is_outside_scope(), concern == Concern::NotVisible, "{error}");
            assert_eq!(error.is_busy() || error.is_rate_limited(), concern == Concern::Moment, "{error}");
            let is_of_the_app =
                error.is_ip_not_allowed() || error.is_token_invalid() || error.is_credentials_wrong();
            assert!(!is_of_the_app || concern == Concern::App, "{error}");
            assert!(!error.is_bad_code() || concern == Concern::Request, "{error}");
            assert!(!error.is_unavailable() && !error.is_misconfigured(), "{error}");
        }
    }

    #[test]
    fn a_failure_without_errcode_says_nothing_about_a_member() {
        let text = || "text".to_owned();
        for (kind, concern) in [
            (Kind::TimedOut, Concern::Moment),
            (Kind::Unreachable(text()), Concern::Moment),
            (Kind::Interrupted(text()), Concern::Moment),
            (Kind::NotJson, Concern::Moment),
            (Kind::NoErrcode, Concern::Moment),
            (Kind::Abandoned, Concern::Moment),
            (Kind::NoCallsLeft(Duration::from_secs(1)), Concern::Moment),
            (Kind::Status(503), Concern::Moment),
            (Kind::Status(429), Concern::Moment),
            (Kind::Status(404), Concern::App),
            (Kind::Status(407), Concern::App),
            (Kind::Misconfigured(text()), Concern::App),
            (Kind::TooLarge(1), Concern::Request),
            (Kind::Incomplete("field"), Concern::Request),
        ] {
            let error = Error::of_call("user/get", kind);
            assert_eq!(error.concern(), concern, "{error}");
        }
    }

    #[test]
    fn display_names_call_and_errcode() {
        assert_eq!(refused(60111).to_string(), "user/get: WeCom answered 60111 (text)");
    }
}
