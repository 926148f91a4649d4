use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Where unguessable bytes come from.
pub trait Entropy: Send + Sync + fmt::Debug + 'static {
    /// Fills `bytes`.
    ///
    /// # Panics
    /// When the system has no randomness to give: nothing secure can be done then.
    fn fill(&self, bytes: &mut [u8]);
}

impl<E: Entropy + ?Sized> Entropy for Arc<E> {
    fn fill(&self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

/// The operating system's random generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        clippy::expect_used,
        reason = "the one place that asks the system; without randomness no secret may be made"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// A reproducible sequence for tests. Guessable: never for production.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededEntropy {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = self.drawn.fetch_add(1, Ordering::Relaxed);
            let mut hash = Sha256::new();
            hash.update(self.seed.to_be_bytes());
            hash.update(block.to_be_bytes());
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
        }
    }
}

/// `length` random characters of `a-zA-Z0-9`, evenly distributed: the alphabet that WeCom allows in a `state`
/// (WeCom 96441). 32 characters hold 190 bits.
pub fn alphanumeric(entropy: &dyn Entropy, length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        entropy.fill(&mut bytes);
        for byte in bytes {
            // 248 = 4 * 62: bytes above would favour the first letters of the alphabet.
            if byte < 248 && text.len() < length {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
    }
    text
}

/// How long 256 bits are in base64url.
pub const TOKEN_LENGTH: usize = 43;

/// 256 random bits in base64url without padding (RFC 4648, 5): [`TOKEN_LENGTH`] characters that nobody guesses.
pub fn random_token(entropy: &dyn Entropy) -> String {
    let mut bits = [0_u8; 32];
    entropy.fill(&mut bits);
    token_of(&bits)
}

/// These 256 bits as [`random_token`] writes random ones.
pub fn token_of(bits: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(bits)
}

/// True for what [`random_token`] may have made.
pub fn is_token(text: &str) -> bool {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == TOKEN_LENGTH && text.bytes().all(alphabet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphanumeric_has_the_length_asked_for_and_never_repeats() {
        let entropy = SeededEntropy::new(7);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            let text = alphanumeric(&entropy, 32);
            assert_eq!(text.len(), 32);
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(seen.insert(text));
        }
    }

    #[test]
    fn a_token_is_known_by_its_form() {
        let entropy = SeededEntropy::new(7);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            let text = random_token(&entropy);
            assert!(is_token(&text), "{text}");
            assert!(seen.insert(text));
        }
        assert_eq!(token_of(&[0xff; 32]), format!("{}8", "_".repeat(42)));
        let (short, long) = ("a".repeat(42), "a".repeat(44));
        for text in ["", &short, &long, &"=".repeat(43), &"+".repeat(43), &format!("{}张", "a".repeat(40))] {
            assert!(!is_token(text), "{text}");
        }
    }
}
