//! What can be told of the database from outside: whether it takes writes, which version its tables are, how much is in it.

use std::time::Duration;

use wecom_login_model::Timestamp;

use crate::database::migrations::latest;
use crate::database::sql;
use crate::{Error, Store};

/// The row that is written to see whether writing works; it runs out by itself.
const PROBE: &str = "ready/probe";
const PROBE_LIFE: Duration = Duration::from_mins(1);

/// The version of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// What the database has.
    pub found: i64,
    /// What this program is made for.
    pub expected: i64,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rows {
    /// Members who have not left.
    pub members: i64,
    /// Departments.
    pub departments: i64,
    /// Accounts.
    pub accounts: i64,
    /// Bindings of members to accounts.
    pub bindings: i64,
    /// Sessions that live.
    pub live_sessions: i64,
    /// Sessions with those that have ended and are still kept.
    pub sessions: i64,
    /// Key-values with those that have expired and are not deleted yet.
    pub key_values: i64,
    /// Events of the audit log; rather too many than too few.
    pub audit_events: i64,
    /// What other systems are to be told.
    pub outbox: i64,
}

impl Store {
    /// Writes one row of its own and commits it: a full disk or a database that became read-only shows in nothing less.
    pub async fn check_writable(&self, now: Timestamp) -> Result<(), Error> {
        sql("INSERT INTO key_values (key, value, version, expires_at) VALUES ($1, '', 1, $2)
             ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at")
        .bind(PROBE)
        .bind((now + PROBE_LIFE).as_millis())
        .execute(self.database.writer())
        .await
        .map(drop)
    }

    /// The version of the tables, and the one that this program is made for.
    pub async fn version(&self) -> Result<Version, Error> {
        let row = sql("SELECT MAX(version) AS version FROM _sqlx_migrations WHERE success")
            .fetch_one(self.database.reader())
            .await?;
        Ok(Version { found: row.get::<Option<i64>>("version")?.unwrap_or(0), expected: latest() })
    }

    /// Counts the rows. It reads whole indexes: ask rarely.
    ///
    /// Who has left is counted by an index of its own, so that no row of a member is read. Events of the audit log are
    /// numbered as they come and deleted in that order; the numbers are counted, some of which PostgreSQL never gives away.
    pub async fn rows(&self, now: Timestamp) -> Result<Rows, Error> {
        let row = sql("SELECT
                (SELECT COUNT(*) FROM members)
                    - (SELECT COUNT(*) FROM members WHERE left_at IS NOT NULL) AS members,
                (SELECT COUNT(*) FROM departments) AS departments,
                (SELECT COUNT(*) FROM accounts) AS accounts,
                (SELECT COUNT(*) FROM bindings) AS bindings,
                (SELECT COUNT(*) FROM sessions
                    WHERE ended_at IS NULL AND idle_until > $1 AND expires_at > $1) AS live_sessions,
                (SELECT COUNT(*) FROM sessions) AS sessions,
                (SELECT COUNT(*) FROM key_values) AS key_values,
                (SELECT COALESCE(MAX(id), 0) FROM audit_events) - (SELECT COALESCE(MIN(id), 1) FROM audit_events) + 1
                    AS audit_events,
                (SELECT COUNT(*) FROM outbox) AS outbox")
        .bind(now.as_millis())
        .fetch_one(self.database.reader())
        .await?;
        Ok(Rows {
            members: row.get("members")?,
            departments: row.get("departments")?,
            accounts: row.get("accounts")?,
            bindings: row.get("bindings")?,
            live_sessions: row.get("live_sessions")?,
            sessions: row.get("sessions")?,
            key_values: row.get("key_values")?,
            audit_events: row.get("audit_events")?,
            outbox: row.get("outbox")?,
        })
    }
}
