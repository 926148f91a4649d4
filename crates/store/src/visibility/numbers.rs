use wecom_login_model::Timestamp;

use crate::database::{Database, On, sql};
use crate::{Error, Store};

/// A number that the database gives out, each greater than all before. It is taken before WeCom is asked, so an answer is
/// newer than whatever has a smaller number. Clocks of replicas differ and are set; these numbers only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadNumber(pub i64);

/// When WeCom was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Its place among all reads.
    pub number: ReadNumber,
    /// The time, which decides how fresh the answer is and nothing else.
    pub at: Timestamp,
}

impl Store {
    /// Takes the next number.
    pub async fn next_number(&self) -> Result<ReadNumber, Error> {
        next_number(self.database.writer(), &self.database).await
    }
}

/// Takes the next number, in a transaction or alone.
pub(crate) async fn next_number<'c>(on: impl Into<On<'c>>, database: &Database) -> Result<ReadNumber, Error> {
    let row = sql(database.next_read_number()).fetch_one(on).await?;
    Ok(ReadNumber(row.get("value")?))
}
