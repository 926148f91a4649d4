use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A member of a company with every field that `user/get` can show (WeCom 96255); field names are the wire's.
///
/// What an app really receives is decided by its age and its visible scope, not here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Member {
    /// Identifier, unique in the company when compared without case.
    pub userid: String,
    /// Display name.
    pub name: String,
    /// Departments the member belongs to.
    pub department: Vec<i64>,
    /// Place within each department, parallel to `department`; higher comes first.
    pub order: Vec<u32>,
    /// 1 where the member leads the department at the same place in `department`, else 0.
    pub is_leader_in_dept: Vec<u8>,
    /// Userids of the member's direct leaders.
    pub direct_leader: Vec<String>,
    /// The department that counts when only one can be shown; 0 takes the first.
    pub main_department: i64,
    /// 1 active, 2 disabled, 4 not activated, 5 left the company.
    pub status: u8,
    /// Job title.
    pub position: String,
    /// Alias.
    pub alias: String,
    /// Landline number.
    pub telephone: String,
    /// "0" not said, "1" male, "2" female. Withheld ("0") from new apps.
    pub gender: String,
    /// Mobile number. Withheld from new apps.
    pub mobile: String,
    /// Personal e-mail address. Withheld from new apps.
    pub email: String,
    /// Company e-mail address. Withheld from new apps.
    pub biz_mail: String,
    /// URL of the portrait. Withheld from new apps.
    pub avatar: String,
    /// URL of the small portrait. Withheld from new apps.
    pub thumb_avatar: String,
    /// URL of the personal QR code. Withheld from new apps.
    pub qr_code: String,
    /// Postal address. Withheld from new apps.
    pub address: String,
    /// Extended attributes as the wire shows them; null when there are none.
    pub extattr: Value,
    /// Job title shown to people outside the company.
    pub external_position: String,
    /// What people outside the company see, as the wire shows it; null when there is nothing.
    pub external_profile: Value,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            userid: String::new(),
            name: String::new(),
            department: Vec::new(),
            order: Vec::new(),
            is_leader_in_dept: Vec::new(),
            direct_leader: Vec::new(),
            main_department: 0,
            status: 1,
            position: String::new(),
            alias: String::new(),
            telephone: String::new(),
            gender: "0".to_owned(),
            mobile: String::new(),
            email: String::new(),
            biz_mail: String::new(),
            avatar: String::new(),
            thumb_avatar: String::new(),
            qr_code: String::new(),
            address: String::new(),
            extattr: Value::Null,
            external_position: String::new(),
            external_profile: Value::Null,
        }
    }
}

impl Member {
    /// An active member of `departments`.
    pub fn new(userid: impl Into<String>, name: impl Into<String>, departments: &[i64]) -> Self {
        Self { userid: userid.into(), name: name.into(), department: departments.to_vec(), ..Self::default() }
    }

    /// True for 1 to 64 bytes of digits, letters and `_-@.`, the first a digit or a letter (WeCom 96255).
    pub fn is_userid(text: &str) -> bool {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-@.".contains(&byte);
        text.len() <= 64
            && text.bytes().all(word)
            && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
    }

    /// The key under which the member is found: WeCom compares userids without case.
    pub(crate) fn key(userid: &str) -> String {
        userid.to_ascii_lowercase()
    }

    /// Makes the three parallel lists equally long and fills in the main department.
    pub(super) fn level(&mut self) {
        self.order.resize(self.department.len(), 0);
        self.is_leader_in_dept.resize(self.department.len(), 0);
        if self.main_department == 0 {
            self.main_department = self.department.first().copied().unwrap_or(0);
        }
    }
}
