use super::{InvalidFilter, MAX_WILDCARDS};

/// The pattern of `like` and `startswith`. It ignores the case of ASCII letters.
///
/// The platform documents `like` as "contains", with values both plain (`'John'`) and with SQL's wildcard (`'%John%'`).
/// Both are accepted: without `%`, the text may be anywhere; with `%`, the whole value must match, and each `%` matches
/// any characters or none. `_` matches only itself. `\%` and `\\` are the plain characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<String>,
}

impl Pattern {
    pub(super) fn like(text: &str) -> Result<Self, InvalidFilter> {
        let mut pieces = vec![String::new()];
        let mut signs = text.chars().peekable();
        while let Some(sign) = signs.next() {
            let plain = match sign {
                '%' => {
                    pieces.push(String::new());
                    continue;
                }
                '\\' => signs.next_if(|next| matches!(next, '%' | '\\')).unwrap_or(sign),
                other => other,
            };
            if let Some(piece) = pieces.last_mut() {
                piece.push(plain);
            }
        }
        if pieces.len() > MAX_WILDCARDS + 1 {
            return Err(InvalidFilter::TooManyWildcards);
        }
        if pieces.len() == 1 {
            pieces.insert(0, String::new());
            pieces.push(String::new());
        }
        Ok(Self { pieces })
    }

    pub(super) fn starting_with(text: String) -> Self {
        Self { pieces: vec![text, String::new()] }
    }

    /// The texts that must occur in this order, with any characters or none between them. There are at least two: the
    /// first must be at the start, the last at the end.
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// The text that [`Pattern::like`] parses to this pattern.
    pub(super) fn to_like(&self) -> String {
        let plain = |piece: &String| piece.replace('\\', "\\\\").replace('%', "\\%");
        match self.pieces.as_slice() {
            [before, middle, after] if before.is_empty() && after.is_empty() => plain(middle),
            pieces => pieces.iter().map(plain).collect::<Vec<_>>().join("%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn pieces(text: &str) -> Vec<String> {
        let pattern = Pattern::like(text).unwrap();
        assert_eq!(Pattern::like(&pattern.to_like()).unwrap(), pattern, "{text:?} comes back");
        pattern.pieces
    }

    #[test]
    fn plain_texts_may_stand_anywhere_and_wildcards_fix_the_ends() {
        assert_eq!(pieces("张"), ["", "张", ""]);
        assert_eq!(pieces("%张%"), ["", "张", ""]);
        assert_eq!(pieces("张%"), ["张", ""]);
        assert_eq!(pieces("a%b%c"), ["a", "b", "c"]);
        assert_eq!(pieces(""), ["", "", ""]);
        assert_eq!(pieces("%"), ["", ""]);
    }

    #[test]
    fn a_backslash_makes_the_sign_after_it_plain() {
        assert_eq!(pieces(r"100\%"), ["", "100%", ""]);
        assert_eq!(pieces(r"a\\%"), [r"a\", ""]);
        assert_eq!(pieces(r"a\b\"), ["", r"a\b\", ""], "before anything else it is itself");
        assert_eq!(pieces("a_b"), ["", "a_b", ""]);
    }

    #[test]
    fn wildcards_are_counted() {
        assert!(Pattern::like(&"%".repeat(MAX_WILDCARDS)).is_ok());
        assert_eq!(Pattern::like(&"%".repeat(MAX_WILDCARDS + 1)), Err(InvalidFilter::TooManyWildcards));
    }
}
