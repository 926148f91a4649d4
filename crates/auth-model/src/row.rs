use serde::ser::{Serialize, SerializeMap as _, SerializeStruct as _, Serializer};

use wecom_login_model::{DepartmentId, MemberStatus, Secret, Timestamp, UserId};

use crate::Field;

/// A row of `QywxInnerAuthModel`.
///
/// It does not implement `Serialize`: the caller decides whether to write the fields that describe a session
/// ([`AuthRow::whole`], for library callers) or not ([`AuthRow::without_tokens`], for HTTP, console and exports).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthRow {
    /// The number of the row.
    pub id: i64,
    /// The member's identifier in the company.
    pub user_id: UserId,
    /// The display name; `""` if withheld, like all texts below.
    pub name: String,
    /// Mobile number.
    pub mobile: String,
    /// E-mail address.
    pub email: String,
    /// URL of the picture.
    pub avatar: String,
    /// The visible departments, in WeCom's order.
    pub department: Vec<DepartmentId>,
    /// Position in the company.
    pub position: String,
    /// `"0"` unknown, `"1"` male, `"2"` female.
    pub gender: String,
    /// The status, if known; [`MemberStatus::Left`] for a member who has left.
    pub status: Option<MemberStatus>,
    /// True for a leader of any department.
    pub is_leader: bool,
    /// SHA-256 of the token of the member's latest active session, 64 hexadecimal digits; `""` without one. For a bearer
    /// session, the SHA-256 of its latest access token.
    pub access_token: Secret,
    /// SHA-256 of the refresh token of that session; `""` for a cookie session.
    pub refresh_token: Secret,
    /// The absolute expiry of that session; `None` without one.
    pub expires_at: Option<Timestamp>,
    /// When the row was created.
    pub created_at: Timestamp,
    /// When the row last changed.
    pub updated_at: Timestamp,
}

/// A row as an object. Its keys are the names of the selected fields, in the order of selection.
///
/// `department` is a list of numbers, `isLeader` a boolean, `id` and `status` are numbers, times are milliseconds since
/// the Unix epoch; `status` and `expiresAt` may be null; all others are texts.
#[derive(Debug, Clone, Copy)]
pub struct SelectedRow<'a> {
    row: &'a AuthRow,
    fields: &'a [Field],
    tokens: bool,
}

impl AuthRow {
    /// All sixteen fields, including tokens.
    pub const fn whole(&self) -> SelectedRow<'_> {
        self.select(&Field::ALL)
    }

    /// The thirteen fields that may leave the program.
    pub const fn without_tokens(&self) -> SelectedRow<'_> {
        SelectedRow { row: self, fields: &Field::ALL, tokens: false }
    }

    /// These fields, including tokens if they are selected.
    pub const fn select<'a>(&'a self, fields: &'a [Field]) -> SelectedRow<'a> {
        SelectedRow { row: self, fields, tokens: true }
    }
}

impl SelectedRow<'_> {
    fn fields(&self) -> impl Iterator<Item = Field> {
        self.fields.iter().copied().filter(|field| self.tokens || !field.is_token())
    }
}

impl Serialize for SelectedRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.row;
        let mut map = serializer.serialize_map(Some(self.fields().count()))?;
        for field in self.fields() {
            let name = field.name();
            match field {
                Field::Id => map.serialize_entry(name, &row.id)?,
                Field::UserId => map.serialize_entry(name, &row.user_id)?,
                Field::Name => map.serialize_entry(name, &row.name)?,
                Field::Mobile => map.serialize_entry(name, &row.mobile)?,
                Field::Email => map.serialize_entry(name, &row.email)?,
                Field::Avatar => map.serialize_entry(name, &row.avatar)?,
                Field::Department => map.serialize_entry(name, &row.department)?,
                Field::Position => map.serialize_entry(name, &row.position)?,
                Field::Gender => map.serialize_entry(name, &row.gender)?,
                Field::Status => map.serialize_entry(name, &row.status)?,
                Field::IsLeader => map.serialize_entry(name, &row.is_leader)?,
                Field::AccessToken => map.serialize_entry(name, row.access_token.expose())?,
                Field::RefreshToken => map.serialize_entry(name, row.refresh_token.expose())?,
                Field::ExpiresAt => map.serialize_entry(name, &row.expires_at)?,
                Field::CreatedAt => map.serialize_entry(name, &row.created_at)?,
                Field::UpdatedAt => map.serialize_entry(name, &row.updated_at)?,
            }
        }
        map.end()
    }
}

/// A page of rows, and the number of rows on all pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthRows {
    /// The rows of the page, with all fields.
    pub rows: Vec<AuthRow>,
    /// The number of rows that match the filter.
    pub total_count: u64,
    /// The selected fields; empty for all.
    pub fields: Vec<Field>,
}

/// Rows in the platform's format: `{"rowDatas": [...], "totalCount": n}`.
#[derive(Debug, Clone, Copy)]
pub struct SelectedRows<'a> {
    rows: &'a AuthRows,
    tokens: bool,
}

impl AuthRows {
    /// The selected fields, including tokens if they are selected.
    pub const fn whole(&self) -> SelectedRows<'_> {
        SelectedRows { rows: self, tokens: true }
    }

    /// The selected fields, without those that describe a session.
    pub const fn without_tokens(&self) -> SelectedRows<'_> {
        SelectedRows { rows: self, tokens: false }
    }
}

impl Serialize for SelectedRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let AuthRows { rows, total_count, fields } = self.rows;
        let fields: &[Field] = if fields.is_empty() { &Field::ALL } else { fields };
        let selected: Vec<SelectedRow<'_>> =
            rows.iter().map(|row| SelectedRow { row, fields, tokens: self.tokens }).collect();
        let mut answer = serializer.serialize_struct("AuthRows", 2)?;
        answer.serialize_field("rowDatas", &selected)?;
        answer.serialize_field("totalCount", total_count)?;
        answer.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row() -> AuthRow {
        AuthRow {
            id: 7,
            user_id: UserId::parse("ZhangSan").unwrap(),
            name: "张三".into(),
            mobile: String::new(),
            email: "z@example.com".into(),
            avatar: String::new(),
            department: vec![DepartmentId(1), DepartmentId(2)],
            position: String::new(),
            gender: "1".into(),
            status: Some(MemberStatus::Active),
            is_leader: true,
            access_token: Secret::new("5e55107"),
            refresh_token: Secret::new(""),
            expires_at: Some(Timestamp::from_millis(3)),
            created_at: Timestamp::from_millis(1),
            updated_at: Timestamp::from_millis(2),
        }
    }

    #[test]
    fn all_sixteen_fields_have_the_platforms_names() {
        let whole = serde_json::to_value(row().whole()).unwrap();
        let expected = json!({
            "id": 7, "userId": "ZhangSan", "name": "张三", "mobile": "", "email": "z@example.com", "avatar": "",
            "department": [1, 2], "position": "", "gender": "1", "status": 1, "isLeader": true,
            "accessToken": "5e55107", "refreshToken": "", "expiresAt": 3, "createdAt": 1, "updatedAt": 2,
        });
        assert_eq!(whole, expected);
    }

    #[test]
    fn tokens_stay_inside_and_out_of_debug() {
        let row = row();
        let outside = serde_json::to_value(row.without_tokens()).unwrap();
        let keys: Vec<&str> = outside.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys.len(), 13);
        assert!(!keys.iter().any(|key| ["accessToken", "refreshToken", "expiresAt"].contains(key)));
        assert!(!format!("{row:?} {:?}", row.whole()).contains("5e55107"));
    }

    #[test]
    fn a_page_has_the_fields_of_the_list_and_never_adds_tokens() {
        let fields = vec![Field::Name, Field::AccessToken, Field::Id];
        let rows = AuthRows { rows: vec![row()], total_count: 41, fields };
        let text = |rows: SelectedRows<'_>| serde_json::to_string(&rows).unwrap();
        let inside = r#"{"rowDatas":[{"name":"张三","accessToken":"5e55107","id":7}],"totalCount":41}"#;
        assert_eq!(text(rows.whole()), inside);
        assert_eq!(text(rows.without_tokens()), r#"{"rowDatas":[{"name":"张三","id":7}],"totalCount":41}"#);
        let every = AuthRows { fields: Vec::new(), ..rows };
        assert!(text(every.whole()).contains("accessToken"));
        assert!(!text(every.without_tokens()).contains("accessToken"));
    }
}
