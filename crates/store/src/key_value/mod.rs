//! Values that live for minutes, in a table or in Redis: the same answers from both.

mod redis;
mod sql;

use wecom_login_model::Timestamp;

pub use self::redis::RedisOptions;
use crate::Error;
use crate::database::Database;

/// Values that live for minutes: states, outcomes, counters. An expired value is absent; which have expired is told by
/// the `now` of the caller.
///
/// Each change that must have one winner is one conditional step: [`KeyValue::insert`] wins when the key is absent,
/// [`KeyValue::replace`] when the value is still the one that was read.
#[derive(Debug, Clone)]
pub struct KeyValue(Kept);

#[derive(Debug, Clone)]
enum Kept {
    InTable(sql::InTable),
    InRedis(redis::InRedis),
}

/// A value as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: String,
    /// Grows with each change of the value, and is another one when the value was made anew.
    pub version: i64,
    /// When the value expires.
    pub expires_at: Timestamp,
}

/// A counter as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// The sum; 0 when the key was never incremented or has expired.
    pub count: i64,
    /// When it is 0 again; the time of the read if it is 0 now.
    pub until: Timestamp,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// The key was absent and holds the value now, in this version.
    Won(i64),
    /// The key holds a value.
    Held,
    /// The values were lost after the claim's subject had been issued: nobody knows whether it was claimed before.
    Lost,
}

/// The key of the epoch: the moment since which no value has been lost.
const EPOCH: &str = "epoch";

impl KeyValue {
    pub(crate) fn in_table(database: Database) -> Self {
        Self(Kept::InTable(sql::InTable { database }))
    }

    pub(crate) async fn in_redis(options: &RedisOptions) -> Result<Self, Error> {
        Ok(Self(Kept::InRedis(redis::InRedis::open(options).await?)))
    }

    /// Writes the value unless the key holds one; true when it was written.
    pub async fn insert(
        &self,
        key: &str,
        value: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, Error> {
        match &self.0 {
            Kept::InTable(table) => table.insert(key, value, now, expires_at).await,
            Kept::InRedis(redis) => redis.insert(key, value, now, expires_at).await,
        }
    }

    /// Writes the epoch if there is none. Values that were issued before it are [`Claimed::Lost`], so it is written when a
    /// process starts, before it issues anything.
    pub async fn begin_epoch(&self, now: Timestamp) -> Result<(), Error> {
        match &self.0 {
            Kept::InTable(table) => table.begin_epoch(now).await,
            Kept::InRedis(redis) => redis.begin_epoch(now).await,
        }
    }

    /// Writes the value unless the key holds one, for something that was issued at `issued_at` without being written down.
    ///
    /// Where the values have been emptied since then (a Redis without a disk that was restarted), the claim is refused as
    /// [`Claimed::Lost`]: one step reads the epoch and writes the claim.
    pub async fn claim(
        &self,
        key: &str,
        value: &str,
        issued_at: Timestamp,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Claimed, Error> {
        match &self.0 {
            Kept::InTable(table) => table.claim(key, value, issued_at, now, expires_at).await,
            Kept::InRedis(redis) => redis.claim(key, value, issued_at, now, expires_at).await,
        }
    }

    /// The key's value, if it holds one.
    pub async fn get(&self, key: &str, now: Timestamp) -> Result<Option<Entry>, Error> {
        match &self.0 {
            Kept::InTable(table) => table.get(key, now).await,
            Kept::InRedis(redis) => redis.get(key, now).await,
        }
    }

    /// Writes the value if the key still holds the `version` that was read; true when it was written.
    pub async fn replace(
        &self,
        key: &str,
        version: i64,
        value: &str,
        expires_at: Timestamp,
    ) -> Result<bool, Error> {
        match &self.0 {
            Kept::InTable(table) => table.replace(key, version, value, expires_at).await,
            Kept::InRedis(redis) => redis.replace(key, version, value, expires_at).await,
        }
    }

    /// Adds one to the key's counter and tells the sum. The expiry is that of the first increment.
    pub async fn increment(&self, key: &str, now: Timestamp, expires_at: Timestamp) -> Result<i64, Error> {
        match &self.0 {
            Kept::InTable(table) => table.increment(key, now, expires_at).await,
            Kept::InRedis(redis) => redis.increment(key, now, expires_at).await,
        }
    }

    /// The key's counter.
    pub async fn counter(&self, key: &str, now: Timestamp) -> Result<Counter, Error> {
        Ok(match self.get(key, now).await? {
            Some(entry) => Counter { count: entry.version, until: entry.expires_at },
            None => Counter { count: 0, until: now },
        })
    }

    /// Deletes what has expired, at most `limit` rows, so that no write waits long; tells how many. Redis does that by
    /// itself.
    pub async fn purge(&self, now: Timestamp, limit: i64) -> Result<u64, Error> {
        match &self.0 {
            Kept::InTable(table) => table.purge(now, limit).await,
            Kept::InRedis(_) => Ok(0),
        }
    }

    /// True when the values lie in Redis, false when in the database.
    pub fn is_in_redis(&self) -> bool {
        matches!(self.0, Kept::InRedis(_))
    }

    /// Asks whether the values can be reached now.
    pub async fn check(&self) -> Result<(), Error> {
        match &self.0 {
            Kept::InTable(table) => table.database.check().await,
            Kept::InRedis(redis) => redis.check().await,
        }
    }
}
