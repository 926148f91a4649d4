use std::time::Duration;

use url::Url;

use super::look::Look;
use crate::company::SensitiveField;
use crate::grants::{Expiring, Person};

/// Sign-ins that were opened, by the key in their links: good for five minutes, like the code they end in.
pub(crate) fn sign_ins() -> Expiring<SignIn> {
    Expiring::new(24, Duration::from_mins(5))
}

/// What a page was asked for, and how far it came.
#[derive(Clone)]
pub(crate) struct SignIn {
    pub(crate) corpid: String,
    /// Absent on an OAuth link without `agentid`.
    pub(crate) agentid: Option<u64>,
    pub(crate) redirect: Url,
    pub(crate) state: Option<String>,
    pub(crate) look: Look,
    pub(crate) page: Page,
    pub(crate) progress: Progress,
}

/// Which page it is.
#[derive(Clone)]
pub(crate) enum Page {
    /// `wwlogin/sso/login`.
    Login {
        redirect: RedirectType,
        /// The origin that messages go to: the page that embeds the panel, or where the redirect would lead.
        listener: String,
        /// Its path and query, to begin anew.
        again: String,
    },
    /// `wwopen/sso/qrConnect`: refuses members outside the visible scope.
    QrConnect,
    /// `connect/oauth2/authorize` at "whose phone is this?"; the path leads back.
    Device { back: String },
    /// `connect/oauth2/authorize` at its consent page.
    Consent { who: Person, fields: Vec<SensitiveField> },
}

/// `redirect_type` of the sign-in page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RedirectType {
    /// The top window goes to the redirect URI.
    Top,
    /// The window (or frame) of the page itself does.
    Itself,
    /// None does: the code goes to the parent by message.
    Callback,
}

/// How far the phone came.
#[derive(Clone)]
pub(crate) enum Progress {
    Waiting,
    Scanned,
    /// Confirmed or declined on the phone: where the waiting page goes.
    Done {
        location: String,
    },
}
