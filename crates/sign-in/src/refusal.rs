use serde::{Deserialize, Serialize};
use wecom_login_accounts::NoAccount;
use wecom_login_element::Code;
use wecom_login_model::{Explanation, Language};

use crate::error_numbers::{explain, number};

/// Why a sign-in was refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// What WeCom's answer, once given, settles for good.
    #[error(transparent)]
    Settled(#[from] Settled),
    /// No state came.
    #[error("the state is missing")]
    StateMissing,
    /// The state is none of ours, or was issued for another instance.
    #[error("the state was not issued here")]
    StateUnknown,
    /// The state is older than 10 minutes.
    #[error("the state has expired")]
    StateExpired,
    /// The state was used before.
    #[error("the state was used before")]
    StateUsed,
    /// The state was issued to another browser.
    #[error("the state was issued to another browser")]
    StateOfAnotherBrowser,
    /// The state was issued by a call of the library.
    #[error("the state was issued by a library call")]
    StateOfLibrary,
    /// The same redirect is being worked on and does not come to an end.
    #[error("the same sign-in is still under way")]
    StillUnderWay,
    /// A text that can be no identifier, with the number that WeCom gives to such a one.
    #[error("{0}")]
    NoId(&'static str, i64),
    /// WeCom refused or did not answer; the same redirect may be tried again.
    #[error("WeCom: {0}")]
    WeCom(wecom::Error),
    /// The database refused or did not answer.
    #[error(transparent)]
    Store(#[from] wecom_login_store::Error),
    /// What nobody foresaw.
    #[error("{0}")]
    Unforeseen(String),
}

/// Refusals that another try of the same redirect cannot change; they are its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
pub enum Settled {
    /// The code is not, or no longer, one that WeCom takes.
    #[error("the code is not valid, or was used before")]
    BadCode,
    /// An earlier try of the same redirect may have used the code up, and did not come to tell whose it was: WeCom was cut
    /// off, or the process died.
    #[error("the sign-in broke off after its code was used up")]
    BrokenOff,
    /// An openid came: no member of the company.
    #[error("whoever scanned is not a member of the company")]
    NotAMember,
    /// A member of a linked company.
    #[error("whoever scanned is a member of another company")]
    MemberOfAnotherCompany,
    /// A member whom the app may not see.
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
    /// No account, and the instance makes none.
    #[error("the member has no account and gets none ({reason:?})")]
    NoAccount {
        /// Why not.
        reason: NoAccount,
    },
    /// To be bound, and bound to another account.
    #[error("the member is bound to another account")]
    BoundToAnother,
    /// To be bound for a session that has ended.
    #[error("the session that the member was to be bound for has ended")]
    SessionGone,
}

impl Refusal {
    /// WeCom's errcode where WeCom refused; a number of ours otherwise.
    pub fn code(&self) -> i64 {
        match self {
            Self::Settled(Settled::BadCode) => number::BAD_CODE,
            Self::Settled(Settled::BrokenOff) => number::BROKEN_OFF,
            Self::Settled(Settled::NotAMember) => number::NOT_A_MEMBER,
            Self::Settled(Settled::MemberOfAnotherCompany) => number::MEMBER_OF_ANOTHER_COMPANY,
            Self::Settled(Settled::OutsideScope { errcode }) | Self::NoId(_, errcode) => *errcode,
            Self::Settled(Settled::Disabled) => number::MEMBER_DISABLED,
            Self::Settled(Settled::Left) => number::MEMBER_LEFT,
            Self::Settled(Settled::NoAccount { .. }) => number::NO_ACCOUNT,
            Self::Settled(Settled::BoundToAnother) => number::BOUND_TO_ANOTHER,
            Self::Settled(Settled::SessionGone) => number::BINDING_WITHOUT_SESSION,
            Self::StateMissing => number::STATE_MISSING,
            Self::StateUnknown => number::STATE_UNKNOWN,
            Self::StateExpired => number::STATE_EXPIRED,
            Self::StateUsed => number::STATE_USED,
            Self::StateOfAnotherBrowser => number::STATE_OF_ANOTHER_BROWSER,
            Self::StateOfLibrary => number::STATE_OF_LIBRARY,
            Self::StillUnderWay => number::STILL_UNDER_WAY,
            Self::WeCom(error) => error.errcode().unwrap_or(number::WECOM_UNAVAILABLE),
            Self::Store(_) if self.is_of_storage() => number::STORAGE_UNAVAILABLE,
            Self::Store(_) | Self::Unforeseen(_) => Code::UNFORESEEN,
        }
    }

    /// What kind of refusal it is, in one word: for counting and for the audit log. There are only these.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Settled(settled) => settled.kind(),
            Self::StateMissing => "state_missing",
            Self::StateUnknown | Self::StateOfLibrary => "state_unknown",
            Self::StateExpired => "state_expired",
            Self::StateUsed => "state_used",
            Self::StateOfAnotherBrowser => "state_of_another_browser",
            Self::StillUnderWay => "still_under_way",
            Self::NoId(..) => "bad_code",
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

    /// True when the same redirect may be delivered again with another result.
    pub fn may_be_tried_again(&self) -> bool {
        matches!(self, Self::WeCom(_) | Self::Store(_) | Self::StillUnderWay | Self::Unforeseen(_))
    }
}

impl Settled {
    fn kind(self) -> &'static str {
        match self {
            Self::BadCode => "bad_code",
            Self::BrokenOff => "broken_off",
            Self::NotAMember => "not_a_member",
            Self::MemberOfAnotherCompany => "member_of_another_company",
            Self::OutsideScope { .. } => "outside_scope",
            Self::Disabled => "disabled",
            Self::Left => "left",
            Self::NoAccount { .. } => "no_account",
            Self::BoundToAnother => "bound_to_another",
            Self::SessionGone => "session_gone",
        }
    }
}
