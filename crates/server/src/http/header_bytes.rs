//! Request headers, read as bytes (RFC 9110, 5.5).
//!
//! A value may hold every byte except control characters: other programs on our host set cookies in Chinese, phones put their
//! maker's name into User-Agent, and proxies append to what a client has sent. So each part of a header is read by itself, and
//! a part that cannot be read hides no other part. `HeaderValue::to_str` discards the whole value because of one byte;
//! `clippy.toml` bans it.

use std::borrow::Cow;

use axum::http::header::AsHeaderName;
use axum::http::{HeaderMap, HeaderValue, header};

/// The parts of all values of a header, without the white space around them. Empty parts are left out.
pub(crate) fn parts(
    headers: &HeaderMap,
    name: impl AsHeaderName,
    separator: u8,
) -> impl DoubleEndedIterator<Item = &[u8]> {
    let values = headers.get_all(name).into_iter();
    let parts = values.flat_map(move |value| value.as_bytes().split(move |byte| *byte == separator));
    parts.map(<[u8]>::trim_ascii).filter(|part| !part.is_empty())
}

/// All values of a header as one list. Bytes that are not UTF-8 are U+FFFD.
pub(crate) fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Cow<'_, str> {
    let mut values = headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let first = values.next().unwrap_or_default();
    values.fold(first, |list, value| Cow::Owned(format!("{list}, {value}")))
}

/// The value of a header that may come once (RFC 9110, 5.3). If it comes several times with different values, this is the empty
/// value, which matches nothing: no sender is believed that another one contradicts.
pub(crate) fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&[u8]> {
    let mut values = headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    let first = values.next()?;
    Some(if values.all(|value| value == first) { first } else { b"" })
}

/// The type and subtype in Content-Type, in lower case, without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = single(headers, header::CONTENT_TYPE)?;
    let media_type = value.split(|byte| *byte == b';').next()?.trim_ascii();
    std::str::from_utf8(media_type).ok().map(str::to_ascii_lowercase)
}

/// Names and values of all cookies, in the order of the request (RFC 6265, 5.4). A cookie without a name, or whose name or
/// value is not UTF-8, is left out. A value in double quotes is the text between them.
///
/// Cookies are separated by semicolons only. If a comma separated them too, a site that may set a cookie for our host could
/// place any other cookie inside its value, even one with the prefix `__Host-`.
pub(crate) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    parts(headers, header::COOKIE, b';').filter_map(|cookie| {
        let equals = cookie.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (cookie[..equals].trim_ascii(), cookie[equals + 1..].trim_ascii());
        let (name, value) = (std::str::from_utf8(name).ok()?, std::str::from_utf8(unquoted(value)).ok()?);
        (!name.is_empty()).then_some((name, value))
    })
}

/// The text between double quotes, or the whole text if it has none.
pub(crate) fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_part_hides_no_other_part() {
        let list = headers("x", &[b"a, \xff ,, b", b"", b" \t,c"]);
        assert_eq!(parts(&list, "x", b',').collect::<Vec<_>>(), [&b"a"[..], b"\xff", b"b", b"c"]);
        assert_eq!(parts(&list, "x", b',').next_back(), Some(&b"c"[..]));
        assert_eq!(text(&list, "x"), "a, \u{fffd} ,, b, ,  \t,c");
        assert_eq!(text(&list, "absent"), "");
        assert_eq!(text(&headers("x", &["华为".as_bytes()]), "x"), "华为");
    }

    #[test]
    fn a_header_that_contradicts_itself_has_no_value() {
        assert_eq!(single(&headers("x", &[b"a", b"a"]), "x"), Some(&b"a"[..]));
        assert_eq!(single(&headers("x", &[b"a", b"b"]), "x"), Some(&b""[..]));
        assert_eq!(single(&headers("x", &[b"a\xff"]), "x"), Some(&b"a\xff"[..]));
        assert_eq!(single(&HeaderMap::new(), "x"), None);
    }

    #[test]
    fn a_media_type_has_parameters_in_any_encoding() {
        let read = |value: &[u8]| media_type(&headers("content-type", &[value]));
        assert_eq!(read(b" Application/JSON ; name=\"\xd5\xc5\"").as_deref(), Some("application/json"));
        assert_eq!(read(b"\xff/json"), None);
    }

    #[test]
    fn every_readable_cookie_is_found() {
        let list = headers(
            "cookie",
            &[
                b"=;;; broken; a=b=c; \"; q=\"x\"; open=\"y",
                "corp_user=张三; n =; \u{1f600}=1".as_bytes(),
                b"z=\xff; last= v ",
            ],
        );
        let read: Vec<_> = cookies(&list).collect();
        let expected = [
            ("a", "b=c"),
            ("q", "x"),
            ("open", "\"y"),
            ("corp_user", "张三"),
            ("n", ""),
            ("\u{1f600}", "1"),
            ("last", "v"),
        ];
        assert_eq!(read, expected);
    }
}
