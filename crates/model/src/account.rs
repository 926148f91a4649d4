use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{CorpId, Timestamp, UserId};

/// The number of a local account, for other systems to keep. It is never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub i64);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An invalid part of an account, or an invalid reference to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule}")]
pub struct InvalidAccount {
    what: &'static str,
    rule: &'static str,
}

/// The name of an account. Comparison ignores case.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(String);

impl Username {
    /// The maximum length in bytes.
    pub const LONGEST: usize = 64;

    /// Parses 1 to 64 letters, digits and `_-@.+` of ASCII, the first a letter or a digit. Every userId is one. Other
    /// scripts are excluded, because different names could look the same.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidAccount> {
        let text = text.into();
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-@.+".contains(&byte);
        let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if starts && text.len() <= Self::LONGEST && text.bytes().all(word) {
            Ok(Self(text))
        } else {
            let rule = "1 to 64 letters, digits or _-@.+, the first a letter or a digit";
            Err(InvalidAccount { what: "username", rule })
        }
    }

    /// The name of a new account of this member at the `attempt`-th try: the userId, then the userId with `-2`, `-3`
    /// and so on, shortened if necessary.
    pub fn of_member(user_id: &UserId, attempt: u32) -> Self {
        let name = user_id.as_str();
        if attempt <= 1 {
            return Self(name.to_owned());
        }
        let suffix = format!("-{attempt}");
        let kept = name.len().min(Self::LONGEST - suffix.len());
        Self(format!("{}{suffix}", &name[..kept]))
    }

    /// The name in its original spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in lower case: equal for equal names.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Username {}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Username {
    type Err = InvalidAccount;
    fn from_str(text: &str) -> Result<Self, InvalidAccount> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Username {
    type Error = InvalidAccount;
    fn try_from(text: String) -> Result<Self, InvalidAccount> {
        Self::parse(text)
    }
}

impl From<Username> for String {
    fn from(name: Username) -> Self {
        name.0
    }
}

/// A reference to a member, written `<corpId>/<userId>`. A userId identifies a member only together with the company.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberRef {
    /// The company.
    pub corp_id: CorpId,
    /// The member. Comparison ignores case.
    pub user_id: UserId,
}

impl fmt::Display for MemberRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.corp_id, self.user_id)
    }
}

impl FromStr for MemberRef {
    type Err = InvalidAccount;

    fn from_str(text: &str) -> Result<Self, InvalidAccount> {
        let member = || {
            let (corp_id, user_id) = text.split_once('/')?;
            Some(Self { corp_id: CorpId::parse(corp_id).ok()?, user_id: UserId::parse(user_id).ok()? })
        };
        let rule = "written as corpId/userId, such as ww1436e0e65a779aee/zhangsan";
        member().ok_or(InvalidAccount { what: "a member", rule })
    }
}

/// A local account: the identity of a person for other systems.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The number.
    pub id: AccountId,
    /// The name, unique regardless of case.
    pub username: Username,
    /// Mobile number, `""` if unknown.
    pub mobile: String,
    /// E-mail address, `""` if unknown.
    pub email: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ignore_case_and_every_user_id_is_one() {
        assert_eq!(Username::parse("ZhangSan").unwrap(), Username::parse("zhangsan").unwrap());
        assert!(Username::parse("a+b@example.com").is_ok());
        for text in ["", "-a", "张三", "a b", "a/b", &"a".repeat(65)] {
            assert!(Username::parse(text).is_err(), "{text:?}");
        }
        let longest = UserId::parse("a".repeat(64)).unwrap();
        for attempt in [1, 2, 9, 10, 1000] {
            let name = Username::of_member(&longest, attempt);
            assert_eq!(Username::parse(name.as_str().to_owned()).unwrap().as_str().len(), 64);
        }
        assert_eq!(Username::of_member(&UserId::parse("lisi").unwrap(), 3).as_str(), "lisi-3");
    }

    #[test]
    fn a_member_is_company_and_user_id() {
        let member: MemberRef = "wwA/ZhangSan".parse().unwrap();
        assert_eq!(member, "wwA/zhangsan".parse().unwrap());
        assert_ne!(member, "wwB/zhangsan".parse().unwrap());
        assert_eq!(member.to_string(), "wwA/ZhangSan");
        for text in ["zhangsan", "/zhangsan", "wwA/", "wwA/a/b", "ww A/a", ""] {
            assert!(text.parse::<MemberRef>().is_err(), "{text:?}");
        }
    }
}
