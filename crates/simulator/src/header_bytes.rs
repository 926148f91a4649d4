//! Request headers, read as bytes: a value may hold every byte except control characters, and a part that cannot be read
//! hides no other part. `HeaderValue::to_str` discards the whole value; `clippy.toml` bans it.

use std::borrow::Cow;

use axum::http::header::AsHeaderName;
use axum::http::{HeaderMap, HeaderValue, header};

/// All values of a header as one list, if there are any. Bytes that are not UTF-8 are U+FFFD.
pub(crate) fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<Cow<'_, str>> {
    let values = headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.reduce(|list, value| Cow::Owned(format!("{list}, {value}")))
}

/// The values of all cookies with this name.
pub(crate) fn cookies<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().map(HeaderValue::as_bytes);
    lines.flat_map(|line| line.split(|byte| *byte == b';')).filter_map(move |cookie| {
        let value = cookie.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        std::str::from_utf8(value).ok()
    })
}
