use std::fmt;

use crate::Secret;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::CallbackError;

/// 43 characters have 258 bits, two more than the key. Most keys of WeCom's admin console have these bits set, which a
/// strict decoder rejects.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The EncodingAESKey of a callback: 43 characters that encode the 32 bytes of an AES key (WeCom 90968).
#[derive(Clone)]
pub struct EncodingAesKey(Zeroizing<[u8; 32]>);

impl EncodingAesKey {
    /// Parses the 43 characters of the admin console.
    pub fn parse(text: &str) -> Result<Self, CallbackError> {
        if text.len() != 43 {
            return Err(CallbackError::Key);
        }
        let bytes = Zeroizing::new(LENIENT.decode(text).map_err(|_| CallbackError::Key)?);
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return Err(CallbackError::Key);
        }
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// Like [`parse`](Self::parse), from a secret.
    pub fn from_secret(secret: &Secret) -> Result<Self, CallbackError> {
        Self::parse(secret.expose())
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for EncodingAesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncodingAesKey([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_bits_are_ignored() {
        // The last characters C, t, R and P have trailing bits; w has none.
        for last in ["C", "t", "R", "P", "w"] {
            let text = format!("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2{last}");
            assert!(EncodingAesKey::parse(&text).is_ok(), "{last}");
        }
    }

    #[rstest::rstest]
    #[case("")]
    #[case("123456789012345678901234567890123456789012")]
    #[case("12345678901234567890123456789012345678901234")]
    #[case("4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIw$")]
    #[case("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2=")]
    #[case("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2码")]
    fn bad_keys(#[case] text: &str) {
        assert_eq!(EncodingAesKey::parse(text).unwrap_err(), CallbackError::Key);
    }
}
