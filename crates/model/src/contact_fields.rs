use serde::{Deserialize, Serialize};

use crate::Profile;

/// A field that WeCom shows to some apps only: by the app's age and settings, or by the member's consent (WeCom 96255).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactField {
    /// Mobile number.
    Mobile,
    /// E-mail address.
    Email,
    /// E-mail address at the company.
    BizMail,
    /// URL of the picture.
    Avatar,
    /// Gender.
    Gender,
}

impl ContactField {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Mobile, Self::Email, Self::BizMail, Self::Avatar, Self::Gender];

    /// The name, as in [`Profile`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Email => "email",
            Self::BizMail => "biz_mail",
            Self::Avatar => "avatar",
            Self::Gender => "gender",
        }
    }

    /// Its bit in [`ContactFields`].
    pub const fn bit(self) -> i64 {
        1 << self as i64
    }
}

/// A set of [`ContactField`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContactFields(i64);

impl ContactFields {
    /// The set of these bits; others are dropped.
    pub const fn of_bits(bits: i64) -> Self {
        Self(bits & ((1 << ContactField::ALL.len()) - 1))
    }

    /// The bits of the set.
    pub const fn bits(self) -> i64 {
        self.0
    }

    /// True if the field is in the set.
    pub const fn has(self, field: ContactField) -> bool {
        self.0 & field.bit() != 0
    }

    /// The union of two sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<ContactField> for ContactFields {
    fn from_iter<I: IntoIterator<Item = ContactField>>(fields: I) -> Self {
        Self(fields.into_iter().fold(0, |bits, field| bits | field.bit()))
    }
}

impl Profile {
    /// The value of a contact field.
    pub fn contact(&self, field: ContactField) -> &str {
        match field {
            ContactField::Mobile => &self.mobile,
            ContactField::Email => &self.email,
            ContactField::BizMail => &self.biz_mail,
            ContactField::Avatar => &self.avatar,
            ContactField::Gender => &self.gender,
        }
    }

    fn contact_mut(&mut self, field: ContactField) -> &mut String {
        match field {
            ContactField::Mobile => &mut self.mobile,
            ContactField::Email => &mut self.email,
            ContactField::BizMail => &mut self.biz_mail,
            ContactField::Avatar => &mut self.avatar,
            ContactField::Gender => &mut self.gender,
        }
    }

    /// The contact fields that have a value. Gender `"0"` is what WeCom says in place of a withheld one (WeCom 95833).
    pub fn shown_fields(&self) -> ContactFields {
        let has_value = |field: &ContactField| {
            let withheld = if *field == ContactField::Gender { "0" } else { "" };
            let value = self.contact(*field);
            !value.is_empty() && value != withheld
        };
        ContactField::ALL.into_iter().filter(has_value).collect()
    }

    /// The same profile with contact fields outside `fields` withheld.
    #[must_use]
    pub fn only(mut self, fields: ContactFields) -> Self {
        for field in ContactField::ALL.into_iter().filter(|field| !fields.has(*field)) {
            self.contact_mut(field).clear();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_keeps_only_the_fields_of_the_set() {
        let profile = Profile {
            mobile: "1".to_owned(),
            avatar: "2".to_owned(),
            gender: "0".to_owned(),
            ..Profile::default()
        };
        let shown = profile.shown_fields();
        assert_eq!(shown, ContactFields::from_iter([ContactField::Mobile, ContactField::Avatar]));
        let only = profile.clone().only(ContactFields::from_iter([ContactField::Avatar]));
        assert_eq!((only.mobile.as_str(), only.avatar.as_str()), ("", "2"));
        assert_eq!(ContactFields::of_bits(-1).bits(), 31);
        assert!(ContactField::ALL.iter().all(|field| ContactFields::of_bits(31).has(*field)));
    }
}
