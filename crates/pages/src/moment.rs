//! Moments as people and machines read them. The days are counted as in the proleptic Gregorian calendar with
//! years that begin in March, so that a leap day is the last of its year.

use wecom_login_model::Timestamp;

use crate::UtcOffset;

/// A moment as a `time` element shows it.
pub(crate) struct Moment {
    /// `2026-11-22 15:04 (UTC+8)`.
    pub(crate) for_people: String,
    /// `2026-11-22T07:04:05Z` (RFC 3339).
    pub(crate) for_machines: String,
}

impl Moment {
    pub(crate) fn new(moment: Timestamp, offset: UtcOffset) -> Self {
        Self { for_people: for_people(moment, offset), for_machines: for_machines(moment) }
    }
}

fn for_people(moment: Timestamp, offset: UtcOffset) -> String {
    let ahead = i64::from(offset.minutes);
    let (year, month, day, minute) = civil(moment.as_secs() + ahead * 60);
    let sign = if ahead < 0 { '-' } else { '+' };
    let (hours, rest) = (ahead.abs() / 60, ahead.abs() % 60);
    let zone = match (hours, rest) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, rest) => format!("UTC{sign}{hours}:{rest:02}"),
    };
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} ({zone})", minute / 60, minute % 60)
}

fn for_machines(moment: Timestamp) -> String {
    let (year, month, day, minute) = civil(moment.as_secs());
    let second = moment.as_secs().rem_euclid(60);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{second:02}Z", minute / 60, minute % 60)
}

/// Year, month, day, and the minute of the day.
fn civil(seconds: i64) -> (i64, i64, i64, i64) {
    const DAYS_TO_EPOCH: i64 = 719_468; // from 0000-03-01 to 1970-01-01
    const ERA: i64 = 146_097; // days in 400 years
    let days = seconds.div_euclid(86_400) + DAYS_TO_EPOCH;
    let day_of_era = days.rem_euclid(ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March have 31, 30, 31, 30, 31 days, and again: 153 in five.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = days.div_euclid(ERA) * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day, seconds.rem_euclid(86_400) / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn known_moments() {
        // date -u -d @N
        assert_eq!(for_machines(at(0)), "1970-01-01T00:00:00Z");
        assert_eq!(for_machines(at(951_827_696)), "2000-02-29T12:34:56Z");
        assert_eq!(for_machines(at(4_107_542_399)), "2100-02-28T23:59:59Z");
        assert_eq!(for_machines(at(4_107_542_400)), "2100-03-01T00:00:00Z");
        assert_eq!(for_machines(at(-1)), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let (mut year, mut month, mut day, _) = civil(0);
        for number in 1..=200_000 {
            let next = civil(number * 86_400);
            let expected = [(year, month, day + 1), (year, month + 1, 1), (year + 1, 1, 1)];
            assert!(expected.contains(&(next.0, next.1, next.2)), "{next:?}");
            (year, month, day, _) = next;
        }
        assert_eq!((year, month, day), (2517, 8, 1));
    }

    #[test]
    fn the_zone_is_named() {
        let zone = |minutes| for_people(at(1_795_330_800), UtcOffset { minutes });
        assert_eq!(zone(480), "2026-11-22 15:00 (UTC+8)");
        assert_eq!(zone(0), "2026-11-22 07:00 (UTC)");
        assert_eq!(zone(-210), "2026-11-22 03:30 (UTC-3:30)");
    }
}
