use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use url::Url;

use super::words::Language;
use crate::chance::Chance;
use crate::clock::Moment;
use crate::company::SensitiveField;
use crate::grants::Person;

/// A sign-in page is good for five minutes, like the code that it ends in.
const LIFETIME: Duration = Duration::from_mins(5);

/// Sign-ins that were opened and not forgotten yet, by the key in their links.
#[derive(Default)]
pub(crate) struct SignIns {
    open: HashMap<String, SignIn>,
    by_age: VecDeque<(Moment, String)>,
}

/// What a page was asked for, and how far it came.
#[derive(Clone)]
pub(crate) struct SignIn {
    pub(crate) corpid: String,
    /// Absent on an OAuth link without `agentid`.
    pub(crate) agentid: Option<u64>,
    pub(crate) redirect: Url,
    pub(crate) state: Option<String>,
    pub(crate) language: Language,
    pub(crate) page: Page,
    pub(crate) progress: Progress,
}

/// Which page it is.
#[derive(Clone)]
pub(crate) enum Page {
    /// `wwlogin/sso/login`, with where its redirect goes.
    Login(RedirectType),
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

impl SignIns {
    pub(crate) fn open(&mut self, sign_in: SignIn, now: Moment, chance: &mut Chance) -> String {
        while self.by_age.front().is_some_and(|(expires, _)| *expires <= now) {
            if let Some((_, key)) = self.by_age.pop_front() {
                self.open.remove(&key);
            }
        }
        let key = chance.text(24);
        self.open.insert(key.clone(), sign_in);
        self.by_age.push_back((now + LIFETIME, key.clone()));
        key
    }

    /// The sign-in, unless it is older than five minutes.
    pub(crate) fn get(&mut self, key: &str, now: Moment) -> Option<&mut SignIn> {
        let old =
            self.by_age.iter().take_while(|(expires, _)| *expires <= now).any(|(_, other)| other == key);
        self.open.get_mut(key).filter(|_| !old)
    }
}
