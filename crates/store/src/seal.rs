//! Sealing of values at rest: AES-256-GCM with a random nonce, bound to the place where the value is kept. And marks on
//! values that are given out, by which they are known again.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use wecom_login_model::{Entropy, Secret};

/// The text is no key, or the sealed value is not of this key and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not 32 bytes in Base64.
    #[error(
        "the key must be 32 random bytes in Base64 (44 characters), as `openssl rand -base64 32` makes them"
    )]
    BadKey,
    /// Changed, cut, sealed with another key, or kept in another place.
    #[error("the sealed value does not open with this key")]
    DoesNotOpen,
}

/// The key that seals values at rest.
#[derive(Clone)]
pub struct SealKey(Secret);

impl SealKey {
    /// A new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0_u8; 32];
        entropy.fill(&mut bytes);
        Self(Secret::new(STANDARD.encode(bytes)))
    }

    /// Takes 32 bytes in Base64.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        match STANDARD.decode(text.trim()) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(Secret::new(text.trim()))),
            _ => Err(SealError::BadKey),
        }
    }

    /// The key in Base64, to keep in a file that only its owner can read.
    pub fn to_base64(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey")
    }
}

/// Seals and opens values, and marks them; cheap to clone.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<LessSafeKey>,
    marks: Arc<hmac::Key>,
    entropy: Arc<dyn Entropy>,
}

impl Sealer {
    /// A sealer with `key`.
    pub fn new(key: &SealKey, entropy: Arc<dyn Entropy>) -> Result<Self, SealError> {
        let bytes = STANDARD.decode(key.0.expose()).map_err(|_| SealError::BadKey)?;
        // One key, two uses: the second gets a key that is derived from it.
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), b"wecom-login marks");
        let marks = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()));
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| SealError::BadKey)?;
        Ok(Self { key: Arc::new(LessSafeKey::new(key)), marks, entropy })
    }

    /// Seals `secret` for `place`, which must be named again to open it.
    pub fn seal(&self, place: &str, secret: &Secret) -> Result<String, SealError> {
        let mut nonce = [0_u8; NONCE_LEN];
        self.entropy.fill(&mut nonce);
        let mut sealed = secret.expose().as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| SealError::DoesNotOpen)?;
        Ok(STANDARD_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what was sealed for `place`.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Secret, SealError> {
        let mut bytes = STANDARD_NO_PAD.decode(sealed).map_err(|_| SealError::DoesNotOpen)?;
        if bytes.len() < NONCE_LEN {
            return Err(SealError::DoesNotOpen);
        }
        let mut ciphertext = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| SealError::DoesNotOpen)?;
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut ciphertext)
            .map_err(|_| SealError::DoesNotOpen)?;
        let text = std::str::from_utf8(plain).map_err(|_| SealError::DoesNotOpen)?;
        Ok(Secret::new(text))
    }

    /// The mark on `text` for `place`: whoever has the key knows by it that it was given out here, even when nothing is
    /// kept of it. HMAC-SHA256 (RFC 2104), its first 128 bits in hexadecimal digits.
    pub fn mark(&self, place: &str, text: &str) -> Secret {
        let mut context = hmac::Context::with_key(&self.marks);
        for part in [place, text] {
            // No two pairs are the same bytes.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        let hex = tag.as_ref().iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Secret::new(hex)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wecom_login_model::SeededEntropy;

    #[test]
    fn opens_only_unchanged_in_its_place_with_its_key() {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
        let sealer = Sealer::new(&SealKey::generate(&entropy), entropy.clone()).unwrap();
        let other = Sealer::new(&SealKey::generate(&entropy), entropy).unwrap();
        let secret = Secret::from("令牌 token");
        let sealed = sealer.seal("outcome/1", &secret).unwrap();

        assert_eq!(sealer.open("outcome/1", &sealed).unwrap(), secret);
        assert_ne!(sealed, sealer.seal("outcome/1", &secret).unwrap());
        assert_eq!(sealer.open("outcome/2", &sealed), Err(SealError::DoesNotOpen));
        assert_eq!(other.open("outcome/1", &sealed), Err(SealError::DoesNotOpen));
        for cut in 0..sealed.len() {
            assert_eq!(sealer.open("outcome/1", &sealed[..cut]), Err(SealError::DoesNotOpen));
        }
    }

    #[test]
    fn a_mark_is_of_one_text_one_place_and_one_key() {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(3));
        let sealer = Sealer::new(&SealKey::generate(&entropy), entropy.clone()).unwrap();
        let other = Sealer::new(&SealKey::generate(&entropy), entropy).unwrap();
        let mark = sealer.mark("state", "text");
        assert_eq!(mark, sealer.mark("state", "text"));
        assert_eq!(mark.expose().len(), 32);
        assert_ne!(mark, other.mark("state", "text"));
        for (place, text) in [("state", "texT"), ("statet", "ext"), ("", "statetext")] {
            assert_ne!(mark, sealer.mark(place, text));
        }
    }

    #[test]
    fn a_key_is_32_bytes_of_base64() {
        for text in ["", "short", "!", &"A".repeat(42)] {
            assert_eq!(SealKey::parse(text).unwrap_err(), SealError::BadKey);
        }
        let key = SealKey::generate(&SeededEntropy::new(2));
        assert_eq!(SealKey::parse(key.to_base64().expose()).unwrap().0, key.0);
    }
}
