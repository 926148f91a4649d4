/// The part of a page that names the account to which a member will be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BindingPage<'a> {
    /// The name of the account.
    pub username: &'a str,
    /// The name of the member who is signed in to it; empty if it is unknown.
    pub name: &'a str,
    /// True inside WeCom, where a tap binds the member who is signed in there.
    pub by_tap: bool,
    /// Where to go without a binding.
    pub leave_url: &'a str,
}

impl BindingPage<'_> {
    /// The member's name, if it says more than the account's.
    pub(crate) fn shown_name(&self) -> Option<&str> {
        Some(self.name.trim()).filter(|name| !name.is_empty() && *name != self.username)
    }
}
