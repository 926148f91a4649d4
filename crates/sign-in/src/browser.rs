//! The name of a browser, to which states are bound.

use std::fmt;
use std::time::Duration;

use wecom_login_model::{Entropy, Fingerprint, Secret, Timestamp, alphanumeric};
use wecom_login_store::Sealer;

/// The longest lifetime of a cookie in browsers (RFC 6265bis, 5.5). An older name counts as none.
const COOKIE_LIFETIME: Duration = Duration::from_hours(400 * 24);

/// The name of a browser: from our cookie, or from a client that names itself in a header. It is needed to finish the
/// browser's sign-ins, so it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserId {
    kind: Kind,
    name: Secret,
}

/// A state that was issued to a name of one kind is of no use to the same name of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cookie,
    Header,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Header => "header",
        }
    }
}

impl BrowserId {
    /// The name that a client chose at random, because our cookie does not reach it: 32 to 128 characters of base64url. `None`
    /// for any other text.
    pub fn of_client(text: &str) -> Option<Self> {
        let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let usable = (32..=128).contains(&text.len()) && text.bytes().all(alphabet);
        usable.then(|| Self { kind: Kind::Header, name: Secret::new(text) })
    }

    /// The value of the cookie.
    pub fn secret(&self) -> &Secret {
        &self.name
    }

    /// What stands for it in a state and in the database.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_parts([self.kind.as_str(), self.name.expose()])
    }
}

impl fmt::Debug for BrowserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrowserId({} {:?})", self.kind.as_str(), self.fingerprint())
    }
}

/// Issues the names that our cookie holds, and recognises them: a random value, the second of issue, and a MAC over both. An
/// invented name counts as none, so nobody can choose the name of another person's browser.
#[derive(Debug, Clone)]
pub struct BrowserNames(Sealer);

impl BrowserNames {
    const RANDOM: usize = 32;
    const SECONDS: usize = 9;
    const MAC: usize = 32;

    /// The names that `sealer`'s key marks.
    pub fn new(sealer: Sealer) -> Self {
        Self(sealer)
    }

    /// A new name.
    pub fn issue(&self, entropy: &dyn Entropy, now: Timestamp) -> BrowserId {
        let head = format!("{}{:09x}", alphanumeric(entropy, Self::RANDOM), now.as_secs());
        let name = Secret::new(format!("{head}{}", self.mac(&head).expose()));
        BrowserId { kind: Kind::Cookie, name }
    }

    /// The name in a cookie; `None` if it was not issued here, or if the cookie should have expired.
    pub fn read(&self, cookie: &str, now: Timestamp) -> Option<BrowserId> {
        if cookie.len() != Self::RANDOM + Self::SECONDS + Self::MAC || !cookie.is_ascii() {
            return None;
        }
        let (head, mac) = cookie.split_at(Self::RANDOM + Self::SECONDS);
        if self.mac(head) != Secret::new(mac) {
            return None;
        }
        let issued_at = i64::from_str_radix(&head[Self::RANDOM..], 16).ok()?;
        let lives = now < Timestamp::from_millis(issued_at * 1000) + COOKIE_LIFETIME;
        lives.then(|| BrowserId { kind: Kind::Cookie, name: Secret::new(cookie) })
    }

    fn mac(&self, head: &str) -> Secret {
        self.0.mark("browser", head)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wecom_login_model::SeededEntropy;
    use wecom_login_store::SealKey;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    /// F24: on plain http anybody can set a cookie, so a name that was not issued here counts as none.
    #[test]
    fn an_invented_browser_name_is_as_good_as_none() {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
        let names = |seed| {
            let key = SealKey::generate(&SeededEntropy::new(seed));
            BrowserNames::new(Sealer::new(&key, entropy.clone()).unwrap())
        };
        let (ours, others) = (names(1), names(2));
        let issued = ours.issue(&entropy, NOW);
        let text = issued.secret().expose();
        assert_eq!(ours.read(text, NOW), Some(issued.clone()));
        assert_eq!(others.read(text, NOW), None);
        assert_eq!(ours.read(text, NOW + COOKIE_LIFETIME), None);
        for invented in ["", &"a".repeat(32), &"a".repeat(text.len()), &text[1..], &"状".repeat(30)] {
            assert_eq!(ours.read(invented, NOW), None, "{invented}");
        }
        for at in 0..text.len() {
            let mut changed = text.to_owned().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(ours.read(&String::from_utf8(changed).unwrap(), NOW), None);
        }
    }

    #[test]
    fn the_same_text_as_a_header_is_another_browser() {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
        let names = BrowserNames::new(Sealer::new(&SealKey::generate(&entropy), entropy.clone()).unwrap());
        let by_cookie = names.issue(&entropy, NOW);
        let by_header = BrowserId::of_client(by_cookie.secret().expose()).unwrap();
        assert_ne!(by_cookie.fingerprint(), by_header.fingerprint());
        for text in ["short", &"a".repeat(129), &"=".repeat(40), &"名".repeat(20)] {
            assert_eq!(BrowserId::of_client(text), None, "{text}");
        }
    }
}
