use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync + fmt::Debug + 'static {
    /// Fills `bytes`.
    ///
    /// # Panics
    /// When the system cannot supply random bytes: nothing secure can be done without them.
    fn fill(&self, bytes: &mut [u8]);
}

impl<E: Entropy + ?Sized> Entropy for Arc<E> {
    fn fill(&self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

/// The random generator of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        clippy::expect_used,
        reason = "the only call of the system's generator; no secret may be made without randomness"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system supplies random bytes");
    }
}

/// A reproducible sequence for tests. It is predictable: never use it in production.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededEntropy {
    /// The sequence that belongs to `seed`.
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

/// `length` random characters of `a-zA-Z0-9`, evenly distributed. WeCom allows this alphabet in a `state` (WeCom
/// 96441). 32 characters hold 190 bits.
///
/// ```
/// use wecom::{SystemEntropy, alphanumeric};
/// let state = alphanumeric(&SystemEntropy, 32);
/// assert_eq!(state.len(), 32);
/// ```
pub fn alphanumeric(entropy: &dyn Entropy, length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        entropy.fill(&mut bytes);
        for byte in bytes {
            // 248 = 4 * 62: larger bytes would favour the first letters of the alphabet.
            if byte < 248 && text.len() < length {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphanumeric_has_the_requested_length_and_never_repeats() {
        let entropy = SeededEntropy::new(7);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            let text = alphanumeric(&entropy, 32);
            assert_eq!(text.len(), 32);
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(seen.insert(text));
        }
    }
}
