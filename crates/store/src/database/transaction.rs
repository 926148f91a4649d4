use super::postgres::PostgresTransaction;
use crate::Error;

/// Several statements, all or nothing: what is dropped without [`Transaction::commit`] never was.
#[derive(Debug)]
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(PostgresTransaction),
}

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(transaction) => Ok(Box::pin(transaction.commit()).await?),
            Self::Postgres(transaction) => Box::pin(transaction.commit()).await,
        }
    }
}
