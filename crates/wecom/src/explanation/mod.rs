//! The meaning of WeCom's error numbers (WeCom 90313), who must act, and what they must do.

#![expect(clippy::unreadable_literal, reason = "an error number is read as WeCom writes it")]

mod entry;
mod table;

pub use entry::{Actor, Explanation};

/// What an errcode means, who must act, and what they must do; `None` for a number that the table does not have.
///
/// ```
/// use wecom::{Actor, explain};
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every number that WeCom 90313 lists for sign-in, contacts, callbacks and scripts.
    const KNOWN: [i64; 74] = [
        -1, 6000, 40001, 40003, 40013, 40014, 40029, 40056, 40057, 40058, 40063, 40066, 40068, 40078, 40082,
        40088, 40089, 40091, 40093, 41001, 41002, 41004, 41008, 41009, 41011, 42001, 42003, 42007, 42009,
        42012, 42013, 42022, 43012, 45009, 45024, 45029, 45031, 45033, 46004, 48002, 48004, 48005, 48006,
        48009, 50001, 50002, 50003, 50006, 60003, 60011, 60020, 60021, 60031, 60102, 60103, 60104, 60111,
        60123, 80001, 81011, 81013, 82001, 84014, 84015, 84025, 84090, 85005, 91040, 301002, 301005, 301007,
        301021, 301036, 2000002,
    ];

    #[test]
    fn the_table_is_sorted_unique_and_complete() {
        let codes: Vec<i64> = explanations().iter().map(|row| row.code).collect();
        assert!(codes.is_sorted_by(|one, next| one < next));
        assert_eq!(codes, KNOWN);
    }

    #[test]
    fn both_languages_are_filled() {
        let chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
        for row in explanations() {
            for text in [row.meaning, row.remedy] {
                assert!(chinese(text.zh), "{}: {}", row.code, text.zh);
                assert!(text.en.len() > 8 && text.en != text.zh, "{}: {}", row.code, text.en);
            }
        }
    }

    #[test]
    fn the_address_gate_is_not_mistaken_for_a_bad_agentid() {
        let gate = explain(60020).unwrap();
        assert_eq!(gate.who, Actor::Administrator);
        assert!(gate.meaning.zh.contains("企业可信IP") && gate.remedy.en.contains("IP that the error names"));
        for code in [40056, 301002] {
            assert!(explain(code).unwrap().remedy.en.to_lowercase().contains("agentid"), "{code}");
        }
        assert!(explain(1).is_none());
    }
}
