//! Repairs damaged texts in JSON: in answers and in callbacks. WeCom cuts names in the middle of a character and passes on what people paste:
//! user/list has been seen with cut UTF-8, lone surrogates (half an emoji) and raw control characters. JSON forbids all
//! three, so one name would make the members of a whole department unreadable.
//!
//! Only what is inside strings is repaired. An answer that is cut or not WeCom's at all stays unreadable.

use std::borrow::Cow;

/// `body` with readable texts; borrowed if nothing had to be changed. Invalid UTF-8 and lone surrogates become U+FFFD,
/// raw control characters are escaped, a backslash that begins no escape stands for itself, and a byte order mark is
/// dropped.
pub(crate) fn repaired(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) => repaired_strings(text),
        Cow::Owned(text) => match repaired_strings(&text) {
            Cow::Borrowed(_) => Cow::Owned(text),
            Cow::Owned(repaired) => Cow::Owned(repaired),
        },
    }
}

/// `text` with well-formed strings.
fn repaired_strings(text: &str) -> Cow<'_, str> {
    let mut repaired = String::new();
    // Everything before this byte is in `repaired`, unless nothing has been repaired yet.
    let mut copied = 0;
    let mut replace = |from: usize, to: usize, with: &str| {
        repaired.push_str(&text[copied..from]);
        repaired.push_str(with);
        copied = to;
    };
    let bytes = text.as_bytes();
    let (mut at, mut is_in_string) = (0, false);
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'"' => {
                is_in_string = !is_in_string;
                at + 1
            }
            b'\\' if is_in_string => {
                let escape = Escape::at(text, at);
                if let Some(with) = escape.replacement {
                    replace(at, escape.end, with);
                }
                escape.end
            }
            0..0x20 if is_in_string => {
                replace(at, at + 1, &format!("\\u{byte:04x}"));
                at + 1
            }
            _ => at + 1,
        };
        at = end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    repaired.push_str(&text[copied..]);
    Cow::Owned(repaired)
}

/// What begins with a backslash.
struct Escape {
    /// The byte after it.
    end: usize,
    /// What must stand in its place.
    replacement: Option<&'static str>,
}

impl Escape {
    fn at(text: &str, backslash: usize) -> Self {
        let good = |end| Self { end, replacement: None };
        let lost = |end| Self { end, replacement: Some("\u{fffd}") };
        match text.as_bytes().get(backslash + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => good(backslash + 2),
            Some(b'u') => match CodeUnit::at(text, backslash) {
                None => lost(backslash + 2 + hex_digits(text, backslash + 2)),
                Some(CodeUnit::Low) => lost(backslash + UNIT),
                Some(CodeUnit::Whole) => good(backslash + UNIT),
                Some(CodeUnit::High) => match CodeUnit::at(text, backslash + UNIT) {
                    Some(CodeUnit::Low) => good(backslash + 2 * UNIT),
                    _ => lost(backslash + UNIT),
                },
            },
            _ => Self { end: backslash + 1, replacement: Some("\\\\") },
        }
    }
}

/// The bytes of `\u` with its four digits.
const UNIT: usize = 6;

/// A UTF-16 code unit, by its place in a surrogate pair.
#[derive(PartialEq, Eq)]
enum CodeUnit {
    Whole,
    High,
    Low,
}

impl CodeUnit {
    /// The code unit that is escaped at this byte, if one is.
    fn at(text: &str, backslash: usize) -> Option<Self> {
        let escaped = text.get(backslash..backslash + UNIT)?.strip_prefix("\\u")?;
        if hex_digits(text, backslash + 2) < 4 {
            return None;
        }
        match u16::from_str_radix(escaped, 16).ok()? {
            0xd800..=0xdbff => Some(Self::High),
            0xdc00..=0xdfff => Some(Self::Low),
            _ => Some(Self::Whole),
        }
    }
}

/// How many hexadecimal digits begin at this byte, at most four.
fn hex_digits(text: &str, from: usize) -> usize {
    text.as_bytes()[from..].iter().take(4).take_while(|byte| byte.is_ascii_hexdigit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[rstest::rstest]
    #[case(b"\xe5\xbc\xa0\xe5\xbc", "张\u{fffd}")]
    #[case(b"\xe5\xbc\xa0\\ud83d", "张\u{fffd}")]
    #[case(b"\\uD83D\\uDE00", "\u{1f600}")]
    #[case(b"\\ud83d\\ud83d\\ude00", "\u{fffd}\u{1f600}")]
    #[case(b"\\ude00\\ud83d", "\u{fffd}\u{fffd}")]
    #[case(b"\\ud83dx", "\u{fffd}x")]
    #[case(b"\\ud83d\\n", "\u{fffd}\n")]
    #[case(b"\\ud83d\\ude", "\u{fffd}\u{fffd}")]
    #[case(b"\\u", "\u{fffd}")]
    #[case(b"\\u12\xe5\xbc\xa0", "\u{fffd}张")]
    #[case(b"\xed\xa0\xbd", "\u{fffd}\u{fffd}\u{fffd}")]
    #[case(b"a\x08\x1f\n\tb", "a\u{8}\u{1f}\n\tb")]
    #[case(b"C:\\x \\\\ \\\"", "C:\\x \\ \"")]
    #[case(b"\xd5\xc5", "\u{fffd}\u{fffd}")]
    fn a_damaged_text_becomes_readable(#[case] inside: &[u8], #[case] text: &str) {
        let body = [b"\xef\xbb\xbf{\"name\":\"", inside, b"\",\"a\\\"b\":[1]}"].concat();
        let value: Value = serde_json::from_str(&repaired(&body)).unwrap();
        assert_eq!((value["name"].as_str(), &value["a\"b"][0]), (Some(text), &Value::from(1)));
    }

    #[test]
    fn what_is_outside_of_strings_stays_as_it_is() {
        for text in ["{\n\t\"a\": 1\r\n}", "\\ud83d", "<html>\u{1}", "", "{\"a", "\"\\"] {
            assert!(matches!(repaired_strings(text), Cow::Borrowed(_)) || text == "\"\\", "{text:?}");
        }
    }

    /// Any JSON.
    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// What may happen to a text, short of a raw quotation mark or a cut in the middle of an escape: those end the string.
    fn damage() -> impl Strategy<Value = Vec<u8>> {
        let byte = any::<u8>().prop_filter("ends the string", |byte| !matches!(byte, b'"' | b'\\'));
        let piece = prop_oneof![
            byte.prop_map(|byte| vec![byte]),
            any::<u16>().prop_map(|unit| format!("\\u{unit:04X}").into_bytes()),
            (0xd7f0_u16..0xe010).prop_map(|unit| format!("\\u{unit:04x}").into_bytes()),
            (0xd7f0_u16..0xe010, 0_usize..4)
                .prop_map(|(unit, kept)| { format!("\\u{}", &format!("{unit:04x}")[..kept]).into_bytes() }),
            "[^\"\\\\]{0,3}".prop_map(String::into_bytes),
            Just(b"\\n".to_vec()),
            Just(b"\\q".to_vec()),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_well_formed_document_is_never_changed(document in documents(), pretty: bool, ascii: bool) {
            let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
            let mut text = text.unwrap();
            if ascii {
                // As many writers do: everything beyond ASCII as an escape.
                text = text.encode_utf16().map(|unit| match u8::try_from(unit) {
                    Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
                    _ => format!("\\u{unit:04x}"),
                }).collect();
            }
            prop_assert!(matches!(repaired(text.as_bytes()), Cow::Borrowed(same) if same == text));
        }

        #[test]
        fn whatever_is_damaged_inside_a_string_leaves_the_rest_readable(inside in damage(), other in any::<String>()) {
            let other = Value::from(other);
            let body = [b"{\"name\":\"", &inside[..], b"\",\"other\":", other.to_string().as_bytes(), b"}"].concat();
            let text = repaired(&body).into_owned();
            let value: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&value["other"], &other);
            prop_assert!(matches!(repaired(text.as_bytes()), Cow::Borrowed(_)), "once is enough");
        }

        #[test]
        fn any_bytes_are_repaired_without_panic_and_only_once(body: Vec<u8>) {
            let text = repaired(&body).into_owned();
            let same = matches!(repaired(text.as_bytes()), Cow::Borrowed(_));
            prop_assert!(same || text.starts_with('\u{feff}'), "{:?}", text);
        }
    }
}
