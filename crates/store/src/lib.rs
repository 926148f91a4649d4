//! Durable tables and a small key-value store with expiry. All SQL of wecom-login lives here.
//!
//! SQLite on one machine, PostgreSQL where replicas share one database: one text for both (`$1` placeholders,
//! `RETURNING`, `ON CONFLICT`). Whatever must have one winner is one conditional statement.

mod accounts;
mod api_keys;
mod auth_filter;
mod auth_rows;
mod bindings;
mod database;
mod departments;
mod error;
mod key_value;
mod members;
mod rename;
mod seal;
mod sessions;
mod token_pairs;

use std::path::Path;

pub use accounts::{AccountRow, Imported, NewAccount};
pub use api_keys::ApiKeyRow;
pub use bindings::{Bound, BoundBy, MatchOn, Matched};
pub use database::PostgresOptions;
pub use error::Error;
pub use key_value::{Entry, KeyValue};
pub use members::Consent;
pub use seal::{SealError, SealKey, Sealer};
pub use sessions::{EndReason, NewSession, SessionRow};
pub use token_pairs::{NewPair, PairRow, Rotation};

/// The database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    database: database::Database,
}

impl Store {
    /// Opens the SQLite file at `path`, made if absent, and brings its tables up to date.
    ///
    /// The file runs in WAL mode: a killed process loses nothing that was committed.
    pub async fn open_sqlite(path: &Path) -> Result<Self, Error> {
        Ok(Self { database: database::Database::open_sqlite(path).await? })
    }

    /// Opens a PostgreSQL database and brings its tables up to date; of replicas that start at once one does.
    pub async fn open_postgres(options: &PostgresOptions) -> Result<Self, Error> {
        Ok(Self { database: database::Database::open_postgres(options).await? })
    }

    /// The key-value store that lies in the same database.
    pub fn key_value(&self) -> KeyValue {
        KeyValue::new(self.database.clone())
    }

    /// Ends all use of the database; what was committed is on disk.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
