use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wecom::Entropy;

/// The length of 256 bits in base64url.
pub const TOKEN_LENGTH: usize = 43;

/// 256 random bits in base64url without padding (RFC 4648, 5): [`TOKEN_LENGTH`] characters that nobody can guess.
pub fn random_token(entropy: &dyn Entropy) -> String {
    let mut bits = [0_u8; 32];
    entropy.fill(&mut bits);
    token_of(&bits)
}

/// These 256 bits in the form of [`random_token`].
pub fn token_of(bits: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(bits)
}

/// True if `text` has the form of a [`random_token`].
pub fn is_token(text: &str) -> bool {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == TOKEN_LENGTH && text.bytes().all(alphabet)
}

#[cfg(test)]
mod tests {
    use wecom::SeededEntropy;

    use super::*;

    #[test]
    fn a_token_is_recognized_by_its_form() {
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
