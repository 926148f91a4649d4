//! The one way in which this crate speaks SQL. Every function of the store is written once, with `$1` placeholders, and
//! runs on SQLite (one machine) and on PostgreSQL (many); no type of the driver is seen outside this folder.
//!
//! * [`statement`]: text and values, and what is asked for;
//! * [`row`]: columns by name;
//! * [`transaction`]: several statements, all or nothing, one after another with others of the same subject;
//! * [`bulk`]: many rows at once;
//! * [`sqlite`], [`postgres`]: how each is opened and what it does when it fails;
//! * [`migrations`]: the tables.

mod bulk;
pub(crate) mod migrations;
mod postgres;
mod row;
mod sqlite;
mod statement;
mod transaction;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use bulk::Loaded;
pub use postgres::PostgresOptions;
pub(crate) use row::Row;
pub(crate) use statement::{Statement, Value, sql};
pub(crate) use transaction::Transaction;

use crate::{AuditSink, Error};
use postgres::Postgres;
use sqlite::Sqlite;

/// The subject of what moves members, accounts and bindings: see [`Database::begin`].
pub(crate) const PEOPLE: &str = "people";

/// The database; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Where a statement runs.
#[derive(Debug)]
pub(crate) enum On<'c> {
    Sqlite(&'c sqlx::SqlitePool),
    Postgres { pool: &'c Postgres, repeatable: bool },
    Transaction(&'c mut Transaction),
}

impl<'c> From<&'c mut Transaction> for On<'c> {
    fn from(transaction: &'c mut Transaction) -> Self {
        Self::Transaction(transaction)
    }
}

impl Database {
    pub(crate) async fn open_sqlite(path: &Path) -> Result<Self, Error> {
        Ok(Self::Sqlite(Sqlite::open(path).await?))
    }

    pub(crate) async fn open_postgres(options: &PostgresOptions) -> Result<Self, Error> {
        Ok(Self::Postgres(Postgres::open(options).await?))
    }

    /// The same database, whose transactions tell their events to `sink`.
    pub(crate) fn with_sink(mut self, sink: Arc<dyn AuditSink>) -> Self {
        match &mut self {
            Self::Sqlite(database) => database.sink = Some(sink),
            Self::Postgres(database) => database.sink = Some(sink),
        }
        self
    }

    /// For a statement that changes something. It is sent once.
    pub(crate) fn writer(&self) -> On<'_> {
        match self {
            Self::Sqlite(database) => On::Sqlite(database.writer()),
            Self::Postgres(pool) => On::Postgres { pool, repeatable: false },
        }
    }

    /// For a statement that changes nothing: it waits for no writer, and is sent again when the connection broke.
    pub(crate) fn reader(&self) -> On<'_> {
        match self {
            Self::Sqlite(database) => On::Sqlite(database.readers()),
            Self::Postgres(pool) => On::Postgres { pool, repeatable: true },
        }
    }

    /// Ends the text of a query within a statement that writes: it waits for whoever is changing the rows that it finds, and
    /// finds them as they are after that. On SQLite, where there is one writer, it does so by itself.
    pub(crate) fn for_share(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Postgres(_) => "FOR SHARE",
        }
    }

    /// The statement that takes the next number of [`crate::ReadNumber`], as `value`.
    pub(crate) fn next_read_number(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "UPDATE read_numbers SET value = value + 1 RETURNING value",
            Self::Postgres(_) => "SELECT nextval('read_numbers') AS value",
        }
    }

    /// An expression in a query of `member_visibility AS v`: the names of the member's departments, in order, as a JSON array of texts.
    pub(crate) fn department_names(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => {
                "(SELECT json_group_array(name) FROM (SELECT COALESCE(d.name, '') AS name FROM json_each(v.departments) AS j
                    LEFT JOIN departments AS d ON d.corp_id = v.corp_id AND d.department_id = j.value ORDER BY j.key))"
            }
            Self::Postgres(_) => {
                "(SELECT json_agg(COALESCE(d.name, '') ORDER BY j.place)::text
                    FROM json_array_elements_text(v.departments::json) WITH ORDINALITY AS j (id, place)
                    LEFT JOIN departments AS d ON d.corp_id = v.corp_id AND d.department_id = j.id::bigint)"
            }
        }
    }

    /// Begins a transaction that writes. Those of one `subject` run one after another, on both backends and over all
    /// processes, so what one has read is true until its end. Give related transactions the same subject: two that lock
    /// the same rows under different ones may wait for each other, and one of them then fails as busy.
    pub(crate) async fn begin(&self, subject: &str) -> Result<Transaction, Error> {
        match self {
            Self::Sqlite(database) => Box::pin(database.begin()).await,
            Self::Postgres(database) => Box::pin(database.begin_within(subject, None)).await,
        }
    }

    /// Begins a transaction that writes and waits for no other but where both write the same rows.
    pub(crate) async fn begin_unserialized(&self) -> Result<Transaction, Error> {
        match self {
            Self::Sqlite(database) => Box::pin(database.begin()).await,
            Self::Postgres(database) => Box::pin(database.begin()).await,
        }
    }

    /// The same for what somebody waits for: where others of its subject keep a lock of PostgreSQL for longer than `most`,
    /// it fails as busy.
    pub(crate) async fn begin_within(&self, subject: &str, most: Duration) -> Result<Transaction, Error> {
        match self {
            Self::Sqlite(database) => Box::pin(database.begin()).await,
            Self::Postgres(database) => Box::pin(database.begin_within(subject, Some(most))).await,
        }
    }

    /// Begins a transaction that only reads: all its statements see the database as of one moment.
    pub(crate) async fn snapshot(&self) -> Result<Transaction, Error> {
        match self {
            Self::Sqlite(database) => database.snapshot().await,
            Self::Postgres(database) => database.snapshot().await,
        }
    }

    /// Between two long transactions of background work: lets others write. Those of this process have their turn anyway, but on
    /// SQLite another process that waits looks for the end of a transaction only every 25 ms at first, and then less often.
    pub(crate) async fn let_others_write(&self) {
        const PAUSE: Duration = Duration::from_millis(30);
        if let Self::Sqlite(_) = self {
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(crate) async fn check(&self) -> Result<(), Error> {
        sql("SELECT 1").fetch_one(self.reader()).await.map(drop)
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(database) => database.close().await,
            Self::Postgres(database) => database.close().await,
        }
    }
}
