//! How the types of values are read from their text. A type that several sections use stands here, the others beside their
//! section.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;
use wecom_login_model::{Bilingual, DURATION_PATTERN, DURATION_RULE, duration_text, parse_duration};

use super::declaration::{Declaration, Kind, Shape};

/// Why a text is no value of its key.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The sentence without its subject: `must be an address and a port …`.
    pub(crate) text: String,
    /// The texts that are meant. They are shown, unless the key is secret.
    pub(crate) values: Vec<String>,
}

impl Problem {
    /// The text breaks the rule of its kind.
    pub(crate) fn breaks(kind: &Kind, value: &str) -> Self {
        Self::must(kind.rule, value)
    }

    /// The text must be something else.
    pub(crate) fn must(rule: &str, value: &str) -> Self {
        Self { text: format!("must be {rule}"), values: vec![value.to_owned()] }
    }

    /// A sentence that says what is wrong without the value.
    pub(crate) fn other(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }
}

/// The value of a key.
pub(crate) trait Value: Sized {
    /// How it is written.
    const KIND: &'static Kind;
    /// What holds when there is neither a value nor a default.
    fn unset() -> Self;
    /// Reads it. `texts` has one text, except for a list.
    fn read(texts: &[String], key: &Declaration) -> Result<Self, Problem>;
}

/// A value of one text, which may stand alone, be left out, or stand in a list.
pub(crate) trait Scalar: Sized {
    /// How it is written.
    const KIND: &'static Kind;
    /// How a list of such values is written; none by default.
    const LIST: &'static Kind = Declaration::UNSET.kind;
    /// Reads the text, which is trimmed and not blank.
    fn read(text: &str, key: &Declaration) -> Result<Self, Problem>;
}

/// A scalar that a section holds without an `Option`.
pub(crate) trait Bare: Scalar {
    /// What holds when there is neither a value nor a default.
    const UNSET: fn() -> Self;
}

impl<T: Bare> Value for T {
    const KIND: &'static Kind = <T as Scalar>::KIND;

    fn unset() -> Self {
        (T::UNSET)()
    }

    fn read(texts: &[String], key: &Declaration) -> Result<Self, Problem> {
        <T as Scalar>::read(only(texts), key)
    }
}

impl<T: Scalar> Value for Option<T> {
    const KIND: &'static Kind = <T as Scalar>::KIND;

    fn unset() -> Self {
        None
    }

    fn read(texts: &[String], key: &Declaration) -> Result<Self, Problem> {
        <T as Scalar>::read(only(texts), key).map(Some)
    }
}

impl<T: Scalar> Value for Vec<T> {
    const KIND: &'static Kind = T::LIST;

    fn unset() -> Self {
        Self::new()
    }

    fn read(texts: &[String], key: &Declaration) -> Result<Self, Problem> {
        read_list(texts, key)
    }
}

fn only(texts: &[String]) -> &str {
    texts.first().map_or("", String::as_str)
}

/// Reads every text, or names all that are wrong.
pub(crate) fn read_list<T: Scalar>(texts: &[String], key: &Declaration) -> Result<Vec<T>, Problem> {
    let (mut items, mut wrong) = (Vec::new(), Vec::new());
    for text in texts {
        match <T as Scalar>::read(text, key) {
            Ok(item) => items.push(item),
            Err(problem) => wrong.push(problem),
        }
    }
    if wrong.is_empty() {
        return Ok(items);
    }
    let values = wrong.into_iter().flat_map(|problem| problem.values).collect();
    Err(Problem { text: format!("must hold {}", T::LIST.rule), values })
}

impl Scalar for bool {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Flag,
        label: Bilingual { zh: "开关", en: "switch" },
        rule: "true or false (or 1, 0, yes, no, on, off)",
        pattern: "",
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(Problem::breaks(<Self as Scalar>::KIND, text)),
        }
    }
}

impl Bare for bool {
    const UNSET: fn() -> Self = || false;
}

impl Scalar for u32 {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Number,
        label: Bilingual { zh: "整数", en: "whole number" },
        rule: "a whole number",
        pattern: "",
    };

    fn read(text: &str, key: &Declaration) -> Result<Self, Problem> {
        let bound = |text: &str, otherwise| text.parse().unwrap_or(otherwise);
        let range = bound(key.least, Self::MIN)..=bound(key.most, Self::MAX);
        // `parse` alone would take a plus sign.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse().ok().filter(|number| digits && range.contains(number)) {
            Some(number) => Ok(number),
            None => {
                let rule = format!("a whole number from {} to {}", range.start(), range.end());
                Err(Problem::must(&rule, text))
            }
        }
    }
}

impl Bare for u32 {
    const UNSET: fn() -> Self = || 0;
}

impl Scalar for Duration {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "时长", en: "duration" },
        rule: DURATION_RULE,
        pattern: DURATION_PATTERN,
    };

    fn read(text: &str, key: &Declaration) -> Result<Self, Problem> {
        let Some(duration) = parse_duration(text) else {
            return Err(Problem::breaks(<Self as Scalar>::KIND, text));
        };
        let (least, most) = (parse_duration(key.least), parse_duration(key.most));
        match (least.filter(|least| duration < *least), most.filter(|most| duration > *most)) {
            (Some(least), _) => Err(Problem::must(&format!("at least {}", duration_text(least)), text)),
            (_, Some(most)) => Err(Problem::must(&format!("at most {}", duration_text(most)), text)),
            (None, None) => Ok(duration),
        }
    }
}

impl Bare for Duration {
    const UNSET: fn() -> Self = || Self::ZERO;
}

impl Scalar for String {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "文本", en: "text" },
        rule: "one line of text",
        pattern: "",
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        if text.chars().any(char::is_control) {
            return Err(Problem::breaks(<Self as Scalar>::KIND, text));
        }
        Ok(text.to_owned())
    }
}

impl Bare for String {
    const UNSET: fn() -> Self = Self::new;
}

impl Scalar for PathBuf {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "路径", en: "path" },
        rule: "a path",
        pattern: "",
    };
    const LIST: &'static Kind = &Kind {
        shape: Shape::List,
        label: Bilingual { zh: "路径列表", en: "list of paths" },
        rule: "paths",
        pattern: "",
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        if text.chars().any(char::is_control) {
            return Err(Problem::must("a path without control characters", text));
        }
        Ok(text.into())
    }
}

impl Bare for PathBuf {
    const UNSET: fn() -> Self = Self::new;
}

impl Scalar for SocketAddr {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "地址和端口", en: "address and port" },
        rule: "an address and a port such as 127.0.0.1:8000",
        pattern: "^\\s*[0-9a-fA-F.:\\[\\]%]+:[0-9]+\\s*$",
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        text.parse().map_err(|_| Problem::breaks(<Self as Scalar>::KIND, text))
    }
}

impl Bare for SocketAddr {
    const UNSET: fn() -> Self = || Self::from(([127, 0, 0, 1], 0));
}

impl Scalar for IpNet {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "地址或网段", en: "address or network" },
        rule: "an address or a network such as 10.0.0.0/8",
        pattern: "^\\s*[0-9a-fA-F.:]+(/[0-9]+)?\\s*$",
    };
    const LIST: &'static Kind = &Kind {
        shape: Shape::List,
        label: Bilingual { zh: "地址或网段的列表", en: "list of addresses or networks" },
        rule: "addresses or networks such as 10.0.0.0/8",
        pattern: <Self as Scalar>::KIND.pattern,
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        let address = || text.parse::<IpAddr>().map(Self::from);
        text.parse().or_else(|_| address()).map_err(|_| Problem::breaks(<Self as Scalar>::KIND, text))
    }
}

const ORIGIN: Kind = Kind {
    shape: Shape::Text,
    label: Bilingual { zh: "来源（协议、主机和端口）", en: "origin (scheme, host and port)" },
    rule: "scheme, host and port only, such as https://login.example.com",
    pattern: "^\\s*[hH][tT][tT][pP][sS]?://[^/?#@\\s]+/?\\s*$",
};

/// An address that is an origin.
impl Scalar for Url {
    const KIND: &'static Kind = &ORIGIN;

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        let is_bare = |url: &Self| {
            matches!(url.scheme(), "http" | "https")
                && url.path() == "/"
                && (url.query(), url.fragment(), url.password()) == (None, None, None)
                && url.username().is_empty()
        };
        Self::parse(text).ok().filter(is_bare).ok_or_else(|| {
            let problem = Problem::breaks(&ORIGIN, text);
            // It may hold a password.
            if text.contains('@') { Problem::other(problem.text) } else { problem }
        })
    }
}

impl Scalar for url::Origin {
    const KIND: &'static Kind = &ORIGIN;
    const LIST: &'static Kind = &Kind {
        shape: Shape::List,
        label: Bilingual { zh: "来源的列表", en: "list of origins" },
        rule: "origins (scheme, host and port only) such as https://app.example.com",
        pattern: ORIGIN.pattern,
    };

    fn read(text: &str, key: &Declaration) -> Result<Self, Problem> {
        <Url as Scalar>::read(text, key).map(|url| url.origin())
    }
}
