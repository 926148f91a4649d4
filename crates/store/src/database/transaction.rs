use super::postgres;
use crate::Error;

/// Several statements, all or nothing: what is dropped without [`Transaction::commit`] never was.
#[derive(Debug)]
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(transaction) => Ok(transaction.commit().await?),
            // Whether it came to pass is not known when the connection breaks here.
            Self::Postgres(transaction) => {
                postgres::within(transaction.commit()).await.map_err(Error::unknown)
            }
        }
    }
}
