//! A test's own database: a SQLite file in a data folder, or a database in the PostgreSQL of `scripts/with-servers`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;
use wecom_login_server::Settings;
use wecom_login_store::{PostgresOptions, Store};
use wecom_login_testkit::program::output;

/// With PostgreSQL the key is a setting; with SQLite the server makes it in the data folder.
const POSTGRES_KEY: &str = "ZmljdGlvdXMga2V5IG9mIGEgbWFkZS11cCBjb21wYW4=";

pub(super) struct Database {
    /// The data folder of the server.
    data: TempDir,
    /// The address of the database in PostgreSQL.
    postgres: Option<String>,
}

impl Database {
    pub(super) fn sqlite() -> Self {
        Self { data: tempfile::tempdir().unwrap(), postgres: None }
    }

    pub(super) async fn postgres() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("upgrade{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let server = std::env::var("WECOM_LOGIN_TEST_POSTGRES").unwrap_or_else(|_| {
            panic!("WECOM_LOGIN_TEST_POSTGRES is not set: run this with scripts/with-servers")
        });
        let mut connection = PgConnection::connect(&server).await.unwrap();
        let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let address = format!("{}/{name}?sslmode=disable", server.rsplit_once('/').unwrap().0);
        Self { data: tempfile::tempdir().unwrap(), postgres: Some(address) }
    }

    /// The settings of a server on this database.
    pub(super) fn settings(&self) -> impl Fn(&mut Settings) + Send + Sync + use<> {
        let data = self.data.path().to_owned();
        let shared = self.postgres.clone().map(|address| {
            let environment =
                [("WECOM_LOGIN_DATABASE", address), ("WECOM_LOGIN_KEY", POSTGRES_KEY.to_owned())];
            Settings::load(None, environment.map(|(name, value)| (name.into(), value.into())), []).unwrap()
        });
        move |settings| {
            settings.folders.data.clone_from(&data);
            if let Some(shared) = &shared {
                settings.storage = shared.storage.clone();
            }
        }
    }

    /// Opens the database as a command does, which migrates the tables.
    pub(super) async fn store(&self) -> Store {
        match &self.postgres {
            None => Store::open_sqlite(&self.file()).await.unwrap(),
            Some(address) => {
                Store::open_postgres(&PostgresOptions::parse(address, 4).unwrap()).await.unwrap()
            }
        }
    }

    /// The key that seals values in the database.
    pub(super) fn key(&self) -> String {
        match self.postgres {
            None => std::fs::read_to_string(self.key_file()).unwrap().trim().to_owned(),
            Some(_) => POSTGRES_KEY.to_owned(),
        }
    }

    /// The number of rows in each table.
    pub(super) async fn rows(&self) -> BTreeMap<String, i64> {
        let tables = match self.postgres {
            None => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '_sqlx*'
                 AND name NOT GLOB 'sqlite_*'"
            }
            Some(_) => {
                "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^_sqlx'"
            }
        };
        let mut rows = BTreeMap::new();
        for table in self.texts(tables.to_owned()).await {
            let count = self.texts(format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table}")).await;
            rows.insert(table, count[0].parse().unwrap());
        }
        rows
    }

    /// The rows of a query with one text column.
    pub(super) async fn texts(&self, query: String) -> Vec<String> {
        let query = AssertSqlSafe(query);
        match &self.postgres {
            None => {
                let options = SqliteConnectOptions::new().filename(self.file());
                let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
            }
            Some(address) => {
                let mut connection = PgConnection::connect(address).await.unwrap();
                sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
            }
        }
    }

    /// Fills the empty database from the folder of a fixture.
    pub(super) async fn load(&self, folder: &Path, key: &str) {
        match &self.postgres {
            None => {
                std::fs::copy(folder.join("wecom-login.db"), self.file()).unwrap();
                std::fs::write(self.key_file(), key).unwrap();
            }
            Some(address) => {
                assert_eq!(key, POSTGRES_KEY);
                let text = std::fs::read_to_string(folder.join("postgres.sql")).unwrap();
                let mut connection = PgConnection::connect(address).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// Writes a copy of the database to the folder of a fixture.
    pub(super) async fn save(&self, folder: &Path) {
        match &self.postgres {
            None => {
                let store = self.store().await;
                store.backup(&folder.join("wecom-login.db")).await.unwrap();
                store.close().await;
            }
            Some(address) => std::fs::write(folder.join("postgres.sql"), dump(address)).unwrap(),
        }
    }

    /// The name of the file, next to the database, that holds the expected content.
    pub(super) const fn known_file(&self) -> &'static str {
        if self.postgres.is_some() { "postgres.json" } else { "sqlite.json" }
    }

    fn file(&self) -> PathBuf {
        self.data.path().join("wecom-login.db")
    }

    fn key_file(&self) -> PathBuf {
        self.data.path().join("key")
    }
}

/// The output of pg_dump without the parts that depend on the versions of pg_dump and server: connection parameters, comments,
/// and psql commands.
fn dump(address: &str) -> String {
    let mut command = Command::new("pg_dump");
    command.args(["--inserts", "--no-owner", "--no-privileges", address]);
    let output = output(command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let depends = |line: &&str| {
        let prefixes = ["SET ", "SELECT pg_catalog.set_config(", "--", "\\"];
        line.is_empty() || prefixes.iter().any(|prefix| line.starts_with(prefix))
    };
    let lines: Vec<&str> = text.lines().filter(|line| !depends(line)).collect();
    lines.join("\n") + "\n"
}
