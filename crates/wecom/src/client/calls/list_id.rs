//! The identifiers of all members of the company (WeCom 96067). Requires the secret of contact sync (通讯录同步); an
//! app's secret fails with 48002.

use serde::Deserialize;
use serde_json::json;

use super::{Calls, Listing, Parameters};
use crate::client::api::USER_LIST_ID;
use crate::client::wire::{self, Rows};
use crate::{DepartmentId, Error, UserId};

/// One member in one department. A member of several departments has one row for each.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Membership {
    /// The member.
    #[serde(rename = "userid", alias = "open_userid")]
    pub user_id: UserId,
    /// The department.
    #[serde(deserialize_with = "wire::required_department")]
    pub department: DepartmentId,
}

/// A page of `user/list_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MembershipPage {
    /// The page's rows.
    pub rows: Listing<Membership>,
    /// The cursor of the next page; `None` on the last page.
    pub next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    dept_user: Rows<Membership>,
    #[serde(default, deserialize_with = "wire::text")]
    next_cursor: Option<String>,
}

impl Calls {
    /// A page of all members of the company with their departments (`user/list_id`), at most 10,000 rows. Without
    /// `cursor`, the first page.
    pub async fn memberships(&self, cursor: Option<&str>) -> Result<MembershipPage, Error> {
        let body = json!({"cursor": cursor.unwrap_or_default(), "limit": 10_000}).to_string();
        let page: Page =
            self.call(&USER_LIST_ID, Parameters { query: &[], body: Some(body), secrets: &[] }).await?;
        let rows = Listing::new(USER_LIST_ID.path, page.dept_user);
        Ok(MembershipPage { rows, next_cursor: page.next_cursor })
    }
}
