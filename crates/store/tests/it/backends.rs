//! What the stories run on: SQLite in a folder of its own, a database of its own in the PostgreSQL, and a key prefix of
//! its own in the Redis that `scripts/with-servers` starts.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use wecom_login_model::{
    Account, AgentId, CorpId, Fingerprint, Member, MemberRef, Profile, Timestamp, UserId,
};
use wecom_login_store::{
    AccountRule, Asked, Begun, Error, Leaver, NewEvent, NewSession, PostgresOptions, RedisOptions, Rehire,
    SessionRow, SignInOutcome, Store,
};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
    /// Tables in SQLite, short-lived values in Redis.
    Redis,
}

/// An empty store.
pub(crate) struct Fresh {
    pub(crate) store: Store,
    folder: TempDir,
    backend: Backend,
    name: String,
}

impl Backend {
    pub(crate) async fn fresh(self) -> Fresh {
        let fresh = Fresh {
            store: Store::open_sqlite(std::path::Path::new(":memory:")).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            backend: self,
            name: unique(),
        };
        if let Self::Postgres = self {
            make_database(&fresh.name, template().await).await;
        }
        Fresh { store: fresh.another().await, ..fresh }
    }
}

impl Fresh {
    /// The same database, as another process opens it.
    pub(crate) async fn another(&self) -> Store {
        match self.backend {
            Backend::Sqlite => self.open_sqlite().await,
            Backend::Postgres => Store::open_postgres(&postgres(&self.name)).await.unwrap(),
            Backend::Redis => {
                let options = RedisOptions::parse(&server("WECOM_LOGIN_TEST_REDIS"), &self.name).unwrap();
                self.open_sqlite().await.with_redis(&options).await.unwrap()
            }
        }
    }

    /// Does something to the database that the store itself never does.
    pub(crate) async fn meddle(&self, text: &'static str) {
        match self.backend {
            Backend::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&address(&self.name)).await.unwrap();
                connection.execute(text).await.unwrap();
            }
            Backend::Sqlite | Backend::Redis => {
                let options =
                    sqlx::sqlite::SqliteConnectOptions::new().filename(self.folder.path().join("test.db"));
                let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                connection.execute(text).await.unwrap();
            }
        }
    }

    /// A connection of one's own to the database in PostgreSQL.
    pub(crate) async fn beside(&self) -> sqlx::PgConnection {
        sqlx::PgConnection::connect(&address(&self.name)).await.unwrap()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.backend, Backend::Postgres)
    }

    pub(crate) fn is_redis(&self) -> bool {
        matches!(self.backend, Backend::Redis)
    }

    async fn open_sqlite(&self) -> Store {
        Store::open_sqlite(&self.folder.path().join("test.db")).await.unwrap()
    }
}

pub(crate) fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} is not set: run this with scripts/with-servers, which starts the servers and sets it"
        )
    })
}

fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The address of a database on the server of the run.
pub(crate) fn address(database: &str) -> String {
    let url = server("WECOM_LOGIN_TEST_POSTGRES");
    format!("{}/{database}?sslmode=disable", url.rsplit_once('/').unwrap().0)
}

pub(crate) fn postgres(database: &str) -> PostgresOptions {
    PostgresOptions::parse(&address(database), 8).unwrap()
}

/// An empty database without tables; its name.
pub(crate) async fn empty_database() -> String {
    let name = unique();
    make_database(&name, "template0").await;
    name
}

/// A database with our tables, from which others are copied.
async fn template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let make = async || {
        let name = empty_database().await;
        Store::open_postgres(&postgres(&name)).await.unwrap().close().await;
        name
    };
    TEMPLATE.get_or_init(make).await
}

async fn make_database(name: &str, template: &str) {
    let mut connection = sqlx::PgConnection::connect(&address("postgres")).await.unwrap();
    let text = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy");
    connection.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
    connection.close().await.unwrap();
}

/// Makes a test of each story for each database.
macro_rules! on_every_database {
    ($($story:ident),+ $(,)?) => {
        crate::backends::on! { sqlite Sqlite [] $($story)+ }
        crate::backends::on! { postgres Postgres
            [#[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]] $($story)+ }
    };
}

/// Makes a test of each story for each store of short-lived values.
macro_rules! on_every_key_value {
    ($($story:ident),+ $(,)?) => {
        crate::backends::on_every_database![$($story),+];
        crate::backends::on! { redis Redis
            [#[ignore = "needs Redis: scripts/with-servers cargo test … -- --include-ignored"]] $($story)+ }
    };
}

macro_rules! on {
    ($module:ident $backend:ident $attributes:tt $($story:ident)+) => {
        mod $module {
            $(crate::backends::told! { $backend $attributes $story })+
        }
    };
}

macro_rules! told {
    ($backend:ident [$($attribute:tt)*] $story:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        $($attribute)*
        async fn $story() {
            super::$story(crate::backends::Backend::$backend.fresh().await).await;
        }
    };
}

pub(crate) use {on, on_every_database, on_every_key_value, told};

/// A member without an account gets one.
pub(crate) const REGISTERS: AccountRule<'static> =
    AccountRule { find_by: None, barred: &[], register: true, rehire: Rehire::SameName };

/// Begins a session; `None` when the member has left or the redirect's session has ended.
pub(crate) async fn begin_session(store: &Store, new: &NewSession<'_>) -> Option<SessionRow> {
    match store.begin_session(new).await.unwrap() {
        Begun::New { session, .. } => Some(session),
        Begun::Left | Begun::Ended => None,
        other => panic!("{other:?}"),
    }
}

/// The outcome of a redirect, kept for a minute.
pub(crate) fn outcome(redirect: Fingerprint) -> SignInOutcome<'static> {
    SignInOutcome { redirect, sealed_token: "sealed", until: crate::NOW + std::time::Duration::from_mins(1) }
}

/// The account of a member who gets one if there is none.
pub(crate) async fn register(store: &Store, member: &MemberRef) -> Result<Account, Error> {
    Ok(store.account_for(member, &REGISTERS, crate::NOW).await?.unwrap().account)
}

/// An app has read the member and seen them; the row as the app may give it out.
pub(crate) async fn save_member(
    store: &Store,
    corp_id: &CorpId,
    user_id: &UserId,
    profile: &Profile,
    now: Timestamp,
    agent_id: &AgentId,
) -> Member {
    let asked = Asked { number: store.next_number().await.unwrap(), at: now };
    store.record_visible((corp_id, agent_id), (user_id, profile), asked, now).await.unwrap()
}

/// An event says that the member was deleted.
pub(crate) async fn mark_left(store: &Store, corp_id: &CorpId, user_id: &UserId, now: Timestamp) {
    let number = store.next_number().await.unwrap();
    let event = NewEvent {
        fingerprint: Fingerprint::of(format!("{number:?}")),
        corp_id,
        tasks: Vec::new(),
        leaver: Some(Leaver::Company(user_id.clone())),
    };
    store.accept_event(&event, now).await.unwrap();
}
