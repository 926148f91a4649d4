//! The tables of both backends, version by version: the same versions, tables, columns and keys.

use std::borrow::Cow;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqlitePool;
use sqlx::{Connection as _, SqlSafeStr as _};

use crate::Error;

/// How long a migration may take, and the wait for another process that is at it.
pub(super) const TIMEOUT: Duration = Duration::from_mins(10);

/// Version, description, and the text for each backend.
macro_rules! migrations {
    ($($version:literal $file:literal,)*) => {
        &[$(($version, $file, include_str!(concat!("../../migrations/sqlite/", $file, ".sql")),
            include_str!(concat!("../../migrations/postgres/", $file, ".sql"))),)*]
    };
}

const MIGRATIONS: &[(i64, &str, &str, &str)] = migrations![
    1 "0001_sign_in",
    2 "0002_consents",
    3 "0003_accounts",
    4 "0004_token_pairs",
    10 "0010_organisation_sync",
    20 "0020_contact_events",
    30 "0030_audit",
    40 "0040_read_by",
    50 "0050_sign_in_outcome",
    60 "0060_visibility",
    61 "0061_former_bindings",
    62 "0062_leases_and_attempts",
];

pub(super) async fn run_on_sqlite(writer: &SqlitePool) -> Result<(), Error> {
    let migrator = migrator(|(_, _, sqlite, _)| sqlite);
    // The driver takes no lock on SQLite: two processes that start at once would both make the tables.
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run_direct(None, &mut *transaction, false).await?;
    Ok(transaction.commit().await?)
}

/// On a connection of its own, whose time-outs allow for it. The driver takes an advisory lock.
pub(super) async fn run_on_postgres(options: &PgConnectOptions) -> Result<(), Error> {
    let migrator = migrator(|(_, _, _, postgres)| postgres);
    let mut connection = PgConnection::connect_with(options).await?;
    migrator.run_direct(None, &mut connection, false).await?;
    Ok(connection.close().await?)
}

/// The number of the last of them.
pub(crate) fn latest() -> i64 {
    MIGRATIONS.iter().map(|(version, ..)| *version).max().unwrap_or(0)
}

fn migrator(text: impl Fn(&(i64, &'static str, &'static str, &'static str)) -> &'static str) -> Migrator {
    let migration = |migration: &(i64, &'static str, &'static str, &'static str)| {
        let description = migration.1.split_once('_').map_or(migration.1, |(_, rest)| rest).replace('_', " ");
        let text = text(migration).into_sql_str();
        Migration::new(migration.0, Cow::Owned(description), MigrationType::Simple, text, false)
    };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}
