//! The state of a sign-in (RFC 6749, 10.12). Issuing one writes nothing: its text says what it was issued for, under a MAC. The
//! first write is the claim of its redirect, see [`claims`].

mod claims;

use std::fmt;
use std::time::Duration;

use wecom_login_model::{Entropy, Fingerprint, Secret, Timestamp, alphanumeric};
use wecom_login_store::Sealer;

use crate::{BrowserId, Flow};

pub(crate) use claims::{Claim, ClaimStep, Claims, OUTCOME_LIFETIME, Phase, Proven, Read};

/// How long a sign-in may take from its link to its redirect.
pub(crate) const STATE_LIFETIME: Duration = Duration::from_mins(10);
/// How long after its expiry a state is still recognised, to begin its sign-in again or to name the case.
pub(crate) const RECOGNISED_FOR: Duration = Duration::from_hours(1);

/// A sign-in is begun again by itself at most this often.
const MAX_RESTARTS: u8 = 2;

/// A state that was issued here: 108 characters of a-zA-Z0-9, which both sign-in links carry unharmed (WeCom 91022).
///
/// | characters | |
/// |---|---|
/// | 1 | version |
/// | 22 | random |
/// | 11 | millisecond of issue, hexadecimal |
/// | 1 | how often the sign-in was restarted |
/// | 1 | purpose |
/// | 16 | hash of the instance's name, 64 bits |
/// | 24 | hash of the owner, 96 bits |
/// | 32 | MAC over all of it, 128 bits |
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    text: String,
    issued_at: Timestamp,
    restarts: u8,
    purpose: Purpose,
}

/// What a state is good for. A state of one purpose never serves another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To sign the member in.
    SignIn,
    /// To bind the member to the account of a session.
    Bind,
}

/// The owner of a state: only they can use it.
#[derive(Debug, Clone, Copy)]
pub enum StateOwner<'a> {
    /// A browser.
    Browser(&'a BrowserId),
    /// A call of the library; never valid over HTTP.
    Library,
}

impl StateOwner<'_> {
    fn tag(self) -> String {
        let owner = match self {
            StateOwner::Browser(browser) => browser.fingerprint().to_hex(),
            StateOwner::Library => String::new(),
        };
        tag("owner", &owner, State::OWNER)
    }
}

impl State {
    const VERSION: char = '2';
    const RANDOM: usize = 22;
    const MILLIS: usize = 11;
    const INSTANCE: usize = 16;
    const OWNER: usize = 24;
    const MAC: usize = 32;
    const AT_MILLIS: usize = 1 + Self::RANDOM;
    const AT_RESTARTS: usize = Self::AT_MILLIS + Self::MILLIS;
    const AT_INSTANCE: usize = Self::AT_RESTARTS + 2;
    const AT_OWNER: usize = Self::AT_INSTANCE + Self::INSTANCE;
    const AT_MAC: usize = Self::AT_OWNER + Self::OWNER;

    pub(crate) fn issue(
        sealer: &Sealer,
        entropy: &dyn Entropy,
        instance: &str,
        owner: StateOwner<'_>,
        (purpose, restarts): (Purpose, u8),
        now: Timestamp,
    ) -> Self {
        let head = format!(
            "{}{}{:011x}{}{}{}{}",
            Self::VERSION,
            alphanumeric(entropy, Self::RANDOM),
            now.as_millis(),
            restarts.min(MAX_RESTARTS),
            purpose.letter(),
            tag("instance", instance, Self::INSTANCE),
            owner.tag(),
        );
        let mac = sealer.mark("state", &head);
        Self { text: head + mac.expose(), issued_at: now, restarts: restarts.min(MAX_RESTARTS), purpose }
    }

    /// Reads a state as it came back; `None` if it was not issued here.
    pub(crate) fn read(sealer: &Sealer, text: &Secret) -> Option<Self> {
        let text = text.expose();
        if text.len() != Self::AT_MAC + Self::MAC || !text.is_ascii() || !text.starts_with(Self::VERSION) {
            return None;
        }
        let (head, mac) = text.split_at(Self::AT_MAC);
        if sealer.mark("state", head) != Secret::new(mac) {
            return None;
        }
        let issued_at = i64::from_str_radix(&head[Self::AT_MILLIS..Self::AT_RESTARTS], 16).ok()?;
        let mut says = head[Self::AT_RESTARTS..].chars();
        let restarts = u8::try_from(says.next()?.to_digit(10)?).ok()?;
        let purpose = Purpose::of_letter(says.next()?)?;
        Some(Self { text: text.to_owned(), issued_at: Timestamp::from_millis(issued_at), restarts, purpose })
    }

    /// The text that goes into the link.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it is good for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// True for the instance that it was issued for.
    pub fn is_for(&self, instance: &str) -> bool {
        self.text[Self::AT_INSTANCE..Self::AT_OWNER] == tag("instance", instance, Self::INSTANCE)
    }

    /// True for its owner.
    pub fn is_of(&self, owner: StateOwner<'_>) -> bool {
        self.text[Self::AT_OWNER..Self::AT_MAC] == owner.tag()
    }

    pub(crate) fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    pub(crate) fn expires_at(&self) -> Timestamp {
        self.issued_at + STATE_LIFETIME
    }

    /// Until when it is recognised, and its claim is kept.
    pub(crate) fn recognised_until(&self) -> Timestamp {
        self.expires_at() + RECOGNISED_FOR
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.text)
    }

    /// The id of its flow cookie: the time first, so that ids sort by age.
    pub fn flow_id(&self) -> String {
        let hash = self.fingerprint().to_hex();
        format!("{}{}", &self.text[Self::AT_MILLIS..Self::AT_RESTARTS], &hash[..8])
    }

    /// What becomes of a sign-in of this state that cannot be finished and has no outcome.
    pub(crate) fn restart(&self) -> Restart {
        if self.restarts < MAX_RESTARTS { Restart::Retry(self.restarts + 1) } else { Restart::LimitReached }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({:?})", self.purpose)
    }
}

impl Purpose {
    const fn letter(self) -> char {
        match self {
            Self::SignIn => 's',
            Self::Bind => 'b',
        }
    }

    const fn of_letter(letter: char) -> Option<Self> {
        match letter {
            's' => Some(Self::SignIn),
            'b' => Some(Self::Bind),
            _ => None,
        }
    }
}

impl From<&Flow> for Purpose {
    fn from(flow: &Flow) -> Self {
        if flow.binding.is_some() { Self::Bind } else { Self::SignIn }
    }
}

/// Whether a sign-in that cannot be finished restarts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Yes; it is the restart of this number.
    Retry(u8),
    /// It was restarted as often as it may be.
    LimitReached,
    /// It has had an outcome, has expired long ago, or was to bind.
    No,
}

fn tag(of: &str, text: &str, length: usize) -> String {
    let mut hex = Fingerprint::of_parts([of, text]).to_hex();
    hex.truncate(length);
    hex
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wecom_login_model::SeededEntropy;
    use wecom_login_store::SealKey;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_123);

    fn sealer(seed: u64) -> Sealer {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        Sealer::new(&SealKey::generate(&entropy), entropy).unwrap()
    }

    #[test]
    fn a_state_says_what_it_was_issued_for_and_any_change_makes_it_unknown() {
        let (sealer, entropy) = (sealer(1), SeededEntropy::new(2));
        let [browser, other] = ["a", "b"].map(|letter| BrowserId::of_client(&letter.repeat(32)).unwrap());
        let owner = StateOwner::Browser(&browser);
        for (purpose, restarts) in [(Purpose::SignIn, 0), (Purpose::Bind, 0), (Purpose::SignIn, 2)] {
            let state = State::issue(&sealer, &entropy, "a.Staff", owner, (purpose, restarts), NOW);
            let text = state.as_str();
            assert!(text.len() == 108 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
            let read = State::read(&sealer, &Secret::new(text)).unwrap();
            assert_eq!(read, state);
            assert_eq!((read.issued_at(), read.purpose(), read.restarts), (NOW, purpose, restarts));
            assert!(read.is_for("a.Staff") && !read.is_for("a.Other"));
            assert!(read.is_of(owner) && !read.is_of(StateOwner::Library));
            assert!(!read.is_of(StateOwner::Browser(&other)));
            for at in 0..text.len() {
                let mut changed = text.to_owned().into_bytes();
                changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(State::read(&sealer, &Secret::new(&changed)), None, "{changed}");
                assert_eq!(State::read(&sealer, &Secret::new(&text[..at])), None);
            }
        }
        assert_eq!(State::read(&sealer, &Secret::new("状".repeat(36))), None);
        assert_eq!(State::read(&sealer, &Secret::new("2".repeat(108))), None);
    }

    #[test]
    fn a_state_of_another_key_is_unknown() {
        let state = State::issue(
            &sealer(1),
            &SeededEntropy::new(3),
            "a.Staff",
            StateOwner::Library,
            (Purpose::SignIn, 0),
            NOW,
        );
        assert_eq!(State::read(&sealer(2), &Secret::new(state.as_str())), None);
    }

    #[test]
    fn a_flow_opens_beside_its_own_state_alone() {
        let (sealer, entropy) = (sealer(1), SeededEntropy::new(2));
        let issue = || State::issue(&sealer, &entropy, "a", StateOwner::Library, (Purpose::SignIn, 0), NOW);
        let (state, other) = (issue(), issue());
        let flow = Flow { return_to: Some("https://login.example.com/报表".to_owned()), binding: None };
        let cookie = flow.seal(&sealer, &state).unwrap();
        assert_eq!(cookie.id, state.flow_id());
        assert_eq!(Flow::open(&sealer, &state, &cookie.value), Some(flow));
        assert_eq!(Flow::open(&sealer, &other, &cookie.value), None);
        assert_eq!(Flow::open(&sealer, &state, &Secret::new("x".repeat(Flow::LARGEST + 1))), None);
    }

    #[test]
    fn the_longest_flow_fits_into_its_cookie() {
        let sealer = sealer(1);
        let state =
            State::issue(&sealer, &SeededEntropy::new(2), "a", StateOwner::Library, (Purpose::Bind, 0), NOW);
        let binding =
            crate::Binding { account: wecom_login_model::AccountId(i64::MAX), session: "s".repeat(22) };
        let flow = Flow { return_to: Some("a".repeat(1500)), binding: Some(binding) };
        let cookie = flow.seal(&sealer, &state).unwrap();
        assert!(cookie.value.expose().len() < Flow::LARGEST);
        assert_eq!(Flow::open(&sealer, &state, &cookie.value), Some(flow));
    }
}
