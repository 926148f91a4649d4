//! Where things are kept: the database (SQLite in the data folder, or PostgreSQL), the short-lived values (in the database,
//! or in Redis), and the key that seals them.

use std::io;
use std::path::{Path, PathBuf};

use wecom_login_model::Bilingual;
use wecom_login_store::{Error, PostgresOptions, RedisOptions, SealKey, Store};

use super::declaration::{Declaration, Kind, Shape};
use super::raw::RawSettings;
use super::section::section;
use super::value::{Problem, Scalar};

const FILE: &str = "wecom-login.db";

section! {
    /// Where things are kept, and the key that seals them.
    pub struct Storage in "", "存储" / "Storage";

    /// Address of PostgreSQL, for several replicas. It must state `sslmode` for another host.
    database: Option<PostgresOptions> {
        zh: "PostgreSQL 的地址，用于多副本。数据库在其他主机时必须写明 `sslmode`",
        without: Bilingual { zh: "`data` 目录里的 SQLite", en: "SQLite in `data`" },
        secret: true,
    }

    /// Connections to PostgreSQL, at most, for each replica.
    database_connections: u32 { zh: "每个副本连接 PostgreSQL 的连接数上限", default: "10", least: "1", }

    /// Address of Redis, for the short-lived values of several replicas.
    redis: Option<RedisOptions> {
        zh: "Redis 的地址，存放多副本共用的短期数据",
        without: Bilingual { zh: "短期数据存在数据库里", en: "short-lived values are in the database" },
        secret: true,
    }

    /// The beginning of every key in Redis. Installations that share a Redis need different ones.
    redis_prefix: String { zh: "Redis 中所有键的前缀。共用一个 Redis 的多套部署必须各不相同", default: "wecom-login", }

    /// 32 random bytes in Base64 that seal values at rest. Required with `database` or `redis`.
    key: Option<SealKey> {
        zh: "Base64 编码的 32 个随机字节，用于加密存储的敏感数据。使用 `database` 或 `redis` 时必填",
        without: Bilingual { zh: "首次启动时生成，存为 `data/key`", en: "made at the first start, in `data/key`" },
        secret: true,
    }
}

impl Scalar for PostgresOptions {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "地址", en: "address" },
        rule: "an address such as postgres://user:password@host/database?sslmode=verify-full",
        pattern: "^\\s*postgres(ql)?://",
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        Self::parse(text, 1).map_err(Problem::other)
    }
}

impl Scalar for RedisOptions {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "地址", en: "address" },
        rule: "an address such as redis://:password@host:6379/0",
        pattern: "^\\s*(rediss?|valkeys?|unix|redis\\+unix)://",
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        Self::parse(text, "").map_err(Problem::other)
    }
}

impl Scalar for SealKey {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "密钥", en: "key" },
        rule: "32 random bytes in Base64 (44 characters), as `openssl rand -base64 32` makes them",
        pattern: "^\\s*[A-Za-z0-9+/]{43}=\\s*$",
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        Self::parse(text).map_err(|_| Problem::breaks(<Self as Scalar>::KIND, text))
    }
}

/// Why the database does not open.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The data folder cannot be made, or the file cannot be opened.
    #[error("{path}: {source}")]
    File {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database in this file does not open.
    #[error("{path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Error,
    },
    /// A server does not answer, or not as it should.
    #[error("{0}")]
    Server(#[from] Error),
}

impl Storage {
    /// A shared database or Redis needs a key that every replica has.
    pub(super) fn check(raw: &mut RawSettings) {
        if raw.is_set("key") || !raw.is_known("key") {
            return;
        }
        if let Some(shared) = ["database", "redis"].into_iter().find(|key| raw.is_set(key)) {
            let sentence = "key must be set too (WECOM_LOGIN_KEY): every replica needs the same one. `openssl rand \
                            -base64 32` makes it";
            raw.fault(shared, sentence);
        }
    }

    /// True when other processes on other machines may use the same.
    pub fn is_shared(&self) -> bool {
        self.database.is_some() || self.redis.is_some()
    }

    /// True when there is a database, or a server that has one.
    pub(crate) fn exists(&self, data: &Path) -> bool {
        self.database.is_some() || data.join(FILE).exists()
    }

    pub(crate) async fn database(&self, data: &Path) -> Result<Store, StorageError> {
        match &self.database {
            Some(options) => {
                Ok(Store::open_postgres(&options.clone().with_connections(self.database_connections)).await?)
            }
            None => sqlite(data).await,
        }
    }

    pub(crate) async fn with_values(&self, store: Store) -> Result<Store, StorageError> {
        match &self.redis {
            Some(options) => Ok(store.with_redis(&options.clone().with_prefix(&self.redis_prefix)).await?),
            None => Ok(store),
        }
    }

    /// Asks whether the servers can be reached. The key of each that cannot, and why. Nothing is written.
    pub(crate) async fn unreachable(&self) -> Vec<(&'static str, Error)> {
        let mut unreachable = Vec::new();
        if let Some(options) = &self.database
            && let Err(error) = options.probe().await
        {
            unreachable.push(("database", error));
        }
        if let Some(options) = &self.redis
            && let Err(error) = options.probe().await
        {
            unreachable.push(("redis", error));
        }
        unreachable
    }
}

async fn sqlite(data: &Path) -> Result<Store, StorageError> {
    std::fs::create_dir_all(data).map_err(|source| StorageError::File { path: data.to_owned(), source })?;
    let path = data.join(FILE);
    match Store::open_sqlite(&path).await {
        Ok(store) => Ok(store),
        Err(source) => Err(match unusable(&path) {
            Some(source) => StorageError::File { path, source },
            None => StorageError::Sqlite { path, source },
        }),
    }
}

/// Why the system does not open the file. SQLite's own error does not say.
fn unusable(path: &Path) -> Option<io::Error> {
    std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).err()
}
