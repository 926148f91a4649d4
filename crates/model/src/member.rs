use serde::{Deserialize, Serialize};

use crate::{CorpId, DepartmentId, Timestamp, UserId};

/// A member of a company in the local copy.
///
/// One row for each company and userId. Withheld fields are `""`, an empty list or `None`; see [`Profile`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The number of the row.
    pub id: i64,
    /// The company. A userId identifies a member only together with it.
    pub corp_id: CorpId,
    /// The member's identifier in the company.
    pub user_id: UserId,
    /// The data from WeCom.
    pub profile: Profile,
    /// When this data was last read from WeCom.
    pub read_at: Timestamp,
    /// When the member was found to have left.
    pub left_at: Option<Timestamp>,
    /// When the row was created.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
}

/// The data of a member in WeCom (WeCom 96255). A withheld field is `""`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// The display name.
    pub name: String,
    /// The alias ("English name").
    pub alias: String,
    /// Position in the company.
    pub position: String,
    /// Mobile number; withheld from apps created after 2022-06-20.
    pub mobile: String,
    /// E-mail address; withheld like the mobile number.
    pub email: String,
    /// E-mail address at the company (企业邮箱); withheld like the mobile number.
    pub biz_mail: String,
    /// URL of the picture; withheld like the mobile number.
    pub avatar: String,
    /// `"0"` unknown, `"1"` male, `"2"` female; `""` if withheld.
    pub gender: String,
    /// The visible departments, in WeCom's order.
    pub departments: Vec<DepartmentId>,
    /// The departments that the member leads.
    pub leads: Vec<DepartmentId>,
    /// The main department.
    pub main_department: Option<DepartmentId>,
    /// The status, if known.
    pub status: Option<MemberStatus>,
}

impl Profile {
    /// True for a leader of any department.
    pub fn is_leader(&self) -> bool {
        !self.leads.is_empty()
    }
}

/// The status of a member (WeCom 96255, `status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub enum MemberStatus {
    /// 1: active.
    Active,
    /// 2: disabled by the administrator.
    Disabled,
    /// 4: not activated yet.
    NotActivated,
    /// 5: has left the company.
    Left,
    /// A number that WeCom does not document.
    Other(i64),
}

impl MemberStatus {
    /// True if the member may not sign in.
    pub const fn is_barred(self) -> bool {
        matches!(self, Self::Disabled | Self::Left)
    }
}

impl From<i64> for MemberStatus {
    fn from(number: i64) -> Self {
        match number {
            1 => Self::Active,
            2 => Self::Disabled,
            4 => Self::NotActivated,
            5 => Self::Left,
            other => Self::Other(other),
        }
    }
}

impl From<MemberStatus> for i64 {
    fn from(status: MemberStatus) -> Self {
        match status {
            MemberStatus::Active => 1,
            MemberStatus::Disabled => 2,
            MemberStatus::NotActivated => 4,
            MemberStatus::Left => 5,
            MemberStatus::Other(number) => number,
        }
    }
}

/// A department of a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Department {
    /// The department's number.
    pub id: DepartmentId,
    /// Its name.
    pub name: String,
    /// The parent department; it may be outside the visible scope.
    pub parent: Option<DepartmentId>,
    /// Rank among its siblings; higher ranks come first (WeCom 95406).
    pub order: i64,
}
