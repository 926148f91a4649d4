//! How long things are kept, `[retention]` of the settings, and how a duration is written there.

use std::time::Duration;

use serde::Deserialize;

/// How long rows are kept that nothing needs any more. The janitor deletes older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Sessions that have ended or run out.
    pub sessions: Duration,
    /// Events of the audit log's table.
    pub audit: Duration,
    /// States, outcomes and counters beyond their own expiry.
    pub key_values: Duration,
    /// Syncs of the organisation that have ended; the last one of each app stays.
    pub sync_runs: Duration,
    /// What other systems are to be told.
    pub outbox: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            sessions: days(30),
            audit: days(180),
            key_values: Duration::ZERO,
            sync_runs: days(90),
            outbox: days(30),
        }
    }
}

const fn days(days: u64) -> Duration {
    Duration::from_hours(24 * days)
}

/// As it is written; what is absent is the default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    sessions: Option<String>,
    audit: Option<String>,
    key_values: Option<String>,
    sync_runs: Option<String>,
    outbox: Option<String>,
}

impl Written {
    /// The retention, or the key that is wrong and what it should be.
    pub(crate) fn checked(&self) -> Result<Retention, (&'static str, String)> {
        let default = Retention::default();
        let read = |key, written: &Option<String>, default, least: Duration| match written {
            None => Ok(default),
            Some(text) => match duration(text) {
                Some(duration) if duration >= least => Ok(duration),
                _ => Err((
                    key,
                    format!("must be a duration of at least {}, such as 30d, 12h or 90m", shown(least)),
                )),
            },
        };
        Ok(Retention {
            sessions: read("retention.sessions", &self.sessions, default.sessions, Duration::from_mins(10))?,
            audit: read("retention.audit", &self.audit, default.audit, days(1))?,
            key_values: read("retention.key_values", &self.key_values, default.key_values, Duration::ZERO)?,
            sync_runs: read("retention.sync_runs", &self.sync_runs, default.sync_runs, days(1))?,
            outbox: read("retention.outbox", &self.outbox, default.outbox, days(1))?,
        })
    }
}

/// A whole number and a unit: `90s`, `15m`, `12h`, `30d`. At most a hundred years, so that no moment overflows.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    let number: u64 = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    number.checked_mul(unit).map(Duration::from_secs).filter(|duration| *duration <= days(36_500))
}

fn shown(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds > 0 && seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        seconds if seconds > 0 && seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(duration(" 15m"), Some(Duration::from_mins(15)));
        assert_eq!(duration("12h"), Some(Duration::from_hours(12)));
        assert_eq!(duration("30d"), Some(days(30)));
        assert_eq!(duration("0s"), Some(Duration::ZERO));
        for text in
            ["", "d", "30", "-1d", "+1d", "1.5h", "30 d", "1w", "30天", "36501d", "99999999999999999999d"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
