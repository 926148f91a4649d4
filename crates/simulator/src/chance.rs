use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Where codes, tokens and probabilities come from: a keyed hash of a counter (SipHash), with keys of the
/// process, or with a given seed for a run that can be repeated.
#[derive(Debug)]
pub(crate) struct Chance {
    keys: RandomState,
    seed: Option<u64>,
    drawn: u64,
}

impl Chance {
    pub(crate) fn of_process() -> Self {
        Self { keys: RandomState::new(), seed: None, drawn: 0 }
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self { keys: RandomState::new(), seed: Some(seed), drawn: 0 }
    }

    /// 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        let Some(seed) = self.seed else {
            let mut hasher = self.keys.build_hasher();
            hasher.write_u64(self.drawn);
            return hasher.finish();
        };
        // SplitMix64: short, and equally distributed over all 64 bits.
        let mut bits = seed.wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number in `0..bound`; `bound` must not be 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// True with the given probability.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "53 of 64 random bits are enough for a probability")]
        let draw = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        draw < probability
    }

    /// `length` characters of `a-zA-Z0-9`.
    pub(crate) fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = String::with_capacity(length + 9);
        while text.len() < length {
            let mut bits = self.next();
            // 62^10 < 2^64: ten characters of one draw are all but evenly distributed.
            for _ in 0..10 {
                text.push(char::from(ALPHABET[usize::try_from(bits % 62).unwrap_or(0)]));
                bits /= 62;
            }
        }
        text.truncate(length);
        text
    }

    /// `length` decimal digits.
    pub(crate) fn digits(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 9);
        while text.len() < length {
            let mut bits = self.next();
            for _ in 0..10 {
                text.push(char::from(b'0' + u8::try_from(bits % 10).unwrap_or(0)));
                bits /= 10;
            }
        }
        text.truncate(length);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_length_and_do_not_repeat() {
        for mut chance in [Chance::of_process(), Chance::seeded(1)] {
            let mut seen = std::collections::HashSet::new();
            for _ in 0..1000 {
                let text = chance.text(43);
                assert_eq!((text.len(), chance.digits(25).len()), (43, 25));
                assert!(seen.insert(text));
            }
        }
    }

    #[test]
    fn probabilities_hold_at_their_ends() {
        let mut chance = Chance::seeded(3);
        assert!((0..100).all(|_| chance.happens(1.0)));
        assert!((0..100).all(|_| !chance.happens(0.0)));
    }
}
