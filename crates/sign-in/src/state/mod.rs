//! The state of a sign-in: what its link carries, and the record that is kept of it.

mod record;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wecom_login_model::{AccountId, Entropy, Secret, Timestamp, alphanumeric};
use wecom_login_store::Sealer;

use crate::BrowserId;

pub(crate) use record::{
    CLAIM_LEASE, OUTCOME_LIFETIME, Outcome, Phase, Proven, RECORD_KEPT_FOR, Record, States, Versioned,
};

/// How long a sign-in may take from its link to its redirect.
pub(crate) const STATE_LIFETIME: Duration = Duration::from_mins(10);

/// A sign-in is begun again by itself at most this often.
const MAX_RESTARTS: u8 = 2;

/// A state: 66 characters of a-zA-Z0-9, which both sign-in links carry unharmed (WeCom 91022).
///
/// The record that is kept of it decides over it. The text itself is 24 random characters, how often the sign-in has been
/// begun again, when it was issued, and a mark of ours over these, the instance and the browser. By the mark a sign-in
/// whose record was lost (an emptied Redis) is known as one of ours, and begins again no oftener than any other.
#[derive(Clone, PartialEq, Eq)]
pub struct State(String);

impl State {
    const RANDOM: usize = 24;
    const RESTARTS: usize = 1;
    const SECONDS: usize = 9;
    const MARK: usize = 32;

    pub(crate) fn issue(
        sealer: &Sealer,
        entropy: &dyn Entropy,
        instance: &str,
        holder: Holder<'_>,
        purpose: &Purpose,
        now: Timestamp,
    ) -> Self {
        let random = alphanumeric(entropy, Self::RANDOM);
        let head = format!("{random}{:x}{:09x}", purpose.restarts.min(MAX_RESTARTS), now.as_secs());
        let place = match holder {
            Holder::Browser(browser) if purpose.binding.is_none() => marked_for(instance, browser),
            // Nothing is begun again for these without their record.
            _ => "state".to_owned(),
        };
        let mark = sealer.mark(&place, &head);
        Self(head + mark.expose())
    }

    /// What becomes of a sign-in whose state has no record, if the state was issued for it.
    pub(crate) fn lost(
        sealer: &Sealer,
        state: &Secret,
        instance: &str,
        browser: &BrowserId,
        now: Timestamp,
    ) -> Again {
        let text = state.expose();
        let split = Self::RANDOM + Self::RESTARTS + Self::SECONDS;
        if text.len() != split + Self::MARK || !text.is_ascii() {
            return Again::Never;
        }
        let (head, mark) = text.split_at(split);
        if sealer.mark(&marked_for(instance, browser), head) != Secret::new(mark) {
            return Again::Never;
        }
        let (restarts, seconds) = head[Self::RANDOM..].split_at(Self::RESTARTS);
        match (u8::from_str_radix(restarts, 16), i64::from_str_radix(seconds, 16)) {
            (Ok(restarts), Ok(seconds))
                if now < Timestamp::from_millis(seconds * 1000) + STATE_LIFETIME + RECORD_KEPT_FOR =>
            {
                Again::after(restarts, Purpose::default())
            }
            _ => Again::Never,
        }
    }

    /// The text that goes into the link.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}

fn marked_for(instance: &str, browser: &BrowserId) -> String {
    format!("state/{instance}/{}", browser.fingerprint().to_hex())
}

/// For whom a state is issued.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    /// A browser; only it can use the state.
    Browser(&'a BrowserId),
    /// A call of the library; never valid over HTTP.
    Library,
}

/// What a sign-in is begun for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purpose {
    /// Where the member wants to go.
    pub return_to: Option<String>,
    /// To bind whoever it proves, instead of signing them in.
    pub binding: Option<Binding>,
    /// How often the sign-in has been begun again by itself.
    pub restarts: u8,
}

/// What a sign-in was begun for that is to bind whoever it proves, instead of signing them in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The account to bind to.
    pub account: AccountId,
    /// The live session of that account, in the same browser, that asked for it.
    pub session: String,
}

/// Whether a sign-in that cannot be finished is begun again by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// Yes, for this.
    Begin(Purpose),
    /// It has been, as often as it may be.
    Enough,
    /// There is nothing to begin again, only something to explain.
    Never,
}

impl Again {
    /// After it has been begun again `restarts` times.
    fn after(restarts: u8, purpose: Purpose) -> Self {
        if restarts < MAX_RESTARTS {
            Self::Begin(Purpose { restarts: restarts + 1, ..purpose })
        } else {
            Self::Enough
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wecom_login_model::SeededEntropy;
    use wecom_login_store::SealKey;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn only_an_unchanged_state_is_known_again_by_its_browser_and_instance() {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
        let sealer = Sealer::new(&SealKey::generate(&entropy), entropy.clone()).unwrap();
        let [browser, other] = [(); 2].map(|()| BrowserId::generate(&entropy));
        let issue = |holder, restarts, binding| {
            let purpose = Purpose { restarts, binding, return_to: Some("/reports".to_owned()) };
            State::issue(&sealer, &entropy, "a.Staff", holder, &purpose, NOW)
        };
        let lost = |text: &str, instance, browser, now| {
            State::lost(&sealer, &Secret::new(text), instance, browser, now)
        };
        let begin = |restarts| Again::Begin(Purpose { restarts, ..Purpose::default() });
        let state = issue(Holder::Browser(&browser), 0, None);
        let text = state.as_str();
        assert!(text.len() == 66 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");

        assert_eq!(lost(text, "a.Staff", &browser, NOW), begin(1));
        let once = issue(Holder::Browser(&browser), 1, None);
        assert_eq!(lost(once.as_str(), "a.Staff", &browser, NOW), begin(2));
        let twice = issue(Holder::Browser(&browser), 2, None);
        assert_eq!(lost(twice.as_str(), "a.Staff", &browser, NOW), Again::Enough);

        assert_eq!(lost(text, "a.Staff", &other, NOW), Again::Never);
        assert_eq!(lost(text, "a.Other", &browser, NOW), Again::Never);
        let end = NOW + STATE_LIFETIME + RECORD_KEPT_FOR;
        assert_eq!(lost(text, "a.Staff", &browser, end), Again::Never);
        for at in 0..text.len() {
            let mut changed = text.to_owned().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(lost(&changed, "a.Staff", &browser, NOW), Again::Never, "{changed}");
            assert_eq!(lost(&text[..at], "a.Staff", &browser, NOW), Again::Never);
        }
        assert_eq!(lost(&"状".repeat(22), "a.Staff", &browser, NOW), Again::Never);

        let binding = Binding { account: AccountId(1), session: "s".to_owned() };
        for kept in [issue(Holder::Library, 0, None), issue(Holder::Browser(&browser), 0, Some(binding))] {
            assert_eq!(lost(kept.as_str(), "a.Staff", &browser, NOW), Again::Never);
        }
    }
}
