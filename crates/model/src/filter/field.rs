use std::fmt;

/// A field of `QywxInnerAuthModel`. The names are the platform's; nothing else can stand for a column in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `id`: the row's number.
    Id,
    /// `userId`: WeCom's userid; compared without case.
    UserId,
    /// `name`: the display name.
    Name,
    /// `mobile`: `""` when withheld, as the texts below.
    Mobile,
    /// `email`.
    Email,
    /// `avatar`: address of the picture.
    Avatar,
    /// `department`: the list of departments' numbers.
    Department,
    /// `position`.
    Position,
    /// `gender`: WeCom's digit as a text.
    Gender,
    /// `status`: WeCom's number (96255); 5 for whoever was seen to have left; null when WeCom did not tell.
    Status,
    /// `isLeader`: leads any department.
    IsLeader,
    /// `accessToken`: SHA-256 of the token of the latest live session, in hexadecimal; `""` without one.
    AccessToken,
    /// `refreshToken`: always `""`, a cookie session has none.
    RefreshToken,
    /// `expiresAt`: when that session ends in any case, in milliseconds since the Unix epoch; null without one.
    ExpiresAt,
    /// `createdAt`: in milliseconds since the Unix epoch.
    CreatedAt,
    /// `updatedAt`: in milliseconds since the Unix epoch.
    UpdatedAt,
}

/// What a field holds, and so which operators and values it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text. It is never null: what is withheld is `""`.
    Text,
    /// A whole number, or null.
    Integer,
    /// True or false. Null is false, as in the platform's check box, which stores 1 or nothing.
    Boolean,
    /// A list of departments. `=` and `in` ask whether the member belongs to one; null is the empty list.
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

    /// The field's name, as filters, field lists and rows spell it.
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

    /// The field of that name, spelled exactly so.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// What the field holds.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Id | Self::Status | Self::ExpiresAt | Self::CreatedAt | Self::UpdatedAt => Kind::Integer,
            Self::IsLeader => Kind::Boolean,
            Self::Department => Kind::Departments,
            Self::UserId
            | Self::Name
            | Self::Mobile
            | Self::Email
            | Self::Avatar
            | Self::Position
            | Self::Gender
            | Self::AccessToken
            | Self::RefreshToken => Kind::Text,
        }
    }

    /// True for the three fields that tell of a session and stay inside: they reach no HTTP answer, console or
    /// export, neither as values nor, by way of filters and orders, as guesses.
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
    fn names_are_read_as_they_are_written_and_no_other_way() {
        for field in Field::ALL {
            assert_eq!(Field::parse(field.name()), Some(field));
        }
        for name in ["", "userid", "ID", "user_id", "id ", "corp_id", "1"] {
            assert_eq!(Field::parse(name), None, "{name:?}");
        }
    }
}
