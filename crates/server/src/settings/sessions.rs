//! How long sessions last.

use std::time::Duration;

use wecom_login_session::Lifetimes;

use super::declaration::Former;
use super::section::section;

section! {
    /// How long sessions last.
    pub struct SessionLimits in "", "会话" / "Sessions";

    /// A session ends when it has not been used for this long.
    session_idle: Duration {
        zh: "会话多久不使用就结束",
        default: "24h", least: "1m",
        formerly: Some(Former { name: "session_idle_hours", unit: "h" }),
    }

    /// A session ends after this long, used or not.
    session_lifetime: Duration {
        zh: "会话最长多久，到时无论是否在用都结束",
        default: "7d", least: "1m",
        formerly: Some(Former { name: "session_hours", unit: "h" }),
    }
}

impl SessionLimits {
    pub(crate) fn lifetimes(&self) -> Lifetimes {
        Lifetimes { idle: self.session_idle, absolute: self.session_lifetime }
    }
}
