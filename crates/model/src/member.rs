use serde::{Deserialize, Serialize};

use crate::{CorpId, DepartmentId, Timestamp, UserId};

/// A member of a company as the local copy knows them.
///
/// One row for each company and userId. What WeCom withholds is `""`, an empty list or `None`; see
/// [`Profile`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The row's number.
    pub id: i64,
    /// The company; a userId alone identifies nobody.
    pub corp_id: CorpId,
    /// The member's identifier in the company.
    pub user_id: UserId,
    /// What WeCom tells about the member.
    pub profile: Profile,
    /// When WeCom last told it.
    pub read_at: Timestamp,
    /// When the member was seen to have left, if so.
    pub left_at: Option<Timestamp>,
    /// When the row was made.
    pub created_at: Timestamp,
    /// When anything in it last changed.
    pub updated_at: Timestamp,
}

/// What WeCom tells about a member (WeCom 96255), withheld fields included as `""`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// The display name.
    pub name: String,
    /// The alias ("English name").
    pub alias: String,
    /// Position in the company.
    pub position: String,
    /// Mobile number; withheld from apps made after 2022-06-20.
    pub mobile: String,
    /// E-mail address; withheld like the mobile number.
    pub email: String,
    /// The company's own mailbox; withheld like the mobile number.
    pub biz_mail: String,
    /// Address of the picture; withheld like the mobile number.
    pub avatar: String,
    /// `"0"` unknown, `"1"` male, `"2"` female; `""` when not told.
    pub gender: String,
    /// Departments that the app may see, in WeCom's order.
    pub departments: Vec<DepartmentId>,
    /// Those of them that the member leads.
    pub leads: Vec<DepartmentId>,
    /// The main department.
    pub main_department: Option<DepartmentId>,
    /// Where the member stands, if told.
    pub status: Option<MemberStatus>,
}

impl Profile {
    /// True for a leader of any department.
    pub fn is_leader(&self) -> bool {
        !self.leads.is_empty()
    }
}

/// Where a member stands (WeCom 96255, `status`).
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
    /// True for those whom no sign-in may let in.
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
    /// The department above; it may lie outside what the app sees.
    pub parent: Option<DepartmentId>,
    /// Larger comes first (WeCom 95406).
    pub order: i64,
}
