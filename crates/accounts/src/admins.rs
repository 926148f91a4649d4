use wecom_login_model::{CorpId, MemberRef, UserId, Username};

/// The members who administer: company and userId, so that the same userId in another company is nobody special.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admins(Vec<MemberRef>);

impl Admins {
    /// These members.
    pub fn new(members: Vec<MemberRef>) -> Self {
        Self(members)
    }

    /// True when the member is one of them.
    pub fn contains(&self, corp_id: &CorpId, user_id: &UserId) -> bool {
        self.0.iter().any(|admin| admin.corp_id == *corp_id && admin.user_id == *user_id)
    }

    /// The members, as they are listed.
    pub(crate) fn members(&self) -> &[MemberRef] {
        &self.0
    }

    /// The names, in lower case, of accounts that an administrator may be about to get: their userIds.
    pub(crate) fn usernames(&self) -> Vec<String> {
        self.0.iter().map(|admin| Username::of_member(&admin.user_id, 1).folded()).collect()
    }
}

impl FromIterator<MemberRef> for Admins {
    fn from_iter<T: IntoIterator<Item = MemberRef>>(members: T) -> Self {
        Self(members.into_iter().collect())
    }
}
