use serde::{Deserialize, Serialize};

/// A tag (标签): members and departments under one name (`tag/get`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tag {
    /// Identifier.
    pub tagid: i64,
    /// Name.
    pub tagname: String,
    /// Userids.
    pub members: Vec<String>,
    /// Departments; all below each belong to the tag too.
    pub departments: Vec<i64>,
}
