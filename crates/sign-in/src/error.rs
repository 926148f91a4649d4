use std::time::Duration;

use serde::{Deserialize, Serialize};
use wecom_login_accounts::NoAccount;
use wecom_login_element::Code;
use wecom_login_model::{Explanation, Language};

use crate::Refused;
use crate::error_numbers::{explain, number};

/// Why a sign-in was refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignInError {
    /// Another try with this code and state cannot change the refusal.
    #[error(transparent)]
    Terminal(#[from] Terminal),
    /// The request has no state.
    #[error("the state is missing")]
    StateMissing,
    /// The state was not issued here, or for another instance.
    #[error("the state was not issued here")]
    StateUnknown,
    /// The state is older than 10 minutes.
    #[error("the state has expired")]
    StateExpired,
    /// The state was used before.
    #[error("the state was used before")]
    StateUsed,
    /// The records of used states were lost after the state was issued: nobody knows whether it was used.
    #[error("the records of used states were lost since the state was issued")]
    StateLost,
    /// The state was issued to another browser.
    #[error("the state was issued to another browser")]
    StateOfAnotherBrowser,
    /// The state was issued by a call of the library.
    #[error("the state was issued by a library call")]
    StateOfLibrary,
    /// The state is for a binding, and the browser did not bring its flow cookie.
    #[error("the browser did not bring the cookie of the binding")]
    BindingLost,
    /// The same redirect is in progress and does not come to an end.
    #[error("the same sign-in is still in progress")]
    StillInProgress,
    /// Too many guesses from this address; WeCom was not asked.
    #[error("too many failures from this address within a minute")]
    LimitReached {
        /// The time until another attempt may be admitted.
        retry_after: Duration,
    },
    /// The text cannot be an identifier; the number is the one that WeCom gives to such a text.
    #[error("{0}")]
    InvalidId(&'static str, i64),
    /// WeCom did not answer, or not usably; the same redirect may be tried again.
    #[error("WeCom: {0}")]
    WeCom(wecom::Error),
    /// The database refused or did not answer.
    #[error(transparent)]
    Store(#[from] wecom_login_store::Error),
    /// An unexpected failure.
    #[error("{0}")]
    Unforeseen(String),
}

/// Refusals that another try of the same redirect cannot change: they are its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub enum Terminal {
    /// WeCom does not accept the code, or no longer.
    #[error("the code is not valid, or was used before")]
    BadCode,
    /// WeCom refused for another reason, such as a code of another app.
    #[error("WeCom refused with {errcode}")]
    #[serde(rename_all = "camelCase")]
    RefusedByWeCom {
        /// WeCom's errcode.
        errcode: i64,
    },
    /// An earlier try of the same redirect may have used up the code without learning whose it was: the answer was cut off, or
    /// the process died.
    #[error("the sign-in was interrupted after its code was used up")]
    BrokenOff,
    /// WeCom gave an openid: not a member of the company.
    #[error("the person who scanned is not a member of the company")]
    NotAMember,
    /// A member of a linked company.
    #[error("the person who scanned is a member of another company")]
    MemberOfAnotherCompany,
    /// The app may not see the member.
    #[error("the member is outside the app's visible scope (errcode {errcode})")]
    #[serde(rename_all = "camelCase")]
    OutsideScope {
        /// WeCom's errcode.
        errcode: i64,
    },
    /// Status 2.
    #[error("the member is disabled")]
    Disabled,
    /// Status 5, or marked as having left while they signed in.
    #[error("the member has left the company")]
    Left,
    /// The member has no account, and the instance creates none.
    #[error("the member has no account and gets none ({reason:?})")]
    NoAccount {
        /// Why not.
        reason: NoAccount,
    },
    /// The member to bind has another account.
    #[error("the member is bound to another account")]
    BoundToAnother,
    /// The session for which the member was to be bound has ended.
    #[error("the session that the member was to be bound for has ended")]
    SessionGone,
}

impl SignInError {
    /// WeCom's errcode where WeCom refused; a number of ours otherwise.
    pub fn code(&self) -> i64 {
        match self {
            Self::Terminal(Terminal::BadCode) => number::BAD_CODE,
            Self::Terminal(Terminal::BrokenOff) => number::BROKEN_OFF,
            Self::Terminal(Terminal::NotAMember) => number::NOT_A_MEMBER,
            Self::Terminal(Terminal::MemberOfAnotherCompany) => number::MEMBER_OF_ANOTHER_COMPANY,
            Self::Terminal(Terminal::OutsideScope { errcode } | Terminal::RefusedByWeCom { errcode })
            | Self::InvalidId(_, errcode) => *errcode,
            Self::Terminal(Terminal::Disabled) => number::MEMBER_DISABLED,
            Self::Terminal(Terminal::Left) => number::MEMBER_LEFT,
            Self::Terminal(Terminal::NoAccount { reason: NoAccount::Unconfirmed }) => {
                number::RETURN_UNCONFIRMED
            }
            Self::Terminal(Terminal::NoAccount { .. }) => number::NO_ACCOUNT,
            Self::Terminal(Terminal::BoundToAnother) => number::BOUND_TO_ANOTHER,
            Self::Terminal(Terminal::SessionGone) => number::BINDING_WITHOUT_SESSION,
            Self::StateMissing => number::STATE_MISSING,
            Self::StateUnknown | Self::StateLost => number::STATE_UNKNOWN,
            Self::StateExpired => number::STATE_EXPIRED,
            Self::StateUsed => number::STATE_USED,
            Self::StateOfAnotherBrowser => number::STATE_OF_ANOTHER_BROWSER,
            Self::StateOfLibrary => number::STATE_OF_LIBRARY,
            Self::BindingLost => number::BINDING_LOST,
            Self::StillInProgress => number::STILL_UNDER_WAY,
            Self::LimitReached { .. } => number::TOO_MANY_FAILURES,
            Self::WeCom(error) => error.errcode().unwrap_or(number::WECOM_UNAVAILABLE),
            Self::Store(_) if self.is_of_storage() => number::STORAGE_UNAVAILABLE,
            Self::Store(_) | Self::Unforeseen(_) => Code::UNFORESEEN,
        }
    }

    /// What kind of refusal it is, in one word: for counting and for the audit log. There are only these.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Terminal(settled) => settled.kind(),
            Self::StateMissing => "state_missing",
            Self::StateUnknown | Self::StateOfLibrary => "state_unknown",
            Self::StateExpired => "state_expired",
            Self::StateUsed => "state_used",
            Self::StateOfAnotherBrowser => "state_of_another_browser",
            Self::StateLost => "state_lost",
            Self::BindingLost => "binding_lost",
            Self::StillInProgress => "still_under_way",
            Self::LimitReached { .. } => "locked_out",
            Self::InvalidId(..) => "bad_code",
            Self::WeCom(error) if error.is_unavailable() => "wecom_unavailable",
            Self::WeCom(_) => "wecom_refused",
            Self::Store(_) => "database",
            Self::Unforeseen(_) => "unforeseen",
        }
    }

    /// What happened, who can fix it and how.
    pub fn explanation(&self) -> &'static Explanation {
        explain(self.code())
    }

    /// The error that callers of the functions get, in their language.
    pub fn to_code(&self, language: Language) -> Code {
        let explanation = self.explanation();
        let meaning = explanation.meaning.text(language);
        let reason = match (self.caller_ip(), language) {
            (None, _) => meaning.to_owned(),
            (Some(ip), Language::Zh) => format!("{meaning}（需要加入企业可信IP的地址：{ip}）"),
            (Some(ip), Language::En) => format!("{meaning} (address to add to the trusted IPs: {ip})"),
        };
        Code::new(self.code(), reason).caused_by(self.clone())
    }

    /// The address that WeCom saw us come from, where that is what the administrator must know.
    pub fn caller_ip(&self) -> Option<String> {
        match self {
            Self::WeCom(error) if error.is_ip_not_allowed() => error.caller_ip().map(str::to_owned),
            _ => None,
        }
    }

    /// True when the service's own storage is out of reach, busy or full: it comes back by itself, or the operator brings
    /// it back.
    pub fn is_of_storage(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_unavailable() || error.is_full())
    }

    /// The refusal that WeCom's error amounts to. Time-outs, unusable answers, 5xx, -1, 60020, 45009 and 45033 say nothing about
    /// the code, which may be tried again; every other errcode is final for it.
    pub(crate) fn of_wecom(error: wecom::Error) -> Self {
        match error.errcode() {
            Some(errcode) if !error.is_transient() => Terminal::RefusedByWeCom { errcode }.into(),
            _ => Self::WeCom(error),
        }
    }
}

impl From<Refused> for SignInError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::LimitReached { retry_after } => Self::LimitReached { retry_after },
            Refused::Store(error) => Self::Store(error),
        }
    }
}

impl Terminal {
    fn kind(self) -> &'static str {
        match self {
            Self::BadCode => "bad_code",
            Self::RefusedByWeCom { .. } => "wecom_refused",
            Self::BrokenOff => "broken_off",
            Self::NotAMember => "not_a_member",
            Self::MemberOfAnotherCompany => "member_of_another_company",
            Self::OutsideScope { .. } => "outside_scope",
            Self::Disabled => "disabled",
            Self::Left => "left",
            Self::NoAccount { reason: NoAccount::Unconfirmed } => "return_unconfirmed",
            Self::NoAccount { .. } => "no_account",
            Self::BoundToAnother => "bound_to_another",
            Self::SessionGone => "session_gone",
        }
    }
}
