use std::sync::Arc;

/// The database refused or did not answer. Its text holds no values of rows.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{context}: {source}")]
pub struct Error {
    context: &'static str,
    #[source]
    source: Arc<dyn std::error::Error + Send + Sync>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unavailable,
    Full,
    Corrupt,
    Other,
}

impl Error {
    /// The database cannot be reached, is locked by somebody else, or has no connection to spare.
    pub fn is_unavailable(&self) -> bool {
        self.kind == Kind::Unavailable
    }

    /// The disk, or the size allowed to the database, is used up.
    pub fn is_full(&self) -> bool {
        self.kind == Kind::Full
    }

    /// A row holds what this program never writes.
    pub fn is_corrupt(&self) -> bool {
        self.kind == Kind::Corrupt
    }

    pub(crate) fn corrupt(
        context: &'static str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self { context, source: Arc::new(source), kind: Kind::Corrupt }
    }

    pub(crate) fn vanished(context: &'static str) -> Self {
        Self { context, source: Arc::new(sqlx::Error::RowNotFound), kind: Kind::Other }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        // SQLite's result codes: 5 BUSY, 6 LOCKED, 10 IOERR, 13 FULL, 14 CANTOPEN; extended ones keep the low
        // byte.
        let primary = |code: &str| code.parse::<i32>().map(|number| number & 0xff).ok();
        let kind = match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => Kind::Unavailable,
            sqlx::Error::Database(database) => match database.code().as_deref().and_then(primary) {
                Some(5 | 6 | 10 | 14) => Kind::Unavailable,
                Some(13) => Kind::Full,
                Some(11 | 26) => Kind::Corrupt,
                _ => Kind::Other,
            },
            _ => Kind::Other,
        };
        Self { context: "database", source: Arc::new(error), kind }
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self { context: "bringing the tables up to date", source: Arc::new(error), kind: Kind::Other }
    }
}
