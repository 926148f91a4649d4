//! The error type of all handlers. A handler returns it by `?`; [`crate::http::border`] renders it in the form that the route
//! declares (see [`crate::http::answer_form`]) and logs it, once.

use std::error::Error as _;
use std::sync::Arc;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use wecom_login_accounts::NoAccount;
use wecom_login_element::Code;
use wecom_login_model::{Bilingual, Explanation, Language};
use wecom_login_pages::{Retry, title};
use wecom_login_sign_in::{SignInError, Terminal};

use crate::http::error_numbers::{self, APP_REFUSED, explain};
use crate::sign_in::links;

/// A refused or failed request.
#[derive(Debug)]
pub(crate) struct Rejection(Box<Parts>);

#[derive(Debug)]
struct Parts {
    cause: Cause,
    status: StatusCode,
    /// A remark after the meaning, in answers to programs.
    note: Option<String>,
    /// Values that help to fix the problem.
    details: Vec<(Bilingual, String)>,
    retry: Option<Retry>,
    /// The cause for the operator, in the log only.
    alert: Option<String>,
}

#[derive(Debug)]
enum Cause {
    /// An error number of this server.
    Number(i64),
    /// A refused sign-in, or a failure of the storage or of WeCom.
    SignIn(SignInError),
    /// A refusal by an element: its number and reason.
    Element(Code),
}

impl Rejection {
    /// An error number of this server, with its declared status.
    pub(crate) fn of(number: i64) -> Self {
        Self::new(Cause::Number(number), error_numbers::of(number).status)
    }

    fn new(cause: Cause, status: StatusCode) -> Self {
        let (note, details, retry, alert) = (None, Vec::new(), None, None);
        Self(Box::new(Parts { cause, status, note, details, retry, alert }))
    }

    /// Replaces the status.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// Adds a remark in parentheses after the meaning, in answers to programs.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.0.note = Some(note.into());
        self
    }

    /// Adds a value that helps to fix the problem.
    pub(crate) fn detail(mut self, label: Bilingual, value: impl Into<String>) -> Self {
        self.0.details.push((label, value.into()));
        self
    }

    /// Adds a link that starts again.
    pub(crate) fn retry(mut self, url: String) -> Self {
        self.0.retry = Some(Retry::again(url));
        self
    }

    /// Adds a link to the home page.
    pub(crate) fn home(mut self) -> Self {
        let label = Bilingual { zh: "回到首页", en: "Go to the first page" };
        self.0.retry = Some(Retry { label, url: links::HOME.to_owned() });
        self
    }

    /// Adds a cause for the operator. It is logged as a warning, and never sent to the caller.
    pub(crate) fn alert(mut self, cause: String) -> Self {
        self.0.alert = Some(cause);
        self
    }

    pub(crate) fn is_alert(&self) -> bool {
        self.0.alert.is_some()
    }

    /// The refusal of a sign-in, if it is one.
    pub(crate) fn sign_in_error(&self) -> Option<&SignInError> {
        match &self.0.cause {
            Cause::SignIn(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// WeCom's errcode, or an error number of ours.
    pub(crate) fn number(&self) -> i64 {
        match &self.0.cause {
            Cause::Number(number) => *number,
            Cause::SignIn(refusal) => refusal.code(),
            Cause::Element(code) => code.code,
        }
    }

    pub(crate) fn http_status(&self) -> StatusCode {
        self.0.status
    }

    /// True for a failure of the element function itself, which has HTTP 200 on the platform. A reached limit is not.
    pub(crate) fn is_of_the_function(&self) -> bool {
        !matches!(self.0.cause, Cause::Number(_) | Cause::SignIn(SignInError::LimitReached { .. }))
    }

    /// The reason for programs, next to the number.
    pub(crate) fn reason(&self, language: Language) -> String {
        let meaning = match &self.0.cause {
            Cause::Number(number) => explain(*number).meaning.text(language).to_owned(),
            Cause::SignIn(refusal) => refusal.to_code(language).reason,
            Cause::Element(code) => code.reason.clone(),
        };
        match &self.0.note {
            Some(note) => format!("{meaning} ({note})"),
            None => meaning,
        }
    }

    /// The heading of its page.
    pub(crate) fn title(&self) -> Bilingual {
        match &self.0.cause {
            Cause::Number(number) => error_numbers::of(*number).title,
            Cause::SignIn(refusal) => title_of(refusal),
            Cause::Element(_) => title::FAILED,
        }
    }

    /// The explanation on its page.
    pub(crate) fn explanation(&self) -> &'static Explanation {
        match &self.0.cause {
            Cause::Number(number) => explain(*number),
            Cause::SignIn(refusal) => refusal.explanation(),
            Cause::Element(_) => explain(APP_REFUSED),
        }
    }

    /// The values below the explanation on its page.
    pub(crate) fn details(&self) -> Vec<(Bilingual, String)> {
        let mut details = self.0.details.clone();
        match &self.0.cause {
            Cause::Number(_) => {}
            Cause::SignIn(refusal) => {
                if let Some(address) = refusal.caller_ip() {
                    let label =
                        Bilingual { zh: "需要加入企业可信IP的地址", en: "IP address to add" };
                    details.push((label, address));
                }
                if let SignInError::WeCom(error) = refusal
                    && let Some(hint) = error.hint_id()
                {
                    let label = Bilingual { zh: "企业微信的排查编号", en: "WeCom's hint id" };
                    details.push((label, hint.to_owned()));
                }
            }
            Cause::Element(code) if code.code == APP_REFUSED => {}
            Cause::Element(code) => {
                let label = Bilingual { zh: "应用给出的原因", en: "What the app says" };
                details.push((label, code.reason.clone()));
                let label = Bilingual { zh: "应用的错误码", en: "The app's error number" };
                details.push((label, code.code.to_string()));
            }
        }
        details
    }

    /// The link on its page. A refused sign-in can always start again.
    pub(crate) fn way_on(&self) -> Option<Retry> {
        let is_number = matches!(self.0.cause, Cause::Number(_));
        self.0.retry.clone().or_else(|| (!is_number).then(|| Retry::again(links::login(None, None))))
    }

    /// The cause for the log, in English; never sent to the caller.
    pub(crate) fn cause(&self) -> String {
        if let Some(cause) = &self.0.alert {
            return cause.clone();
        }
        match &self.0.cause {
            Cause::Number(number) => match &self.0.note {
                Some(note) => format!("{} ({note})", explain(*number).meaning.en),
                None => explain(*number).meaning.en.to_owned(),
            },
            Cause::SignIn(refusal) => refusal.to_string(),
            Cause::Element(code) => code.to_string(),
        }
    }
}

impl From<SignInError> for Rejection {
    fn from(refusal: SignInError) -> Self {
        let status = status_of(&refusal);
        Self::new(Cause::SignIn(refusal), status)
    }
}

impl From<wecom_login_store::Error> for Rejection {
    fn from(error: wecom_login_store::Error) -> Self {
        SignInError::from(error).into()
    }
}

impl From<Code> for Rejection {
    /// The error of an element call: the sign-in's refusal if it caused the error, the element's own refusal otherwise.
    fn from(code: Code) -> Self {
        match code.source().and_then(|cause| cause.downcast_ref::<SignInError>()) {
            Some(refusal) => refusal.clone().into(),
            None => Self::new(Cause::Element(code), StatusCode::FORBIDDEN),
        }
    }
}

impl IntoResponse for Rejection {
    /// An empty answer that carries the rejection to the border, which has the request context and the form.
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        if let Cause::SignIn(SignInError::LimitReached { retry_after }) = &self.0.cause {
            // RFC 9110, 10.2.3: whole seconds.
            let seconds = retry_after.as_millis().div_ceil(1000);
            if let Ok(seconds) = HeaderValue::from_str(&seconds.to_string()) {
                response.headers_mut().insert(RETRY_AFTER, seconds);
            }
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// The rejection that an answer carries, if any.
pub(crate) fn carried_by(response: &mut Response) -> Option<Arc<Rejection>> {
    response.extensions_mut().remove()
}

fn status_of(refusal: &SignInError) -> StatusCode {
    match refusal {
        SignInError::Terminal(Terminal::BadCode | Terminal::BrokenOff)
        | SignInError::StateMissing
        | SignInError::StateUnknown
        | SignInError::StateLost
        | SignInError::BindingLost
        | SignInError::StateExpired
        | SignInError::StateUsed
        | SignInError::StateOfAnotherBrowser
        | SignInError::StateOfLibrary
        | SignInError::InvalidId(..) => StatusCode::BAD_REQUEST,
        SignInError::Terminal(Terminal::RefusedByWeCom { .. }) => StatusCode::BAD_GATEWAY,
        SignInError::Terminal(_) => StatusCode::FORBIDDEN,
        SignInError::StillInProgress => StatusCode::CONFLICT,
        SignInError::LimitReached { .. } => StatusCode::TOO_MANY_REQUESTS,
        SignInError::WeCom(error) if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
        SignInError::WeCom(_) => StatusCode::BAD_GATEWAY,
        SignInError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        SignInError::Unforeseen(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn title_of(refusal: &SignInError) -> Bilingual {
    match refusal {
        SignInError::Terminal(Terminal::NotAMember | Terminal::MemberOfAnotherCompany) => title::NOT_A_MEMBER,
        SignInError::Terminal(Terminal::OutsideScope { .. }) => title::OUTSIDE_SCOPE,
        SignInError::Terminal(Terminal::NoAccount { reason: NoAccount::Unconfirmed }) => {
            Bilingual { zh: "需要管理员确认", en: "An administrator must confirm your return" }
        }
        SignInError::Terminal(Terminal::NoAccount { .. }) => {
            Bilingual { zh: "你在这里还没有账号", en: "You have no account here yet" }
        }
        SignInError::BindingLost
        | SignInError::Terminal(Terminal::BoundToAnother | Terminal::SessionGone) => {
            Bilingual { zh: "没有绑定", en: "Nothing was bound" }
        }
        SignInError::Terminal(Terminal::Disabled | Terminal::Left) => title::NOT_ACTIVE,
        SignInError::Terminal(Terminal::BadCode | Terminal::BrokenOff) | SignInError::StateUsed => {
            title::ALREADY_USED
        }
        SignInError::StateExpired => title::STATE_EXPIRED,
        SignInError::LimitReached { .. } => title::LIMIT_REACHED,
        SignInError::StateOfAnotherBrowser => title::OTHER_BROWSER,
        SignInError::StateMissing
        | SignInError::StateUnknown
        | SignInError::StateLost
        | SignInError::StateOfLibrary => title::STATE_UNKNOWN,
        SignInError::WeCom(error) if error.is_ip_not_allowed() => title::IP_NOT_ALLOWED,
        SignInError::WeCom(error) if error.is_rate_limited() => title::WECOM_LIMITED,
        SignInError::WeCom(error) if error.is_busy() || error.is_timeout() => title::WECOM_BUSY,
        SignInError::WeCom(error) if error.is_unavailable() => title::WECOM_UNREACHABLE,
        SignInError::WeCom(_) | SignInError::Terminal(Terminal::RefusedByWeCom { .. }) => title::SET_UP_WRONG,
        SignInError::Store(_) if refusal.is_of_storage() => title::UNAVAILABLE,
        SignInError::StillInProgress
        | SignInError::InvalidId(..)
        | SignInError::Store(_)
        | SignInError::Unforeseen(_) => title::FAILED,
    }
}
