//! When removals wait for an administrator. A scope that somebody narrowed by mistake, or an answer that lost half of a
//! company, must not sign a company out.

/// So many may leave without anybody being asked.
const ALWAYS: u64 = 10;
/// And so many of a hundred.
const PERCENT: u64 = 5;

/// Why `leaving` of `known` members are too many, if they are.
pub(super) fn holds(leaving: u64, known: u64) -> Option<String> {
    (leaving > ALWAYS && leaving * 100 > known * PERCENT).then(|| {
        format!("at least {leaving} of {known} members would be marked as having left, which is more than {PERCENT} %")
    })
}

/// Why nobody may be removed by an answer that shows nobody.
pub(super) fn holds_empty(seen: u64, known: u64) -> Option<String> {
    (seen == 0 && known > 0)
        .then(|| format!("WeCom showed nobody at all, and {known} members would be marked as having left"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_ten_and_more_than_five_percent_are_held() {
        for (leaving, known, held) in [
            (0, 0, false),
            (10, 10, false),
            (11, 11, true),
            (11, 219, true),
            (11, 220, false),
            (50, 1_000, false),
            (51, 1_000, true),
            (5_000, 100_000, false),
            (5_001, 100_000, true),
        ] {
            assert_eq!(holds(leaving, known).is_some(), held, "{leaving} of {known}");
        }
    }

    #[test]
    fn an_empty_answer_is_held_however_small_the_company() {
        assert!(holds_empty(0, 1).is_some());
        assert!(holds_empty(1, 1).is_none());
        assert!(holds_empty(0, 0).is_none());
    }
}
