//! PostgreSQL: a pool, time-outs on both sides, and what is done when a connection breaks.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};

use super::statement::{Answer, Ask, Statement};
use super::transaction::OnOne;
use super::{Transaction, migrations, sql};
use crate::address::check_user_information;
use crate::{AuditSink, Error};

/// A request waits this long for a connection, a new one included.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// The server ends a statement after this long, and a wait for a lock after half of it.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// A transaction whose process hangs gives its locks back after this long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// A server that does not answer at all, because the network swallows packets, is given up a little later than one
/// that ends the statement itself.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(12);
/// The same for a statement about a whole company, in a transaction that allows for it.
const LONG_ANSWER_TIMEOUT: Duration = Duration::from_mins(11);
/// A connection that rested longer is asked first whether it still lives, as long as this at most: most that broke did
/// so at rest.
const REST: Duration = Duration::from_secs(1);
const CONNECTION_LIFE: Duration = Duration::from_mins(30);

/// What may follow the question mark of an address.
const PARAMETERS: [&str; 6] = ["host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"];

/// How PostgreSQL is reached.
#[derive(Clone)]
pub struct PostgresOptions {
    connect: PgConnectOptions,
    connections: u32,
}

impl PostgresOptions {
    /// Of an address such as `postgres://user:password@host/database?sslmode=verify-full`, with at most `connections`
    /// at a time. The error names what is wrong and holds nothing of the address.
    pub fn parse(url: &str, connections: u32) -> Result<Self, String> {
        let problem = "must be an address such as postgres://user:password@host/database?sslmode=verify-full";
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(problem.to_owned());
        }
        check_user_information(url)?;
        // The driver would pass over a parameter that it does not know, and print its value.
        let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters).split('&');
        for name in parameters.map(|parameter| parameter.split_once('=').map_or(parameter, |(name, _)| name))
        {
            if !name.is_empty() && !PARAMETERS.contains(&name) {
                return Err(format!("has the unknown parameter {name}; known are {}", PARAMETERS.join(", ")));
            }
        }
        let connect: PgConnectOptions = url.parse().map_err(|_| problem.to_owned())?;
        let nearby = connect.get_socket().is_some()
            || connect.get_host() == "localhost"
            || connect.get_host().parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if !nearby && matches!(connect.get_ssl_mode(), PgSslMode::Allow | PgSslMode::Prefer) {
            return Err("must say sslmode=verify-full (with sslrootcert for a certificate authority of your own), or \
                        sslmode=disable on a network that you trust"
                .to_owned());
        }
        Ok(Self { connect, connections })
    }

    /// The same with at most `connections` at a time.
    pub fn with_connections(self, connections: u32) -> Self {
        Self { connections, ..self }
    }

    /// Asks whether it can be reached and lets us in. Nothing is written.
    pub async fn probe(&self) -> Result<(), Error> {
        let connection = within(PgConnection::connect_with(&self.connect)).await?;
        within(connection.close()).await
    }

    fn with_limits(&self, statement: Duration) -> PgConnectOptions {
        let millis = |limit: Duration| limit.as_millis().to_string();
        self.connect.clone().application_name("wecom-login").options([
            // Its notices (`relation "…" already exists, skipping`) tell an operator nothing.
            ("client_min_messages", "warning".to_owned()),
            ("statement_timeout", millis(statement)),
            ("lock_timeout", millis(statement / 2)),
            ("idle_in_transaction_session_timeout", millis(IDLE_TIMEOUT)),
        ])
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions").field("connections", &self.connections).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Postgres {
    pool: PgPool,
    pub(super) sink: Option<Arc<dyn AuditSink>>,
}

impl Postgres {
    pub(super) async fn open(options: &PostgresOptions) -> Result<Self, Error> {
        migrations::run_on_postgres(&options.with_limits(migrations::TIMEOUT)).await?;
        let pool = PgPoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .max_lifetime(CONNECTION_LIFE)
            .test_before_acquire(false)
            .before_acquire(|connection, met| {
                Box::pin(async move {
                    let alive = met.idle_for < REST
                        || matches!(tokio::time::timeout(REST, connection.ping()).await, Ok(Ok(())));
                    Ok(alive)
                })
            })
            .connect_lazy_with(options.with_limits(STATEMENT_TIMEOUT));
        Ok(Self { pool, sink: None })
    }

    pub(super) async fn run(
        &self,
        statement: &Statement,
        ask: Ask,
        repeatable: bool,
    ) -> Result<Answer, Error> {
        match self.attempt(statement, ask, repeatable).await {
            // One that was ended for the sake of another has done nothing.
            Err(error) if error.is_deadlock() || (repeatable && error.is_unreachable()) => {
                self.attempt(statement, ask, repeatable).await
            }
            other => other,
        }
    }

    async fn attempt(&self, statement: &Statement, ask: Ask, repeatable: bool) -> Result<Answer, Error> {
        let mut connection = self.pool.acquire().await?;
        let answer = within(statement.on_postgres(&mut connection, ask)).await;
        if answer.as_ref().is_err_and(Error::is_unreachable) {
            drop(connection.detach());
        }
        if repeatable { answer } else { answer.map_err(Error::unknown) }
    }

    /// READ COMMITTED, without a lock of its own.
    pub(super) async fn begin(&self) -> Result<Transaction, Error> {
        Ok(Transaction::new(OnOne::Postgres(self.begin_with("BEGIN").await?), self.sink.clone()))
    }

    /// READ COMMITTED behind a lock of the subject's own: each statement sees what the transaction before has left,
    /// and there is nothing to be tried again. `most` is how long it waits for a lock, if that is less than usual.
    pub(super) async fn begin_within(
        &self,
        subject: &str,
        most: Option<Duration>,
    ) -> Result<Transaction, Error> {
        let mut transaction = self.begin().await?;
        if let Some(most) = most {
            let text = format!("SET LOCAL lock_timeout = {}", most.as_millis());
            sql(text).execute(&mut transaction).await?;
        }
        sql("SELECT pg_advisory_xact_lock(hashtextextended('wecom-login/' || $1, 0))")
            .bind(subject)
            .execute(&mut transaction)
            .await?;
        Ok(transaction)
    }

    pub(super) async fn snapshot(&self) -> Result<Transaction, Error> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        Ok(Transaction::new(OnOne::Postgres(self.begin_with(begin).await?), None))
    }

    async fn begin_with(&self, begin: &'static str) -> Result<PostgresTransaction, Error> {
        let mut transaction = PostgresTransaction { connection: Some(self.pool.acquire().await?) };
        transaction.say(begin).await?;
        Ok(transaction)
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A transaction on a connection that goes back to the pool only in a known state: after the answer to COMMIT or to
/// ROLLBACK. One that does not answer is closed instead of being waited for.
#[derive(Debug)]
pub(crate) struct PostgresTransaction {
    connection: Option<PoolConnection<sqlx::Postgres>>,
}

impl PostgresTransaction {
    pub(super) async fn run(&mut self, statement: &Statement, ask: Ask) -> Result<Answer, Error> {
        let connection = self.connection.as_mut().ok_or_else(Error::no_answer)?;
        let limit = if statement.is_long() { LONG_ANSWER_TIMEOUT } else { ANSWER_TIMEOUT };
        let answer = within_limit(limit, statement.on_postgres(connection, ask)).await;
        self.checked(answer)
    }

    /// COPY … FROM STDIN with these rows.
    pub(super) async fn copy(&mut self, copy: &str, rows: &[u8]) -> Result<(), Error> {
        let connection = self.connection.as_mut().ok_or_else(Error::no_answer)?;
        let answer = within(async {
            let mut copy = connection.copy_in_raw(copy).await?;
            copy.send(rows).await?;
            copy.finish().await
        });
        let answer = answer.await;
        self.checked(answer).map(drop)
    }

    fn checked<T>(&mut self, answer: Result<T, Error>) -> Result<T, Error> {
        if answer.as_ref().is_err_and(Error::is_unreachable) {
            self.give_up();
        }
        answer
    }

    async fn say(&mut self, word: &'static str) -> Result<(), Error> {
        self.run(&sql(word), Ask::Written).await.map(drop)
    }

    /// Whether it came to pass is not known when the connection breaks here.
    pub(super) async fn commit(mut self) -> Result<(), Error> {
        self.say("COMMIT").await.map_err(Error::unknown)?;
        self.connection = None;
        Ok(())
    }

    fn give_up(&mut self) {
        drop(self.connection.take().map(PoolConnection::detach));
    }
}

impl Drop for PostgresTransaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(connection.detach());
            return;
        };
        runtime.spawn(async move {
            let rollback = sql("ROLLBACK");
            if within(rollback.on_postgres(&mut connection, Ask::Written)).await.is_err() {
                drop(connection.detach());
            }
        });
    }
}

/// The answer, unless none comes.
async fn within<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Error> {
    within_limit(ANSWER_TIMEOUT, answer).await
}

async fn within_limit<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::no_answer()),
    }
}
