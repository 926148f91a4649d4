use serde::Serialize;
use wecom_login_model::Member;

/// What getLoginCode gives. Every key is always there: what WeCom withholds is `""`, `[]`, `0` or `false`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserInfo {
    /// The member's identifier in the company, as WeCom spells it.
    pub user_id: String,
    /// The display name.
    pub name: String,
    /// Mobile number.
    pub mobile: String,
    /// E-mail address.
    pub email: String,
    /// Address of the picture.
    pub avatar: String,
    /// Numbers of the departments that the app may see.
    pub department: Vec<i64>,
    /// Position in the company.
    pub position: String,
    /// `"1"` male, `"2"` female, `"0"` unknown.
    pub gender: String,
    /// 1 active, 4 not activated; 0 if unknown.
    pub status: i64,
    /// True for a leader of any department.
    pub is_leader: bool,
    /// The departments' names from the local copy, in the order of `department`.
    pub department_names: Vec<String>,
    /// The main department; 0 if unknown.
    pub main_department: i64,
    /// The company's own mailbox.
    pub biz_mail: String,
    /// The alias.
    pub alias: String,
}

impl UserInfo {
    /// The member as the outside sees them.
    pub fn new(member: &Member, department_names: Vec<String>) -> Self {
        let profile = &member.profile;
        Self {
            user_id: member.user_id.to_string(),
            name: profile.name.clone(),
            mobile: profile.mobile.clone(),
            email: profile.email.clone(),
            avatar: profile.avatar.clone(),
            department: profile.departments.iter().map(|id| id.0).collect(),
            position: profile.position.clone(),
            gender: profile.gender.clone(),
            status: profile.status.map_or(0, i64::from),
            is_leader: profile.is_leader(),
            department_names,
            main_department: profile.main_department.map_or(0, |id| id.0),
            biz_mail: profile.biz_mail.clone(),
            alias: profile.alias.clone(),
        }
    }
}
