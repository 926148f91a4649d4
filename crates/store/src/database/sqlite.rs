//! SQLite in WAL mode: one writer, so that writers queue here in order instead of failing with BUSY there,
//! and a few readers that never wait for it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::time::Instant;

use super::transaction::OnOne;
use super::{Transaction, migrations};
use crate::{AuditSink, Error};

const READERS: u32 = 4;
/// Of the writer's pages, so that a sync of a large company reads few of them twice; it is taken as it is needed.
const WRITER_CACHE: &str = "-16384"; // KiB, as SQLite's negative numbers are
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub(crate) struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
    pub(super) sink: Option<Arc<dyn AuditSink>>,
}

impl Sqlite {
    pub(super) async fn open(path: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let pool = |size| {
            SqlitePoolOptions::new()
                .max_connections(size)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .test_before_acquire(false)
                // A full disk makes SQLite roll back by itself. The driver's own rollback then fails, and it takes the
                // connection for one in a transaction for ever.
                .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
        };
        let alone = options.clone().pragma("cache_size", WRITER_CACHE);
        let patience = Instant::now() + BUSY_TIMEOUT;
        let writer = loop {
            // Of several that make the file at once, those that ask for the write-ahead log while another makes it are busy
            // at once: SQLite's own time-out does not count there.
            match pool(1).connect_with(alone.clone()).await.map_err(Error::from) {
                Err(error) if error.is_busy() && Instant::now() < patience => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                writer => break writer?,
            }
        };
        migrations::run_on_sqlite(&writer).await?;
        let readers = pool(READERS).connect_lazy_with(options);
        Ok(Self { writer, readers, sink: None })
    }

    pub(super) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    pub(super) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// The one writer is what makes transactions wait for each other; IMMEDIATE is for other processes.
    pub(super) async fn begin(&self) -> Result<Transaction, Error> {
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Transaction::new(OnOne::Sqlite(transaction), self.sink.clone()))
    }

    pub(super) async fn snapshot(&self) -> Result<Transaction, Error> {
        Ok(Transaction::new(OnOne::Sqlite(self.readers.begin().await?), None))
    }

    pub(super) async fn close(&self) {
        tokio::join!(self.readers.close(), self.writer.close());
    }
}

#[cfg(test)]
mod tests {
    use wecom_login_model::{Fingerprint, Timestamp};

    use super::super::sql;
    use crate::Store;

    #[tokio::test]
    async fn a_full_disk_is_told_as_such_and_what_was_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
        let limit = async |pages: i64| {
            let text = format!("PRAGMA max_page_count = {pages}");
            sql(text).fetch_one(store.database.writer()).await.unwrap();
        };
        let (now, values) = (Timestamp::from_millis(1_800_000_000_000), store.key_value());
        let later = now + std::time::Duration::from_mins(1);
        let big = || {
            sql("INSERT INTO key_values (key, value, version, expires_at) VALUES ('big', $1, 1, $2)")
                .bind("x".repeat(100_000))
                .bind(later.as_millis())
        };
        assert!(store.add_api_key("first", Fingerprint::of("first"), now).await.unwrap());
        // As many as there are.
        limit(1).await;
        let error = values.insert("big", &"x".repeat(100_000), now, later).await.unwrap_err();
        assert!(error.is_full() && !error.is_unavailable(), "{error:?}");
        assert_eq!(store.api_keys().await.unwrap().len(), 1);
        assert_eq!(values.get("big", now).await.unwrap(), None);
        let mut transaction = store.database.begin("test").await.unwrap();
        let error = big().execute(&mut transaction).await.unwrap_err();
        assert!(error.is_full(), "{error:?}");
        drop(transaction);
        limit(1_000_000).await;
        let mut transaction = store.database.begin("test").await.unwrap();
        big().execute(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(values.get("big", now).await.unwrap().unwrap().value.len(), 100_000);
    }
}
