use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::Error;

/// A row of an answer. Columns are read by name, as `i64`, `String`, `bool`, `Vec<u8>`, or an `Option` of one.
pub(crate) struct Row(Of);

enum Of {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self(Of::Sqlite(row))
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self(Of::Postgres(row))
    }
}

/// What a column can be read as.
pub(crate) trait Column:
    for<'r> sqlx::Decode<'r, sqlx::Sqlite>
    + sqlx::Type<sqlx::Sqlite>
    + for<'r> sqlx::Decode<'r, sqlx::Postgres>
    + sqlx::Type<sqlx::Postgres>
{
}

impl Column for i64 {}
impl Column for bool {}
impl Column for String {}
impl Column for Vec<u8> {}
impl<T> Column for Option<T>
where
    T: Column,
    Option<T>: for<'r> sqlx::Decode<'r, sqlx::Sqlite>
        + sqlx::Type<sqlx::Sqlite>
        + for<'r> sqlx::Decode<'r, sqlx::Postgres>
        + sqlx::Type<sqlx::Postgres>,
{
}

impl Row {
    /// The column of that name.
    pub(crate) fn get<T: Column>(&self, column: &str) -> Result<T, Error> {
        Ok(match &self.0 {
            Of::Sqlite(row) => row.try_get(column)?,
            Of::Postgres(row) => row.try_get(column)?,
        })
    }
}
