//! How durations are written: in settings, in the configuration of an instance and on the command line.
//!
//! humantime was considered. Its grammar has `M` for months beside `m` for minutes, and years of 365.25 days; a lifetime
//! that is wrong by such a slip is found too late.

use std::time::Duration;

/// No duration is longer, so that adding one to a time never overflows: a hundred years.
const LONGEST: Duration = Duration::from_hours(24 * 36_500);

const UNITS: [(&str, u64); 4] = [("d", 24 * 3600), ("h", 3600), ("m", 60), ("s", 1)];

/// The grammar in words, for messages: `must be {DURATION_RULE}`.
pub const DURATION_RULE: &str = "a duration such as 90s, 15m, 24h or 7d";

/// The grammar as a regular expression, for schemas.
pub const DURATION_PATTERN: &str = "^\\s*[0-9]+ ?[smhd]\\s*$";

/// Reads a whole number with its unit: `s`, `m`, `h` or `d`. At most a hundred years.
///
/// ```
/// use std::time::Duration;
/// use wecom_login_model::parse_duration;
/// assert_eq!(parse_duration("90s"), Some(Duration::from_secs(90)));
/// assert_eq!(parse_duration("7d"), Some(Duration::from_secs(604_800)));
/// assert_eq!(parse_duration("7"), None);
/// ```
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (unit, seconds) = UNITS.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    let number = text.strip_suffix(unit)?;
    let number = number.strip_suffix(' ').unwrap_or(number);
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let duration = number.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)?;
    (duration <= LONGEST).then_some(duration)
}

/// Writes a duration as [`parse_duration`] reads it, in the largest unit that divides it. Fractions of a second are cut.
///
/// ```
/// use std::time::Duration;
/// use wecom_login_model::duration_text;
/// assert_eq!(duration_text(Duration::from_secs(86_400)), "1d");
/// assert_eq!(duration_text(Duration::from_secs(90)), "90s");
/// ```
pub fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let fits = |(_, unit): &(&str, u64)| seconds > 0 && seconds.is_multiple_of(*unit);
    match UNITS.into_iter().find(fits) {
        Some((name, unit)) => format!("{}{name}", seconds / unit),
        None => "0s".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        for (text, seconds) in [
            ("90s", 90),
            (" 15m\r", 900),
            ("24h", 86_400),
            ("24 h", 86_400),
            ("7d", 604_800),
            ("0s", 0),
            ("036500d", 3_153_600_000),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_secs(seconds)), "{text:?}");
        }
        for text in [
            "",
            "d",
            " d",
            "30",
            "-1d",
            "+1d",
            "1.5h",
            "30  d",
            "1w",
            "7D",
            "5M",
            "30天",
            "36501d",
            "1h30m",
            "99999999999999999999d",
            "213503982334602d",
        ] {
            assert_eq!(parse_duration(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for seconds in [0, 1, 59, 60, 90, 3600, 5400, 86_400, 90_000, 604_800] {
            let duration = Duration::from_secs(seconds);
            assert_eq!(parse_duration(&duration_text(duration)), Some(duration));
        }
    }
}
