use super::FilterError;

const QUOTED: &str = "the closing quote of the text";
const NUMBER: &str = "a whole number between -9223372036854775808 and 9223372036854775807";

/// Reads words, texts and numbers from a filter's text, and keeps its position.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The position of the next character that is not white space, for a later error.
    pub(super) fn mark(&mut self) -> usize {
        self.skip_space();
        self.at
    }

    pub(super) fn error_at(&self, mark: usize, expected: impl Into<String>) -> FilterError {
        let before = self.text.get(..mark).unwrap_or(self.text);
        FilterError::new(before.chars().count() + 1, expected.into())
    }

    pub(super) fn error(&mut self, expected: impl Into<String>) -> FilterError {
        let mark = self.mark();
        self.error_at(mark, expected)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.skip_space();
        self.rest().is_empty()
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.rest().chars().next()
    }

    /// Consumes `sign` if it is next.
    pub(super) fn take(&mut self, sign: char) -> bool {
        let comes = self.peek() == Some(sign);
        if comes {
            self.at += sign.len_utf8();
        }
        comes
    }

    pub(super) fn expect(&mut self, sign: char, expected: &str) -> Result<(), FilterError> {
        if self.take(sign) { Ok(()) } else { Err(self.error(expected)) }
    }

    /// The next ASCII letters, digits and `_`; empty if there are none.
    pub(super) fn word(&mut self) -> &'a str {
        self.skip_space();
        let rest = self.rest();
        let end = rest.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// A whole number that is not followed by a letter, a digit or a point.
    pub(super) fn number(&mut self) -> Result<i64, FilterError> {
        let mark = self.mark();
        let minus = if self.take('-') { "-" } else { "" };
        let digits = self.rest().chars().next().filter(char::is_ascii_digit).map_or("", |_| self.word());
        match format!("{minus}{digits}").parse() {
            Ok(number) if !self.rest().starts_with('.') => Ok(number),
            _ => Err(self.error_at(mark, NUMBER)),
        }
    }

    /// A text in either kind of quotes, with Python's escapes.
    pub(super) fn quoted(&mut self) -> Result<String, FilterError> {
        let mark = self.mark();
        let mut signs = self.rest().char_indices();
        let Some((_, quote @ ('\'' | '"'))) = signs.next() else {
            return Err(self.error_at(mark, "a text in quotes"));
        };
        let mut value = String::new();
        while let Some((at, sign)) = signs.next() {
            match sign {
                '\\' => {
                    let escape = self.rest().get(at + 1..).unwrap_or_default();
                    let Some((plain, length)) = unescape(escape) else {
                        let expected =
                            r#"an escape such as \\, \', \", \n, \r, \t, \xHH, \uHHHH or \UHHHHHHHH"#;
                        return Err(self.error_at(mark + at, expected));
                    };
                    value.push(plain);
                    // All characters of an escape are ASCII.
                    for _ in 0..length {
                        signs.next();
                    }
                }
                sign if sign == quote => {
                    self.at = mark + at + sign.len_utf8();
                    return Ok(value);
                }
                sign => value.push(sign),
            }
        }
        Err(self.error_at(self.text.len(), QUOTED))
    }
}

/// An escape after the backslash: its character and its length in bytes.
fn unescape(escape: &str) -> Option<(char, usize)> {
    let number = |digits: usize| {
        let hex = escape.get(1..=digits).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let sign = char::from_u32(u32::from_str_radix(hex, 16).ok()?)?;
        Some((sign, digits + 1))
    };
    match escape.chars().next()? {
        sign @ ('\\' | '\'' | '"') => Some((sign, 1)),
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        'x' => number(2),
        'u' => number(4),
        'U' => number(8),
        _ => None,
    }
}
