//! What a refusal tells: one table of WeCom's errcodes (WeCom 90313). The predicates of [`Error`](crate::Error) and
//! [`Concern`] come from it, so that a sync, an event and a sign-in cannot read the same number differently.
//!
//! WeCom reports a failure of the app in place of an answer about a member: 50003 to user/get says nothing about that
//! member. A caller that takes it for "the member is gone" ends the sessions of people who are present, and one that
//! takes it for a fault of this one request gives the request up.

#![expect(clippy::unreadable_literal, reason = "an error number is read as WeCom writes it")]

/// The subject of a failed call: what the caller learns from it, and whether the next call would fail too.
///
/// ```
/// use wecom::Concern;
/// assert_eq!(Concern::of_errcode(60111), Concern::NotVisible);
/// assert_eq!(Concern::of_errcode(50003), Concern::App);
/// assert_eq!(Concern::of_errcode(-1), Concern::Moment);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Concern {
    /// An answer: the app does not see the member or department, or it does not exist. WeCom does not tell which.
    NotVisible,
    /// WeCom refuses this request. Nothing is learned about its subject, and other requests may succeed.
    Request,
    /// The app cannot make this call until somebody changes a setting, in WeCom or on this machine. Nothing is learned
    /// about the subject, and every other request of the same kind fails too.
    App,
    /// WeCom cannot answer now. Nothing is learned about the subject; the same request may succeed later.
    Moment,
}

impl Concern {
    /// What an errcode other than 0 concerns. A number that the table does not have concerns the request alone: it is no
    /// answer about the subject, it costs one row instead of everything that the app could still read, and a code that
    /// WeCom refuses with it cannot be tried for ever.
    pub fn of_errcode(errcode: i64) -> Self {
        Cause::of_errcode(errcode).map_or(Self::Request, Cause::concern)
    }
}

/// The cause of a refusal, as finely as a caller must know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The authorization code is wrong, used or expired.
    BadCode,
    /// A parameter or the state of the data does not allow this request.
    BadRequest,
    /// The member or department does not exist or is outside the visible scope.
    NotVisible,
    /// corpId and secret are wrong or missing.
    WrongCredentials,
    /// The token is wrong or expired.
    BadToken,
    /// This machine's address is not trusted.
    UntrustedAddress,
    /// The app or the company is disabled, may not make this call, or is not set up for it.
    Blocked,
    /// The app may not make this call; other calls may succeed.
    CallNotAllowed,
    /// Too many calls.
    RateLimited,
    /// WeCom is busy.
    Busy,
}

impl Cause {
    pub(crate) const fn of_errcode(errcode: i64) -> Option<Self> {
        Some(match errcode {
            40029 | 40078 | 41008 | 42003 | 42022 => Self::BadCode,

            // Not 40066, 40068, 81011, 81013 and 301021: they refuse a list or an id of another kind.
            40003 | 46004 | 50002 | 60003 | 60011 | 60021 | 60111 | 60123 => Self::NotVisible,

            40001 | 40013 | 40091 | 41002 | 41004 | 45031 | 2000002 => Self::WrongCredentials,
            40014 | 42001 => Self::BadToken,
            60020 => Self::UntrustedAddress,

            // No token has arrived: the client always sends one, so something between here and WeCom removes it.
            41001
            // A token of a suite (third-party apps).
            | 40082 | 42009
            // The app has no callback URL, or its URL or domain is not verified.
            | 40057 | 43012 | 80001 | 85005
            // The company has more accounts than it may have.
            | 45024
            // The app is disabled or banned from calls, or the company is dissolved or blocked.
            | 50003 | 50006 | 60031 | 301007 => Self::Blocked,

            // The agentid is wrong, missing or another app's.
            40056 | 41011 | 301002
            // The secret has no permission for this call, the call was retired, or the permission was withdrawn.
            | 48001 | 48002 | 48003 | 48004 | 48005 | 48006 | 48009 => Self::CallNotAllowed,

            45009 | 45033 => Self::RateLimited,
            // 6000: another change of the same data was in progress.
            -1 | 6000 => Self::Busy,

            // A parameter.
            40058 | 40063 | 40066 | 40068 | 40088 | 40089 | 41009 | 81011 | 81013 | 82001 | 84025 | 91040 | 301021
            // The answer would be too large.
            | 45029
            // A ticket, code or signature of another flow.
            | 40093 | 42007 | 42012 | 42013 | 84014 | 84015 | 84090
            // The domain of the redirect is not registered, or the code is another app's: the two are not told apart.
            | 50001
            // A change of contacts.
            | 60102 | 60103 | 60104 | 301005 | 301036 => Self::BadRequest,

            _ => return None,
        })
    }

    pub(crate) const fn concern(self) -> Concern {
        match self {
            Self::NotVisible => Concern::NotVisible,
            Self::BadCode | Self::BadRequest => Concern::Request,
            Self::WrongCredentials
            | Self::BadToken
            | Self::UntrustedAddress
            | Self::Blocked
            | Self::CallNotAllowed => Concern::App,
            Self::RateLimited | Self::Busy => Concern::Moment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explanations;

    /// O4: a number that is explained but not in the table would concern the request by default, unnoticed.
    #[test]
    fn every_explained_errcode_has_a_concern() {
        for row in explanations() {
            assert!(Cause::of_errcode(row.code).is_some(), "{}", row.code);
        }
    }

    /// O4: a number that concerns the app or the moment must never say that a member is gone.
    #[test]
    fn only_these_errcodes_say_that_somebody_is_not_visible() {
        let not_visible: Vec<i64> =
            (-10..3_000_000).filter(|code| Concern::of_errcode(*code) == Concern::NotVisible).collect();
        assert_eq!(not_visible, [40003, 46004, 50002, 60003, 60011, 60021, 60111, 60123]);
    }

    #[test]
    fn an_app_that_cannot_answer_is_told_from_a_request_and_from_a_moment() {
        let apps = [
            40001, 40013, 40014, 41001, 42001, 45024, 48001, 48002, 48004, 48005, 48006, 50003, 50006, 60020,
            60031, 301007,
        ];
        for errcode in apps {
            assert_eq!(Concern::of_errcode(errcode), Concern::App, "{errcode}");
        }
        for errcode in [-1, 45009, 45033] {
            assert_eq!(Concern::of_errcode(errcode), Concern::Moment, "{errcode}");
        }
        for errcode in [1, 40029, 40058, 50001, 99_999, i64::MAX, i64::MIN] {
            assert_eq!(Concern::of_errcode(errcode), Concern::Request, "{errcode}");
        }
    }
}
