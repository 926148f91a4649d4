//! Who gets which account.

use wecom_login_accounts::Rehire;
use wecom_login_model::Bilingual;

use super::declaration::{Declaration, Kind, Shape};
use super::section::section;
use super::value::{Bare, Problem, Scalar};

section! {
    /// Who gets which account.
    pub struct AccountSettings in "", "账号" / "Accounts";

    /// What a member gets who left the company and whose userid is there again. `same-name`: the former account if the name is
    /// the same (a deleted member within 30 days), otherwise what a new member gets; `confirm`: nothing until an administrator
    /// has bound or unbound them; `always-new`: what a new member gets.
    rehire: Rehire {
        zh: "成员离职后，同一个 userid 再次出现时得到哪个账号。`same-name`：姓名相同就恢复原账号（成员曾被删除的，30 天内有效），否则按新成员处理；`confirm`：在管理员绑定或解除绑定之前不能登录；`always-new`：一律按新成员处理",
        default: "same-name",
    }
}

impl Scalar for Rehire {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual {
            zh: "`same-name`、`confirm` 或 `always-new`",
            en: "`same-name`, `confirm` or `always-new`",
        },
        rule: "same-name, confirm or always-new",
        pattern: "^\\s*(same-name|confirm|always-new)\\s*$",
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        match text {
            "same-name" => Ok(Self::SameName),
            "confirm" => Ok(Self::Confirm),
            "always-new" => Ok(Self::AlwaysNew),
            _ => Err(Problem::breaks(<Self as Scalar>::KIND, text)),
        }
    }
}

impl Bare for Rehire {
    const UNSET: fn() -> Self = Self::default;
}
