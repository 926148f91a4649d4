use wecom_login_model::{Actor, Bilingual, Explanation};

use crate::Chrome;

/// What a problem means, who can fix it, how, and what they need for it: the same on every page that tells one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Explained<'a> {
    /// What the hooks for tests begin with.
    pub(crate) hook: &'static str,
    pub(crate) explanation: &'a Explanation,
    pub(crate) details: &'a [(Bilingual, String)],
}

impl Explained<'_> {
    pub(crate) fn who(&self) -> &'static str {
        match self.explanation.who {
            Actor::Member => "member",
            Actor::Administrator => "administrator",
            Actor::Developer => "developer",
            Actor::Operator => "operator",
            Actor::WeCom => "wecom",
        }
    }

    pub(crate) fn who_name(&self, chrome: &Chrome<'_>) -> &'static str {
        chrome.tell(&self.explanation.who.name())
    }

    /// Trying again is not what they need first: another person must act.
    pub(crate) fn needs_another_person(&self) -> bool {
        matches!(self.explanation.who, Actor::Administrator | Actor::Developer | Actor::Operator)
    }
}
