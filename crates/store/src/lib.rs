//! Durable tables and a small key-value store with expiry. All SQL of wecom-login lives here.
//!
//! SQLite on one machine, PostgreSQL where replicas share one database: one text for both (`$1` placeholders,
//! `RETURNING`, `ON CONFLICT`). Whatever must have one winner is one conditional statement.

mod accounts;
mod address;
mod administrators;
mod api_keys;
mod audit;
mod auth_filter;
mod auth_rows;
mod backup;
mod bindings;
mod database;
mod error;
mod events;
mod former_bindings;
mod health;
mod key_value;
mod known_member;
mod leases;
mod leavers;
mod members;
mod organisation;
mod outbox;
mod rename;
mod revocation;
mod row_hash;
mod seal;
mod sessions;
mod token_pairs;
mod visibility;

use std::path::Path;
use std::sync::Arc;

use database::Database;

pub use accounts::{AccountRow, Imported, NewAccount};
pub use administrators::{AdministratorRow, Confirmed};
pub use api_keys::ApiKeyRow;
pub use audit::{Act, AuditEntry, AuditEvent, AuditSink, OK};
pub use backup::BackupError;
pub use bindings::{AccountFor, Bound, BoundBy, MatchOn, NoAccount};
pub use database::PostgresOptions;
pub use error::Error;
pub use events::{Accepted, Backlog, ClaimedTask, EventSetAside, EventTask, Leaver, NewEvent};
pub use former_bindings::{BindingEnd, FormerMember, Rehire};
pub use health::{Rows, Version};
pub use key_value::{Claimed, Counter, Entry, KeyValue, RedisOptions};
pub use known_member::KnownMember;
pub use leases::Lease;
pub use leavers::LeftEvidence;
pub use members::Consent;
pub use organisation::{
    Answers, Applied, ApplyParams, AskedMember, Coverage, Held, LeaseGuard, LookupKind, NewRun, Outcome,
    Phase, Run, RunId, RunScope, Staged, VisibleScope, WalkedDepartment,
};
pub use outbox::{Outgoing, OutgoingEvent};
pub use revocation::{Revoke, SessionsOf};
pub use seal::{SealError, SealKey, Sealer};
pub use sessions::{
    AccountRule, Begun, EndReason, FormerSessions, KeptOutcome, NewSession, SessionRow, SignInOutcome,
};
pub use token_pairs::{NewPair, PairRow, Rotation};
pub use visibility::{
    AppAnswer, AppHealth, Asked, COUNTED_OUT_AFTER, Confirmation, DepartmentAnswer, DepartmentAnswers,
    MemberAnswers, ReadNumber, Standing,
};

/// The database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    values: KeyValue,
    audit: Option<Arc<dyn AuditSink>>,
}

impl Store {
    /// Opens the SQLite file at `path`, made if absent, and brings its tables up to date.
    ///
    /// The file runs in WAL mode: a killed process loses nothing that was committed.
    pub async fn open_sqlite(path: &Path) -> Result<Self, Error> {
        Ok(Self::on(Database::open_sqlite(path).await?))
    }

    /// Opens a PostgreSQL database and brings its tables up to date; of replicas that start at once one does.
    pub async fn open_postgres(options: &PostgresOptions) -> Result<Self, Error> {
        Ok(Self::on(Database::open_postgres(options).await?))
    }

    fn on(database: Database) -> Self {
        Self { values: KeyValue::in_table(database.clone()), database, audit: None }
    }

    /// The same tables, with the short-lived values in Redis.
    pub async fn with_redis(self, options: &RedisOptions) -> Result<Self, Error> {
        Ok(Self { values: KeyValue::in_redis(options).await?, ..self })
    }

    /// The short-lived values: in the same database, or in Redis.
    pub fn key_value(&self) -> KeyValue {
        self.values.clone()
    }

    /// Asks whether the database can be reached now; [`KeyValue::check`] asks the same of the short-lived values.
    pub async fn check(&self) -> Result<(), Error> {
        self.database.check().await
    }

    /// Ends all use of the database; what was committed is on disk.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
