use std::fmt;
use std::sync::Arc;

use wecom_login_model::{Entropy, Fingerprint, Secret, alphanumeric};

use crate::Instance;

/// The long-lived random name of a browser, kept in its cookie, or by a client that names itself. Whoever knows it can finish the browser's sign-ins,
/// so it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserId(Secret);

impl BrowserId {
    const LENGTH: usize = 32;

    /// A new browser.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(alphanumeric(entropy, Self::LENGTH)))
    }

    /// Takes what a cookie held. `None` when it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let ours = text.len() == Self::LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        ours.then(|| Self(Secret::new(text)))
    }

    /// The browser of a client that named it itself, at random, because our cookie does not reach it. `None` when the text
    /// is no such name: 32 to 128 characters of base64url.
    ///
    /// What comes out can be no cookie's value, nor a cookie's value such a name: a state that was issued to the one kind
    /// is of no use to the other.
    pub fn of_client(text: &str) -> Option<Self> {
        let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let usable = (Self::LENGTH..=128).contains(&text.len()) && text.bytes().all(alphabet);
        let digits = || Fingerprint::of_parts(["client", text]).to_hex()[..Self::LENGTH].to_owned();
        usable.then(|| Self(Secret::new(digits())))
    }

    /// The value of the cookie.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// What is stored in its place.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.0.expose())
    }
}

impl fmt::Debug for BrowserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrowserId({:?})", self.fingerprint())
    }
}

/// What WeCom sent a browser back with, or what its page handed to getLoginCode.
#[derive(Clone)]
pub struct Redirect {
    /// The instance that is asked to accept it.
    pub instance: Arc<Instance>,
    /// The code, as it came.
    pub code: Secret,
    /// The state, as it came.
    pub state: Secret,
    /// The browser that brought it.
    pub browser: BrowserId,
}

impl Redirect {
    /// What makes two deliveries the same: instance, code, state and browser.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_parts([
            self.instance.full_name(),
            self.code.expose(),
            self.state.expose(),
            self.browser.secret().expose(),
        ])
    }
}
