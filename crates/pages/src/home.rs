use askama::Template;
use wecom_login_model::Timestamp;

use crate::moment::Moment;
use crate::{Chrome, html};

/// More departments than these fold away.
const DEPARTMENTS_SHOWN: usize = 12;

/// The page of a person who is signed in.
#[derive(Debug, Clone)]
pub struct HomePage<'a> {
    /// The member's name; when it is empty, the user id stands in its place.
    pub name: &'a str,
    /// The member's `userid`.
    pub user_id: &'a str,
    /// The member's position, or nothing.
    pub position: &'a str,
    /// Names of the departments, or their numbers where names are unknown.
    pub departments: &'a [String],
    /// The company's `corpid`.
    pub corp_id: &'a str,
    /// Full name of the instance that the member signed in through.
    pub element: &'a str,
    /// When the session began.
    pub signed_in_at: Timestamp,
    /// When it ends at the latest.
    pub session_end: Timestamp,
    /// A member who has just been bound to the account of this session.
    pub bound: Option<BoundMember<'a>>,
}

/// A member who can now sign in to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundMember<'a> {
    /// The member's name, or nothing.
    pub name: &'a str,
    /// The member's `userid`.
    pub user_id: &'a str,
}

impl BoundMember<'_> {
    fn shown_name(&self) -> Option<&str> {
        Some(self.name.trim()).filter(|name| !name.is_empty())
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    chrome: &'a Chrome<'a>,
    page: &'a HomePage<'a>,
    signed_in_at: Moment,
    session_end: Moment,
    shown: &'a [String],
    hidden: &'a [String],
}

impl HomePage<'_> {
    /// The page as HTML.
    pub fn html(&self, chrome: &Chrome<'_>) -> String {
        let moment = |at| Moment::new(at, chrome.utc_offset);
        let (signed_in_at, session_end) = (moment(self.signed_in_at), moment(self.session_end));
        let (shown, hidden) = self.departments.split_at(self.departments.len().min(DEPARTMENTS_SHOWN));
        html(&Home { chrome, page: self, signed_in_at, session_end, shown, hidden })
    }

    fn shown_name(&self) -> &str {
        if self.name.trim().is_empty() { self.user_id } else { self.name }
    }

    /// What stands for a picture: WeCom's lies on another host, which would learn of every visit. 张三丰 is 三丰, Ada King Lovelace is AL, zhangsan is Z.
    fn initials(&self) -> String {
        let letters = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).collect::<Vec<_>>();
        let words: Vec<Vec<char>> =
            self.shown_name().split_whitespace().map(letters).filter(|word| !word.is_empty()).collect();
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return String::new() };
        if last.iter().all(|letter| ('\u{3400}'..='\u{9fff}').contains(letter)) {
            return last[last.len().saturating_sub(2)..].iter().collect();
        }
        let heads = if words.len() > 1 { vec![first[0], last[0]] } else { vec![first[0]] };
        heads.into_iter().flat_map(char::to_uppercase).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> HomePage<'_> {
        HomePage {
            name,
            user_id: "zhangsan",
            position: "",
            departments: &[],
            corp_id: "ww1436e0e65a779aee",
            element: "auths.loginTypes.QywxInnerExample",
            signed_in_at: Timestamp::from_millis(0),
            session_end: Timestamp::from_millis(0),
            bound: None,
        }
    }

    #[test]
    fn initials_are_short_and_clean() {
        let cases = [
            ("张三丰", "三丰"),
            ("张三", "张三"),
            ("Ada King Lovelace", "AL"),
            ("ada", "A"),
            ("", "Z"),
            ("\u{202e}<b>x", "B"),
            ("***", ""),
        ];
        for (name, initials) in cases {
            assert_eq!(named(name).initials(), initials, "{name:?}");
        }
    }
}
