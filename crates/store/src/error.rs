use std::fmt;
use std::sync::Arc;

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;

/// The store refused or did not answer. Its text, and its `Debug`, hold no values of rows and no address.
#[derive(Clone, thiserror::Error)]
#[error("{context}: {source}")]
pub struct Error {
    context: &'static str,
    #[source]
    source: Arc<dyn std::error::Error + Send + Sync>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// No connection, or one that broke before it could have changed anything.
    Unreachable,
    /// The connection broke, or no answer came, while something was being changed.
    Unknown,
    Busy,
    Deadlock,
    Full,
    Corrupt,
    Newer,
    LeaseLost,
    Other,
}

impl Error {
    /// The store cannot be used at this moment: it cannot be reached, has no connection to spare, or is
    /// [busy](Self::is_busy). The same call may work later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.kind, Kind::Unreachable | Kind::Unknown | Kind::Busy | Kind::Deadlock)
    }

    /// Somebody else held what was needed for too long. Nothing was changed.
    pub fn is_busy(&self) -> bool {
        matches!(self.kind, Kind::Busy | Kind::Deadlock)
    }

    /// The store went away while something was being changed: the change may have come to pass or not.
    pub fn is_outcome_unknown(&self) -> bool {
        self.kind == Kind::Unknown
    }

    /// The disk, or the size allowed to the store, is used up. Nothing was changed.
    pub fn is_full(&self) -> bool {
        self.kind == Kind::Full
    }

    /// A row holds what this program never writes, or the file is no database.
    pub fn is_corrupt(&self) -> bool {
        self.kind == Kind::Corrupt
    }

    /// The tables were made by a later version of this program.
    pub fn is_newer(&self) -> bool {
        self.kind == Kind::Newer
    }

    /// Somebody else has the lease by now under which this was to be written. Nothing was changed.
    pub fn is_lease_lost(&self) -> bool {
        self.kind == Kind::LeaseLost
    }

    pub(crate) fn lease_lost() -> Self {
        let source = std::io::Error::other("somebody else has taken it over");
        Self { context: "the lease is lost", source: Arc::new(source), kind: Kind::LeaseLost }
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

    pub(crate) fn no_answer() -> Self {
        let source = std::io::Error::from(std::io::ErrorKind::TimedOut);
        Self { context: "database", source: Arc::new(source), kind: Kind::Unreachable }
    }

    /// What it means for a statement that was under way and changes something.
    pub(crate) fn unknown(self) -> Self {
        let kind = if self.kind == Kind::Unreachable { Kind::Unknown } else { self.kind };
        Self { kind, ..self }
    }

    pub(crate) fn is_deadlock(&self) -> bool {
        self.kind == Kind::Deadlock
    }

    pub(crate) fn is_unreachable(&self) -> bool {
        self.kind == Kind::Unreachable
    }
}

/// The driver's own Debug shows the values of rows that a constraint refused.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}, {self})", self.kind)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let kind = match &error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Tls(_) => Kind::Unreachable,
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                match database.try_downcast_ref::<PgDatabaseError>() {
                    Some(_) => of_postgres(&code),
                    None => of_sqlite(&code),
                }
            }
            _ => Kind::Other,
        };
        Self { context: "database", source: explained(error, "sslrootcert in the address"), kind }
    }
}

impl From<redis::RedisError> for Error {
    fn from(error: redis::RedisError) -> Self {
        use redis::ErrorKind;
        let kind = match (error.kind(), error.code()) {
            // The memory that it may use, or its disk.
            (_, Some("OOM" | "MISCONF")) => Kind::Full,
            // Somebody else's value under our key, or what is no value of ours.
            (_, Some("WRONGTYPE")) | (ErrorKind::UnexpectedReturnType, _) => Kind::Corrupt,
            (ErrorKind::Extension, Some("NOAUTH" | "WRONGPASS"))
            | (ErrorKind::Io | ErrorKind::Parse | ErrorKind::AuthenticationFailed, _) => Kind::Unreachable,
            (ErrorKind::Server(kind), _) => of_redis(kind),
            _ => Kind::Other,
        };
        Self { context: "Redis", source: explained(error, "SSL_CERT_FILE in the environment"), kind }
    }
}

fn of_redis(kind: redis::ServerErrorKind) -> Kind {
    use redis::ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, NoPerm, ReadOnly, TryAgain};
    match kind {
        BusyLoading | ClusterDown | MasterDown | NoPerm | ReadOnly | TryAgain => Kind::Unreachable,
        _ => Kind::Other,
    }
}

/// SQLite's result codes; extended ones keep the low byte.
fn of_sqlite(code: &str) -> Kind {
    match code.parse::<i32>().map(|number| number & 0xff) {
        // BUSY, LOCKED
        Ok(5 | 6) => Kind::Busy,
        // IOERR, CANTOPEN
        Ok(10 | 14) => Kind::Unreachable,
        // FULL
        Ok(13) => Kind::Full,
        // CORRUPT, NOTADB
        Ok(11 | 26) => Kind::Corrupt,
        _ => Kind::Other,
    }
}

/// PostgreSQL's SQLSTATE (its documentation, appendix A).
fn of_postgres(code: &str) -> Kind {
    match code {
        // serialization_failure, deadlock_detected
        "40001" | "40P01" => Kind::Deadlock,
        // lock_not_available, query_canceled (a time-out of the server's)
        "55P03" | "57014" => Kind::Busy,
        // disk_full
        "53100" => Kind::Full,
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => Kind::Corrupt,
        // read_only_sql_transaction: what was the primary is none any more. invalid_catalog_name
        "25006" | "3D000" => Kind::Unreachable,
        // connection_exception, invalid_authorization, insufficient_resources, operator_intervention
        code if ["08", "28", "53", "57"].iter().any(|class| code.starts_with(class)) => Kind::Unreachable,
        _ => Kind::Other,
    }
}

/// With what to do about a certificate that is not believed; `setting` names the authorities.
fn explained<E>(error: E, setting: &str) -> Arc<dyn std::error::Error + Send + Sync>
where
    E: std::error::Error + Send + Sync + 'static,
{
    // The drivers wrap rustls' error differently, but none changes its text.
    let text = error.to_string();
    if !text.contains("invalid peer certificate") {
        return Arc::new(error);
    }
    let remedy = if text.contains("UnknownIssuer") {
        format!("its authority is not known here; {setting} names a file with the certificate of yours")
    } else if text.contains("not valid for name") {
        "it is for another host; give the name that stands in the certificate".to_owned()
    } else {
        format!("{setting} names a file with the authority's certificate")
    };
    Arc::new(NotBelieved { remedy, source: error })
}

#[derive(Debug, thiserror::Error)]
#[error("the server's certificate is not believed ({source}): {remedy}")]
struct NotBelieved<E: std::error::Error + 'static> {
    remedy: String,
    source: E,
}

/// The tables are of a later version of the program.
#[derive(Debug, thiserror::Error)]
#[error(
    "they are of version {0}, which a later wecom-login has made; start that one, or restore a backup from before it"
)]
struct Newer(i64);

impl From<MigrateError> for Error {
    fn from(error: MigrateError) -> Self {
        let context = "bringing the tables up to date";
        match error {
            MigrateError::VersionMissing(version) => {
                Self { context, source: Arc::new(Newer(version)), kind: Kind::Newer }
            }
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                Self { context, ..Self::from(error) }
            }
            other => Self { context, source: Arc::new(other), kind: Kind::Other },
        }
    }
}
