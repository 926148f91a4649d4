//! Many rows at once: statements of many rows on SQLite, COPY on PostgreSQL, which are the quickest of either.

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, SqlSafeStr as _};

use super::statement::Value;
use super::transaction::OnOne;
use super::{Transaction, sql};
use crate::Error;

/// A table that is loaded, and the columns that are given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loaded {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static [&'static str],
}

/// Rows in one statement of SQLite's. There are three texts for a table, so that each is prepared once: to prepare one of
/// some hundred rows takes longer than to run it. With 20 columns the longest has a quarter of the placeholders that
/// SQLite takes (32,766), and more would not make it quicker.
const ROWS: [usize; 3] = [400, 20, 1];

impl Transaction {
    /// Appends the rows, whose values stand one after another in the order of the columns.
    pub(crate) async fn load(&mut self, into: Loaded, values: Vec<Value>) -> Result<(), Error> {
        if values.is_empty() {
            return Ok(());
        }
        let width = into.columns.len();
        let columns = into.columns.join(", ");
        match &mut self.on {
            OnOne::Sqlite(transaction) => {
                let mut left = values.len() / width;
                let mut values = values.into_iter();
                for rows in ROWS {
                    let row = format!("({})", vec!["?"; width].join(","));
                    let places = vec![row; rows].join(",");
                    let text = format!("INSERT INTO {} ({columns}) VALUES {places}", into.table);
                    let text = AssertSqlSafe(text).into_sql_str();
                    while left >= rows {
                        let mut arguments = SqliteArguments::default();
                        for value in values.by_ref().take(rows * width) {
                            match value {
                                Value::Text(text) => arguments.add(text),
                                Value::Integer(number) => arguments.add(number),
                                Value::Boolean(truth) => arguments.add(truth),
                                Value::Bytes(bytes) => arguments.add(bytes),
                            }
                            .map_err(sqlx::Error::Encode)?;
                        }
                        let insert = sqlx::query_with(text.clone(), arguments);
                        Box::pin(insert.execute(&mut **transaction)).await?;
                        left -= rows;
                    }
                }
                Ok(())
            }
            OnOne::Postgres(transaction) => {
                let mut text = String::with_capacity(values.len() * 16);
                for row in values.chunks(width) {
                    for (place, value) in row.iter().enumerate() {
                        text.push_str(if place == 0 { "" } else { "\t" });
                        write_copied(&mut text, value);
                    }
                    text.push('\n');
                }
                let copy = format!("COPY {} ({columns}) FROM STDIN", into.table);
                Box::pin(transaction.copy(&copy, text.as_bytes())).await
            }
        }
    }

    /// Tells the planner what a load has brought; SQLite's needs no telling.
    pub(crate) async fn analyze(&mut self, table: &'static str) -> Result<(), Error> {
        if let OnOne::Postgres(_) = self.on {
            sql(format!("ANALYZE {table}")).execute(&mut *self).await?;
        }
        Ok(())
    }

    /// Lets the statements to come take as long as a whole company needs; PostgreSQL would end them sooner.
    pub(crate) async fn lift_timeouts(&mut self) -> Result<(), Error> {
        if let OnOne::Postgres(_) = self.on {
            for limit in ["statement_timeout", "lock_timeout"] {
                sql(format!("SET LOCAL {limit} = '10min'")).execute(&mut *self).await?;
            }
        }
        Ok(())
    }
}

/// COPY's text format (PostgreSQL's documentation of COPY, "Text Format").
fn write_copied(text: &mut String, value: &Value) {
    use std::fmt::Write as _;
    match value {
        Value::Text(Some(value)) => {
            for letter in value.chars() {
                match letter {
                    '\\' => text.push_str("\\\\"),
                    '\t' => text.push_str("\\t"),
                    '\n' => text.push_str("\\n"),
                    '\r' => text.push_str("\\r"),
                    other => text.push(other),
                }
            }
        }
        // Writing to a String cannot fail.
        Value::Integer(Some(number)) => {
            let _ = write!(text, "{number}");
        }
        Value::Boolean(Some(truth)) => text.push(if *truth { 't' } else { 'f' }),
        Value::Bytes(Some(bytes)) => {
            text.push_str("\\\\x");
            for byte in bytes {
                let _ = write!(text, "{byte:02x}");
            }
        }
        Value::Text(None) | Value::Integer(None) | Value::Boolean(None) | Value::Bytes(None) => {
            text.push_str("\\N");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_ends_its_column_or_its_row() {
        let mut text = String::new();
        for value in
            [Value::from("a\tb\nc\\d\r"), Value::from(-7), Value::Text(None), Value::from(vec![0, 255])]
        {
            write_copied(&mut text, &value);
            text.push('|');
        }
        assert_eq!(text, "a\\tb\\nc\\\\d\\r|-7|\\N|\\\\x00ff|");
    }
}
