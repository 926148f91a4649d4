//! Where things are kept: the database (SQLite in the data folder, or PostgreSQL) and the short-lived values (in the
//! database, or in Redis).

use std::path::Path;

use wecom_login_model::Secret;
use wecom_login_store::{PostgresOptions, RedisOptions, Store};

use crate::StartError;

const FILE: &str = "wecom-login.db";

/// The backends that the operator chose.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    postgres: Option<PostgresOptions>,
    redis: Option<RedisOptions>,
}

/// As it is written: addresses may hold passwords.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) database: Option<Secret>,
    pub(crate) database_connections: u32,
    pub(crate) redis: Option<Secret>,
    pub(crate) redis_prefix: String,
    pub(crate) has_key: bool,
}

impl Written {
    /// The backends, or the key of the settings that is wrong and what is wrong with it.
    pub(crate) fn checked(self) -> Result<Storage, (&'static str, String)> {
        if self.database_connections == 0 {
            return Err(("database_connections", "must be at least 1".to_owned()));
        }
        let postgres = |url: Secret| PostgresOptions::parse(url.expose(), self.database_connections);
        let postgres = self.database.map(postgres).transpose().map_err(|problem| ("database", problem))?;
        let redis = |url: Secret| RedisOptions::parse(url.expose(), &self.redis_prefix);
        let redis = self.redis.map(redis).transpose().map_err(|problem| ("redis", problem))?;
        let storage = Storage { postgres, redis };
        if storage.is_shared() && !self.has_key {
            let problem = "must be given (WECOM_LOGIN_KEY) with database or redis: every replica needs the same one. \
                           `openssl rand -base64 32` makes it";
            return Err(("key", problem.to_owned()));
        }
        Ok(storage)
    }
}

impl Storage {
    /// True when other processes on other machines may use the same.
    pub fn is_shared(&self) -> bool {
        self.postgres.is_some() || self.redis.is_some()
    }

    /// True when there is a database, or a server that has one.
    pub(crate) fn exists(&self, data: &Path) -> bool {
        self.postgres.is_some() || data.join(FILE).exists()
    }

    pub(crate) async fn database(&self, data: &Path) -> Result<Store, StartError> {
        match &self.postgres {
            Some(options) => Ok(Store::open_postgres(options).await?),
            None => {
                std::fs::create_dir_all(data)
                    .map_err(|source| StartError::Data { path: data.to_owned(), source })?;
                Ok(Store::open_sqlite(&data.join(FILE)).await?)
            }
        }
    }

    pub(crate) async fn with_values(&self, store: Store) -> Result<Store, StartError> {
        match &self.redis {
            Some(options) => Ok(store.with_redis(options).await?),
            None => Ok(store),
        }
    }

    /// Why a backend cannot be reached, one sentence each. Nothing is written.
    pub(crate) async fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(options) = &self.postgres
            && let Err(error) = options.probe().await
        {
            faults.push(format!("setting database: {error}"));
        }
        if let Some(options) = &self.redis
            && let Err(error) = options.probe().await
        {
            faults.push(format!("setting redis: {error}"));
        }
        faults
    }
}
