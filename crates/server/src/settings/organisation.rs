//! How the local copy of the organisation is kept up to date.

use std::time::Duration;

use wecom_login_model::{Bilingual, parse_duration};

use super::declaration::{Declaration, Former, Kind, Shape};
use super::section::section;
use super::value::{Bare, Problem, Scalar};

section! {
    /// How the local copy of the organisation is kept up to date.
    pub struct OrganisationSettings in "", "组织架构" / "Organisation";

    /// How often members and departments are synchronised with WeCom; `never` turns the schedule off.
    sync_every: Interval {
        zh: "每隔多久与企业微信同步一次成员和部门；`never` 表示不定时同步",
        default: "1h", least: "1m", most: "7d",
        formerly: Some(Former { name: "sync_minutes", unit: "m" }),
    }
}

/// The time between two runs of a schedule, or `None` where it is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval(pub Option<Duration>);

impl Scalar for Interval {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "时长，或 `never`", en: "duration, or `never`" },
        rule: "a duration such as 15m, 24h or 7d, or never",
        pattern: "^\\s*([0-9]+ ?[smhd]|[nN][eE][vV][eE][rR])\\s*$",
    };

    fn read(text: &str, key: &Declaration) -> Result<Self, Problem> {
        if text.eq_ignore_ascii_case("never") || parse_duration(text) == Some(Duration::ZERO) {
            return Ok(Self(None));
        }
        if parse_duration(text).is_none() {
            return Err(Problem::breaks(<Self as Scalar>::KIND, text));
        }
        let every = <Duration as Scalar>::read(text, key)
            .map_err(|problem| Problem { text: format!("{}, or never", problem.text), ..problem })?;
        Ok(Self(Some(every)))
    }
}

impl Bare for Interval {
    const UNSET: fn() -> Self = || Self(None);
}
