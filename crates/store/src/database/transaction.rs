use std::sync::Arc;

use super::postgres::PostgresTransaction;
use crate::{AuditEntry, AuditSink, Error};

/// Several statements, all or nothing: what is dropped without [`Transaction::commit`] never was.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(super) on: OnOne,
    /// Events that were written in it, to be told once they are true.
    events: Vec<AuditEntry>,
    sink: Option<Arc<dyn AuditSink>>,
}

#[derive(Debug)]
pub(super) enum OnOne {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(PostgresTransaction),
}

impl Transaction {
    pub(super) fn new(on: OnOne, sink: Option<Arc<dyn AuditSink>>) -> Self {
        Self { on, events: Vec::new(), sink }
    }

    /// Tells this event when the transaction is committed.
    pub(crate) fn tell(&mut self, event: AuditEntry) {
        self.events.push(event);
    }

    /// Ends the text of a query so that the rows of `table` that it finds stay as they are until this transaction ends, and
    /// are found as the last one to hold them has left them. On SQLite, where there is one writer, they do so by themselves.
    pub(crate) fn for_update(&self, table: &str) -> String {
        match self.on {
            OnOne::Sqlite(_) => String::new(),
            OnOne::Postgres(_) => format!("FOR UPDATE OF {table}"),
        }
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self.on {
            OnOne::Sqlite(transaction) => Box::pin(transaction.commit()).await?,
            OnOne::Postgres(transaction) => Box::pin(transaction.commit()).await?,
        }
        if let Some(sink) = &self.sink {
            self.events.iter().for_each(|event| sink.written(event));
        }
        Ok(())
    }
}
