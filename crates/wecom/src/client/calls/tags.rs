//! Tags and their visible members (WeCom 90213).

use serde::Deserialize;
use serde_json::Value;

use super::{Calls, Listing, Parameters};
use crate::client::api::TAG_GET;
use crate::client::wire::{self, Rows};
use crate::{DepartmentId, Error, UserId};

/// The content of a tag: individual members, and departments with their subtrees.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tag {
    /// Name.
    pub name: Option<String>,
    /// The individual members.
    pub users: Listing<UserId>,
    /// The departments.
    pub departments: Vec<DepartmentId>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, rename = "tagname", deserialize_with = "wire::text")]
    name: Option<String>,
    #[serde(default)]
    userlist: Rows<Named>,
    #[serde(default)]
    partylist: Value,
}

#[derive(Deserialize)]
struct Named {
    #[serde(alias = "UserId")]
    userid: UserId,
}

impl Calls {
    /// A tag (`tag/get`).
    pub async fn tag(&self, id: i64) -> Result<Tag, Error> {
        let id = id.to_string();
        let answer: Answer = self.call(&TAG_GET, Parameters::query(&[("tagid", &id)])).await?;
        let users = answer.userlist.map(|named| named.userid);
        let parties = answer.partylist.as_array().map_or(&[][..], Vec::as_slice);
        Ok(Tag {
            name: answer.name,
            users: Listing::new(TAG_GET.path, users),
            departments: parties.iter().filter_map(wire::as_number).map(DepartmentId).collect(),
        })
    }
}
