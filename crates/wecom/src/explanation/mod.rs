//! What WeCom's error numbers mean and who can do what about them (WeCom 90313), in our words.

mod table;

use wecom_login_model::Explanation;

/// What an errcode means, who must act, and how; none for a number that is not in the table.
///
/// ```
/// use wecom::{explain, model::Actor};
/// let gate = explain(60020).unwrap();
/// assert_eq!(gate.who, Actor::Administrator);
/// println!("{} {}", gate.meaning.en, gate.remedy.en);
/// ```
pub fn explain(errcode: i64) -> Option<&'static Explanation> {
    let table = explanations();
    table.binary_search_by_key(&errcode, |row| row.code).ok().map(|row| &table[row])
}

/// The whole table, sorted by number.
pub fn explanations() -> &'static [Explanation] {
    table::TABLE
}
