//! How long rows are kept.

use std::time::Duration;

use super::section::section;

section! {
    /// How long rows are kept that nothing needs any more. The janitor deletes older ones.
    pub struct Retention in "retention.", "数据保留" / "Retention";

    /// Sessions that have ended or expired.
    sessions: Duration { zh: "已结束或已过期的会话", default: "30d", least: "10m", }

    /// Rows of the audit log.
    audit: Duration { zh: "审计日志的记录", default: "180d", least: "1d", }

    /// States, sign-in outcomes and counters, beyond their expiry.
    key_values: Duration { zh: "state、登录结果和计数器，从过期时算起", default: "0s", }

    /// Finished syncs of the organisation. The last one of each app stays.
    sync_runs: Duration { zh: "已完成的组织架构同步，每个应用的最后一次始终保留", default: "90d", least: "1d", }

    /// Entries of the outbox.
    outbox: Duration { zh: "发件箱的记录", default: "30d", least: "1d", }
}
