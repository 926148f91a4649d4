use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// A text that is not a valid identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be {rule}")]
pub struct InvalidId {
    kind: &'static str,
    rule: &'static str,
}

impl InvalidId {
    /// The rule that the text breaks.
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}

/// A company in WeCom (`corpid`): `ww` and 16 hexadecimal digits; older ones start with `wx` and have other letters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CorpId(String);

impl CorpId {
    /// Parses 1 to 64 ASCII letters, digits, `-` or `_`. Only WeCom knows whether the company exists (40013).
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
        let text = text.into();
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(word) {
            Ok(Self(text))
        } else {
            Err(InvalidId {
                kind: "corpId",
                rule: "1 to 64 letters, digits, - or _, such as ww1436e0e65a779aee",
            })
        }
    }

    /// The identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An app of a company (`agentid`): digits, kept as text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentId(String);

impl AgentId {
    /// Parses 1 to 18 digits.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
        let text = text.into();
        if (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err(InvalidId { kind: "agentId", rule: "a number such as 1000002" })
        }
    }

    /// The identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A member of a company (`userid`). Comparison ignores case, as WeCom's does (WeCom 96255); the spelling is kept. A
/// userid identifies a member only together with the company.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(String);

impl UserId {
    /// Parses 1 to 64 bytes: digits, letters and `_-@.`, the first a digit or a letter (WeCom 96255).
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
        let text = text.into();
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-@.".contains(&byte);
        let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if starts && text.len() <= 64 && text.bytes().all(word) {
            Ok(Self(text))
        } else {
            Err(InvalidId {
                kind: "userId",
                rule: "1 to 64 letters, digits or _-@., the first a letter or a digit",
            })
        }
    }

    /// The identifier in its original spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier in lower case: equal for equal members.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for UserId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for UserId {}

impl Hash for UserId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        state.write_u8(0xff);
    }
}

/// A department of a company; 1 is the root (WeCom 95406).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DepartmentId(pub i64);

impl fmt::Display for DepartmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! text_id {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}
text_id!(CorpId, AgentId, UserId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_compare_without_case_and_keep_their_spelling() {
        let (mixed, lower) = (UserId::parse("ZhangSan").unwrap(), UserId::parse("zhangsan").unwrap());
        assert_eq!(mixed, lower);
        assert_eq!(std::collections::HashSet::from([mixed.clone(), lower]).len(), 1);
        assert_eq!(mixed.as_str(), "ZhangSan");
        assert_eq!(mixed.folded(), "zhangsan");
    }

    #[test]
    fn invalid_identifiers_are_refused() {
        for text in ["", "-a", "_a", "张三", "a b", "a/b", &"a".repeat(65)] {
            assert!(UserId::parse(text).is_err(), "{text:?}");
        }
        for text in ["", "1a", "-1", "1.0"] {
            assert!(AgentId::parse(text).is_err(), "{text:?}");
        }
        assert!(CorpId::parse("ww1436e0e65a779aee").is_ok());
        assert!(CorpId::parse("ww 1").is_err());
    }
}
