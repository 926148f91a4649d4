use std::fmt;

/// A field of `QywxInnerAuthModel`. The names are the platform's. Only a `Field` can name a column in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `id`: the row's number.
    Id,
    /// `userId`: WeCom's userid; compared without case.
    UserId,
    /// `name`: the display name.
    Name,
    /// `mobile`: `""` if withheld, like the texts below.
    Mobile,
    /// `email`.
    Email,
    /// `avatar`: URL of the picture.
    Avatar,
    /// `department`: the list of department ids.
    Department,
    /// `position`.
    Position,
    /// `gender`: WeCom's digit as a text.
    Gender,
    /// `status`: WeCom's number (96255); 5 for a member who has left; null if unknown.
    Status,
    /// `isLeader`: true for a leader of any department.
    IsLeader,
    /// `accessToken`: SHA-256 of the token of the latest active session, in hexadecimal; `""` without one.
    AccessToken,
    /// `refreshToken`: SHA-256 of the refresh token of that session, in hexadecimal; `""` for a cookie session.
    RefreshToken,
    /// `expiresAt`: the absolute expiry of that session, in milliseconds since the Unix epoch; null without one.
    ExpiresAt,
    /// `createdAt`: in milliseconds since the Unix epoch.
    CreatedAt,
    /// `updatedAt`: in milliseconds since the Unix epoch.
    UpdatedAt,
}

/// The type of a field. It decides which operators and values the field accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A text. It is never null: a withheld text is `""`.
    Text,
    /// A whole number, or null.
    Integer,
    /// True or false. Null is false, as in the platform's check box, which stores 1 or null.
    Boolean,
    /// A list of departments. `=` and `in` test whether the member belongs to it; null is the empty list.
    Departments,
}

impl Field {
    /// All fields, in the platform's order.
    pub const ALL: [Self; 16] = [
        Self::Id,
        Self::UserId,
        Self::Name,
        Self::Mobile,
        Self::Email,
        Self::Avatar,
        Self::Department,
        Self::Position,
        Self::Gender,
        Self::Status,
        Self::IsLeader,
        Self::AccessToken,
        Self::RefreshToken,
        Self::ExpiresAt,
        Self::CreatedAt,
        Self::UpdatedAt,
    ];

    /// The field's name in filters, field lists and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::UserId => "userId",
            Self::Name => "name",
            Self::Mobile => "mobile",
            Self::Email => "email",
            Self::Avatar => "avatar",
            Self::Department => "department",
            Self::Position => "position",
            Self::Gender => "gender",
            Self::Status => "status",
            Self::IsLeader => "isLeader",
            Self::AccessToken => "accessToken",
            Self::RefreshToken => "refreshToken",
            Self::ExpiresAt => "expiresAt",
            Self::CreatedAt => "createdAt",
            Self::UpdatedAt => "updatedAt",
        }
    }

    /// The field with this exact name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The type of the field.
    pub const fn kind(self) -> FieldKind {
        match self {
            Self::Id | Self::Status | Self::ExpiresAt | Self::CreatedAt | Self::UpdatedAt => {
                FieldKind::Integer
            }
            Self::IsLeader => FieldKind::Boolean,
            Self::Department => FieldKind::Departments,
            Self::UserId
            | Self::Name
            | Self::Mobile
            | Self::Email
            | Self::Avatar
            | Self::Position
            | Self::Gender
            | Self::AccessToken
            | Self::RefreshToken => FieldKind::Text,
        }
    }

    /// True for the three fields that describe a session. They must not leave the program by HTTP, console or export:
    /// neither as values nor through filters and orders, which would reveal them by guesses.
    pub const fn is_token(self) -> bool {
        matches!(self, Self::AccessToken | Self::RefreshToken | Self::ExpiresAt)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_names_are_fields() {
        for field in Field::ALL {
            assert_eq!(Field::parse(field.name()), Some(field));
        }
        for name in ["", "userid", "ID", "user_id", "id ", "corp_id", "1"] {
            assert_eq!(Field::parse(name), None, "{name:?}");
        }
    }
}
