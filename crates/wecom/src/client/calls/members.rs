//! Members in the app's visible scope (WeCom 90196, 90200, 90201). Apps created after 2022-06-20 get no avatar, gender,
//! mobile, e-mail, QR code or address here, so every field except the identifier may be missing.

use serde::Deserialize;

use super::{Calls, Listing, Parameters};
use crate::client::api::{USER_GET, USER_LIST, USER_SIMPLELIST};
use crate::client::wire::{self, Rows};
use crate::{DepartmentId, Error, UserId};

/// A member. A field that WeCom withholds or leaves empty is `None`.
///
/// ```
/// let user: wecom::User = serde_json::from_str(
///     r#"{"userid":"zhangsan","name":"张三","mobile":"","department":[1,2],"is_leader_in_dept":[0,1]}"#,
/// )?;
/// assert_eq!((user.name.as_deref(), user.mobile.as_deref()), (Some("张三"), None));
/// assert!(user.is_leader());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The member.
    #[serde(rename = "userid", alias = "UserId", alias = "UserID")]
    pub user_id: UserId,
    /// Name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: Option<String>,
    /// Alias (别名).
    #[serde(default, deserialize_with = "wire::text")]
    pub alias: Option<String>,
    /// English name; only in the answers of old deployments.
    #[serde(default, deserialize_with = "wire::text")]
    pub english_name: Option<String>,
    /// The visible departments; may be empty although the member is visible.
    #[serde(default, deserialize_with = "wire::departments")]
    pub department: Vec<DepartmentId>,
    /// The member's rank in each of [`department`](Self::department); higher ranks come first.
    #[serde(default, deserialize_with = "wire::numbers")]
    pub order: Vec<i64>,
    /// Whether the member leads each of [`department`](Self::department).
    #[serde(default, deserialize_with = "wire::flags")]
    pub is_leader_in_dept: Vec<bool>,
    /// The direct superiors of the member (直属上级).
    #[serde(default, deserialize_with = "wire::user_ids")]
    pub direct_leader: Vec<UserId>,
    /// The main department (主部门).
    #[serde(default, deserialize_with = "wire::department")]
    pub main_department: Option<DepartmentId>,
    /// Position.
    #[serde(default, deserialize_with = "wire::text")]
    pub position: Option<String>,
    /// Mobile number.
    #[serde(default, deserialize_with = "wire::text")]
    pub mobile: Option<String>,
    /// "0" unknown or withheld, "1" male, "2" female.
    #[serde(default, deserialize_with = "wire::text")]
    pub gender: Option<String>,
    /// E-mail address.
    #[serde(default, deserialize_with = "wire::text")]
    pub email: Option<String>,
    /// E-mail address at the company (企业邮箱).
    #[serde(default, deserialize_with = "wire::text")]
    pub biz_mail: Option<String>,
    /// URL of the picture.
    #[serde(default, deserialize_with = "wire::text")]
    pub avatar: Option<String>,
    /// URL of the small picture.
    #[serde(default, deserialize_with = "wire::text")]
    pub thumb_avatar: Option<String>,
    /// Landline number.
    #[serde(default, deserialize_with = "wire::text")]
    pub telephone: Option<String>,
    /// Postal address.
    #[serde(default, deserialize_with = "wire::text")]
    pub address: Option<String>,
    /// URL of the member's QR code.
    #[serde(default, deserialize_with = "wire::text")]
    pub qr_code: Option<String>,
    /// Identifier across companies; for third-party apps.
    #[serde(default, deserialize_with = "wire::text")]
    pub open_userid: Option<String>,
    /// Position that is shown to external contacts (对外职务).
    #[serde(default, deserialize_with = "wire::text")]
    pub external_position: Option<String>,
    /// 1 active, 2 disabled, 4 not activated, 5 left the company.
    #[serde(default, deserialize_with = "wire::number")]
    pub status: Option<i64>,
}

impl User {
    /// True if the member leads any visible department.
    pub fn is_leader(&self) -> bool {
        self.is_leader_in_dept.contains(&true)
    }
}

/// A member's name and departments (`user/simplelist`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SimpleUser {
    /// The member.
    #[serde(rename = "userid", alias = "UserId", alias = "UserID")]
    pub user_id: UserId,
    /// Name.
    #[serde(default, deserialize_with = "wire::text")]
    pub name: Option<String>,
    /// The visible departments.
    #[serde(default, deserialize_with = "wire::departments")]
    pub department: Vec<DepartmentId>,
    /// Identifier across companies; for third-party apps.
    #[serde(default, deserialize_with = "wire::text")]
    pub open_userid: Option<String>,
}

/// The `userlist` of both calls.
#[derive(Deserialize)]
#[serde(bound = "T: serde::de::DeserializeOwned")]
struct UserList<T> {
    #[serde(default)]
    userlist: Rows<T>,
}

impl Calls {
    /// One member (`user/get`). A member outside the app's visible scope and one who left give the same error
    /// ([`Error::is_outside_scope`]).
    pub async fn user(&self, user_id: &UserId) -> Result<User, Error> {
        self.call(&USER_GET, Parameters::query(&[("userid", user_id.as_str())])).await
    }

    /// The direct members of a department (`user/list`), in one answer, without those of its subdepartments. A member
    /// of several departments is in the list of each.
    pub async fn users_in(&self, department: DepartmentId) -> Result<Listing<User>, Error> {
        let id = department.to_string();
        let answer: UserList<User> =
            self.call(&USER_LIST, Parameters::query(&[("department_id", &id)])).await?;
        Ok(Listing::new(USER_LIST.path, answer.userlist))
    }

    /// Like [`users_in`](Self::users_in), but names only (`user/simplelist`).
    pub async fn simple_users_in(&self, department: DepartmentId) -> Result<Listing<SimpleUser>, Error> {
        let id = department.to_string();
        let answer: UserList<SimpleUser> =
            self.call(&USER_SIMPLELIST, Parameters::query(&[("department_id", &id)])).await?;
        Ok(Listing::new(USER_SIMPLELIST.path, answer.userlist))
    }
}
