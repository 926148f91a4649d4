//! Who administers.

use wecom_login_accounts::Admins;
use wecom_login_model::{Bilingual, MemberRef};

use super::declaration::{Declaration, Kind, Shape};
use super::section::section;
use super::value::{Problem, Scalar, Value, read_list};

section! {
    /// Who administers.
    pub struct Administrators in "", "管理员" / "Administrators";

    /// Members who administer, as `corpId/userId`. An entry stands for the account that the member has when the server first reads
    /// it, or for their first one; `wecom-login admin confirm` changes it.
    admins: Admins {
        zh: "管理员成员，写作 `corpId/userId`。服务首次读到某一项时，它对应该成员当时的账号，还没有账号的对应其第一个账号；之后用 `wecom-login admin confirm` 更改",
    }
}

impl Scalar for MemberRef {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "成员", en: "member" },
        rule: "a member such as corpId/userId",
        pattern: "^\\s*[^/\\s]+/[^/\\s]+\\s*$",
    };
    const LIST: &'static Kind = &Kind {
        shape: Shape::List,
        label: Bilingual { zh: "成员列表", en: "list of members" },
        rule: "members such as corpId/userId",
        pattern: <Self as Scalar>::KIND.pattern,
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        text.parse().map_err(|_| Problem::breaks(<Self as Scalar>::KIND, text))
    }
}

impl Value for Admins {
    const KIND: &'static Kind = MemberRef::LIST;

    fn unset() -> Self {
        Self::default()
    }

    fn read(texts: &[String], key: &Declaration) -> Result<Self, Problem> {
        read_list(texts, key).map(Self::new)
    }
}
