//! A copy of the SQLite file while the server runs.

use std::io;
use std::path::{Path, PathBuf};

use crate::database::{Database, sql};
use crate::{Error, Store};

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is a server, which has tools of its own.
    #[error("the database is PostgreSQL: use pg_dump, as docs/operations.md shows")]
    NotSqlite,
    /// The file is there.
    #[error("{0} exists already; it stays as it is")]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The copy failed.
    #[error("{0}")]
    Store(#[from] Error),
}

impl Store {
    /// Writes a copy of the whole database, as of one moment, to a new file, readable by its owner only. Nobody waits for
    /// it. The file is there whole or not at all; one that is there already stays as it is.
    pub async fn backup(&self, path: &Path) -> Result<(), BackupError> {
        if !matches!(self.database, Database::Sqlite(_)) {
            return Err(BackupError::NotSqlite);
        }
        let failed = |source| BackupError::File { path: path.to_owned(), source };
        if path.try_exists().map_err(failed)? {
            return Err(BackupError::Exists(path.to_owned()));
        }
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{}.part", std::process::id()));
        let draft = PathBuf::from(draft);
        let made = self.copy_to(&draft, path).await;
        // Whether it was linked or something failed, the draft has no use any more.
        let _ = std::fs::remove_file(&draft);
        made
    }

    async fn copy_to(&self, draft: &Path, path: &Path) -> Result<(), BackupError> {
        let failed = |source| BackupError::File { path: path.to_owned(), source };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(draft).map_err(failed)?;
        let name = draft.to_str().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
        // SQLite writes into a file that is there if it is empty, and takes no lock that others wait for.
        sql("VACUUM INTO $1").bind(name).once().execute(self.database.reader()).await?;
        std::fs::OpenOptions::new()
            .write(true)
            .open(draft)
            .and_then(|copy| copy.sync_all())
            .map_err(failed)?;
        // Of two backups to one path the first one's file stays.
        std::fs::hard_link(draft, path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(path.to_owned()),
            _ => failed(error),
        })
    }
}
