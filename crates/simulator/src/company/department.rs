use serde::{Deserialize, Serialize};

/// A department as `department/get` shows it (WeCom 95407).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Department {
    /// Identifier; 1 is the root.
    pub id: i64,
    /// Name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Userids of the department's leaders.
    pub department_leader: Vec<String>,
    /// The department above; 0 above the root.
    pub parentid: i64,
    /// Place among its siblings; higher comes first.
    pub order: u32,
}

impl Department {
    /// A department below `parentid`.
    pub fn new(id: i64, name: impl Into<String>, parentid: i64) -> Self {
        Self { id, name: name.into(), parentid, ..Self::default() }
    }
}
