//! Who is in the company, by identifier alone (WeCom 96067). Only the secret of contact sync (通讯录同步) may ask;
//! an app's own is refused with 48002.

use serde::Deserialize;
use serde_json::json;
use wecom_login_model::{DepartmentId, UserId};

use super::{Calls, Listing, Parameters};
use crate::Error;
use crate::api::USER_LIST_ID;
use crate::wire::{self, Rows};

/// One member in one department; a member of several departments has a row for each.
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
    /// Asks for the next page; none at the end.
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
    /// A page of everybody in the company with their departments (`user/list_id`): the first without a `cursor`, at
    /// most 10,000 rows.
    pub async fn memberships(&self, cursor: Option<&str>) -> Result<MembershipPage, Error> {
        let body = json!({"cursor": cursor.unwrap_or_default(), "limit": 10_000}).to_string();
        let page: Page =
            self.call(&USER_LIST_ID, Parameters { query: &[], body: Some(body), secrets: &[] }).await?;
        let rows = Listing::new(USER_LIST_ID.path, page.dept_user);
        Ok(MembershipPage { rows, next_cursor: page.next_cursor })
    }
}
