use std::borrow::Cow;

use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, Executor as _, SqlSafeStr as _, SqlStr};

use super::transaction::OnOne;
use super::{On, Row, Transaction};
use crate::Error;

/// A value for a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Boolean(Option<bool>),
    Bytes(Option<Vec<u8>>),
}

/// A statement with its values. The text holds nothing that came from outside: that is always a value.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    text: Cow<'static, str>,
    values: Vec<Value>,
    kept: bool,
    long: bool,
}

/// A statement of this text, with the placeholders `$1`, `$2`, ….
pub(crate) fn sql(text: impl Into<Cow<'static, str>>) -> Statement {
    Statement { text: text.into(), values: Vec::new(), kept: true, long: false }
}

impl Statement {
    /// The value of the next placeholder.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Writes on; for texts that depend on what is asked.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.to_mut().push_str(text);
    }

    /// Writes the next placeholder, for this value.
    pub(crate) fn push_bound(&mut self, value: impl Into<Value>) {
        self.values.push(value.into());
        let place = format!("${}", self.values.len());
        self.push(&place);
    }

    /// Writes the placeholders of a list, for these values, with commas between them.
    pub(crate) fn push_list(&mut self, values: &[String]) {
        for (place, value) in values.iter().enumerate() {
            self.push(if place == 0 { "" } else { ", " });
            self.push_bound(value);
        }
    }

    /// May take as long as a whole company needs, in a transaction that allows for it.
    pub(crate) fn long(mut self) -> Self {
        self.long = true;
        self
    }

    pub(super) fn is_long(&self) -> bool {
        self.long
    }

    /// Not kept prepared by the connection: for texts of too many shapes.
    pub(crate) fn once(mut self) -> Self {
        self.kept = false;
        self
    }

    /// Runs it; tells how many rows it wrote. The driver's future is large, and lies on the heap.
    pub(crate) async fn execute<'c>(self, on: impl Into<On<'c>>) -> Result<u64, Error> {
        Ok(Box::pin(self.run(on.into(), Ask::Written)).await?.written)
    }

    /// Its rows.
    pub(crate) async fn fetch_all<'c>(self, on: impl Into<On<'c>>) -> Result<Vec<Row>, Error> {
        Ok(Box::pin(self.run(on.into(), Ask::Rows)).await?.rows)
    }

    /// Its row, if there is one.
    pub(crate) async fn fetch_optional<'c>(self, on: impl Into<On<'c>>) -> Result<Option<Row>, Error> {
        Ok(self.fetch_all(on).await?.into_iter().next())
    }

    /// Its row.
    pub(crate) async fn fetch_one<'c>(self, on: impl Into<On<'c>>) -> Result<Row, Error> {
        self.fetch_optional(on)
            .await?
            .ok_or_else(|| Error::vanished("a statement that gives a row gave none"))
    }

    async fn run(self, on: On<'_>, ask: Ask) -> Result<Answer, Error> {
        // The text only: values may be personal data or secrets.
        tracing::trace!(target: "wecom_login_store::sql", statement = &*self.text);
        match on {
            On::Sqlite(pool) => self.on_sqlite(pool, ask).await,
            On::Transaction(Transaction { on: OnOne::Sqlite(transaction), .. }) => {
                self.on_sqlite(&mut **transaction, ask).await
            }
            On::Postgres { pool, repeatable } => pool.run(&self, ask, repeatable).await,
            On::Transaction(Transaction { on: OnOne::Postgres(transaction), .. }) => {
                transaction.run(&self, ask).await
            }
        }
    }

    async fn on_sqlite<'c>(
        self,
        connection: impl sqlx::Executor<'c, Database = sqlx::Sqlite>,
        ask: Ask,
    ) -> Result<Answer, Error> {
        let query = sqlx::query_with(self.sql_text(), self.sqlite_arguments()?).persistent(self.kept);
        Ok(match ask {
            Ask::Written => Answer::written(connection.execute(query).await?.rows_affected()),
            Ask::Rows => Answer::rows(connection.fetch_all(query).await?),
        })
    }

    pub(super) async fn on_postgres(
        &self,
        connection: &mut PgConnection,
        ask: Ask,
    ) -> Result<Answer, sqlx::Error> {
        let query = sqlx::query_with(self.sql_text(), self.postgres_arguments()?).persistent(self.kept);
        Ok(match ask {
            Ask::Written => Answer::written(connection.execute(query).await?.rows_affected()),
            Ask::Rows => Answer::rows(connection.fetch_all(query).await?),
        })
    }
}

impl Statement {
    fn sql_text(&self) -> SqlStr {
        match &self.text {
            Cow::Borrowed(text) => text.into_sql_str(),
            Cow::Owned(text) => AssertSqlSafe(text.clone()).into_sql_str(),
        }
    }

    fn sqlite_arguments(&self) -> Result<SqliteArguments, sqlx::Error> {
        let mut arguments = SqliteArguments::default();
        for value in &self.values {
            match value {
                Value::Text(text) => arguments.add(text.clone()),
                Value::Integer(number) => arguments.add(*number),
                Value::Boolean(truth) => arguments.add(*truth),
                Value::Bytes(bytes) => arguments.add(bytes.clone()),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok(arguments)
    }

    fn postgres_arguments(&self) -> Result<PgArguments, sqlx::Error> {
        let mut arguments = PgArguments::default();
        for value in &self.values {
            match value {
                Value::Text(text) => arguments.add(text.as_deref()),
                Value::Integer(number) => arguments.add(*number),
                Value::Boolean(truth) => arguments.add(*truth),
                Value::Bytes(bytes) => arguments.add(bytes.as_deref()),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok(arguments)
    }
}

/// What is wanted of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask {
    Written,
    Rows,
}

pub(super) struct Answer {
    written: u64,
    rows: Vec<Row>,
}

impl Answer {
    fn written(written: u64) -> Self {
        Self { written, rows: Vec::new() }
    }

    fn rows<R: Into<Row>>(rows: Vec<R>) -> Self {
        Self { written: 0, rows: rows.into_iter().map(Into::into).collect() }
    }
}

/// PostgreSQL takes no NUL in a text, and SQLite's functions end at one: the character that says so stands in for it,
/// on both, in what is stored as in what is looked for.
fn text(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(text(value)))
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        value.as_str().into()
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        if value.contains('\0') { value.as_str().into() } else { Self::Text(Some(value)) }
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(text))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::Text(None), Into::into)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(Some(value))
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}
