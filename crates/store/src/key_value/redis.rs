//! Short-lived values in Redis: one hash a key, changed by scripts, each of which is one step.
//!
//! Redis deletes a value a minute after its time: the expiry that counts stands in the value and is held against the
//! caller's `now`, so that a process whose clock is a little off, or a test that moves it, gets the right answer. A
//! write carries a name of its own, which stays with the value until the next write; as long as that has not come, the
//! answer to a repetition is that of the first time, so a write whose answer was lost with the connection is sent again.
//! When another did come between, the repetition counts as a write of its own: an insertion or a replacement that had come
//! to pass is told as refused, and an increment counts once more.

use std::fmt;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{Client, FromRedisValue, IntoConnectionInfo as _, ProtocolVersion, Script};
use wecom_login_model::Timestamp;

use super::{Claimed, EPOCH, Entry};
use crate::Error;
use crate::address::check_user_information;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);
/// A connection whose packets nobody takes is given up, instead of being written to for minutes.
const SILENCE: Duration = Duration::from_secs(3);
const RECONNECT_PAUSE: Duration = Duration::from_millis(50);
const RECONNECTIONS: usize = 1;
/// How much longer than its time a value is kept.
const SLACK: Duration = Duration::from_mins(1);

/// How Redis is reached.
#[derive(Clone)]
pub struct RedisOptions {
    client: Client,
    prefix: String,
}

impl RedisOptions {
    /// Of an address such as `redis://:password@host:6379/0`, or `rediss://` for TLS. Every key begins with `prefix`
    /// and a colon. The error holds nothing of the address.
    pub fn parse(url: &str, prefix: &str) -> Result<Self, String> {
        let problem =
            || "must be an address such as redis://:password@host:6379/0, or rediss:// for TLS".to_owned();
        if url.ends_with("#insecure") {
            return Err("must not end in #insecure: certificates are always checked".to_owned());
        }
        check_user_information(url)?;
        let info = url.into_connection_info().map_err(|_| problem())?;
        // The connection then hears at once, and not from the next command, that it has broken.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let tcp = TcpSettings::default().set_nodelay(true).set_user_timeout(SILENCE);
        let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
        let client = Client::open(info).map_err(|_| problem())?;
        Ok(Self { client, prefix: prefix.to_owned() })
    }

    /// The same with another prefix.
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    /// Asks whether it can be reached and lets us in. Nothing is written.
    pub async fn probe(&self) -> Result<(), Error> {
        InRedis::open(self).await?.check().await
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub(super) struct InRedis {
    connection: ConnectionManager,
    prefix: Arc<str>,
    writes: Arc<Writes>,
}

/// Gives every write of this process a name that no other has.
struct Writes {
    process: String,
    count: AtomicU64,
}

impl Writes {
    fn name(&self) -> String {
        format!("{}.{}", self.process, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Debug for InRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InRedis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// What a key holds, if anything: v, n, e.
type Fields = (Option<String>, Option<i64>, Option<i64>);

// Fields: v value, n version or count, e expiry, o the write that made it so. HSET comes first of all that writes: a Redis
// whose memory is used up refuses a script's first write only.

static INSERT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local value, now, expiry, life, write = unpack(ARGV)
         local kept = redis.call('HMGET', KEYS[1], 'e', 'o')
         if kept[2] == write then return 1 end
         if kept[1] and tonumber(kept[1]) > tonumber(now) then return 0 end
         local time = redis.call('TIME')
         redis.call('HSET', KEYS[1], 'v', value, 'n', time[1] .. string.format('%06d', time[2]), 'e', expiry, 'o', write)
         redis.call('PEXPIRE', KEYS[1], life)
         return 1",
    )
});

// The epoch is a key of its own, which never expires.
static CLAIM: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local value, now, expiry, life, issued, write = unpack(ARGV)
         local kept = redis.call('HMGET', KEYS[1], 'e', 'o', 'n')
         if kept[2] == write then return {1, kept[3]} end
         if kept[1] and tonumber(kept[1]) > tonumber(now) then return {0, ''} end
         local epoch = redis.call('GET', KEYS[2])
         if not epoch then redis.call('SET', KEYS[2], now) return {2, ''} end
         if tonumber(epoch) > tonumber(issued) then return {2, ''} end
         local time = redis.call('TIME')
         local version = time[1] .. string.format('%06d', time[2])
         redis.call('HSET', KEYS[1], 'v', value, 'n', version, 'e', expiry, 'o', write)
         redis.call('PEXPIRE', KEYS[1], life)
         return {1, version}",
    )
});

// The time that is left moves as the expiry does.
static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local value, version, expiry, write = unpack(ARGV)
         local kept = redis.call('HMGET', KEYS[1], 'n', 'e', 'o')
         if kept[3] == write then return 1 end
         if kept[1] ~= version then return 0 end
         local left = redis.call('PTTL', KEYS[1]) + tonumber(expiry) - tonumber(kept[2])
         redis.call('HSET', KEYS[1], 'v', value, 'e', expiry, 'o', write)
         redis.call('HINCRBY', KEYS[1], 'n', 1)
         redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left))
         return 1",
    )
});

static INCREMENT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local now, expiry, life, write = unpack(ARGV)
         local kept = redis.call('HMGET', KEYS[1], 'e', 'n', 'o')
         if kept[3] == write then return tonumber(kept[2]) end
         if kept[1] and tonumber(kept[1]) > tonumber(now) then
             redis.call('HSET', KEYS[1], 'o', write)
             return redis.call('HINCRBY', KEYS[1], 'n', 1)
         end
         redis.call('HSET', KEYS[1], 'v', '', 'n', 1, 'e', expiry, 'o', write)
         redis.call('PEXPIRE', KEYS[1], life)
         return 1",
    )
});

impl InRedis {
    pub(super) async fn open(options: &RedisOptions) -> Result<Self, Error> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_min_delay(RECONNECT_PAUSE)
            .set_number_of_retries(RECONNECTIONS);
        let mut connection = ConnectionManager::new_with_config(options.client.clone(), config).await?;
        let id: u64 = redis::cmd("CLIENT").arg("ID").query_async(&mut connection).await?;
        let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await?;
        let writes = Writes { process: format!("{seconds}.{micros}.{id}"), count: AtomicU64::new(0) };
        Ok(Self { connection, prefix: options.prefix.as_str().into(), writes: Arc::new(writes) })
    }

    pub(super) async fn insert(
        &self,
        key: &str,
        value: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, Error> {
        let mut call = INSERT.key(self.key(key));
        call.arg(value).arg(now.as_millis()).arg(expires_at.as_millis()).arg(life(now, expires_at));
        self.write(&mut call).await
    }

    pub(super) async fn begin_epoch(&self, now: Timestamp) -> Result<(), Error> {
        let mut set = redis::cmd("SET");
        set.arg(self.key(EPOCH)).arg(now.as_millis()).arg("NX");
        self.send::<Option<String>>(&set).await.map(drop)
    }

    pub(super) async fn claim(
        &self,
        key: &str,
        value: &str,
        issued_at: Timestamp,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Claimed, Error> {
        let mut call = CLAIM.key(self.key(key));
        call.key(self.key(EPOCH));
        call.arg(value).arg(now.as_millis()).arg(expires_at.as_millis()).arg(life(now, expires_at));
        call.arg(issued_at.as_millis());
        let (answer, version): (i64, String) = self.write(&mut call).await?;
        Ok(match (answer, version.parse()) {
            (1, Ok(version)) => Claimed::Won(version),
            (0, _) => Claimed::Held,
            _ => Claimed::Lost,
        })
    }

    pub(super) async fn get(&self, key: &str, now: Timestamp) -> Result<Option<Entry>, Error> {
        let ask = redis::cmd("HMGET").arg(self.key(key)).arg(&["v", "n", "e"]).to_owned();
        let fields: Fields = match self.send(&ask).await {
            Err(error) if error.is_unreachable() => self.send(&ask).await?,
            answer => answer?,
        };
        Ok(match fields {
            (Some(value), Some(version), Some(expiry)) if expiry > now.as_millis() => {
                Some(Entry { value, version, expires_at: Timestamp::from_millis(expiry) })
            }
            _ => None,
        })
    }

    pub(super) async fn replace(
        &self,
        key: &str,
        version: i64,
        value: &str,
        expires_at: Timestamp,
    ) -> Result<bool, Error> {
        let mut call = REPLACE.key(self.key(key));
        call.arg(value).arg(version).arg(expires_at.as_millis());
        self.write(&mut call).await
    }

    pub(super) async fn increment(
        &self,
        key: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<i64, Error> {
        let mut call = INCREMENT.key(self.key(key));
        call.arg(now.as_millis()).arg(expires_at.as_millis()).arg(life(now, expires_at));
        self.write(&mut call).await
    }

    pub(super) async fn check(&self) -> Result<(), Error> {
        self.send::<String>(&redis::cmd("PING")).await.map(drop)
    }

    fn key(&self, key: &str) -> String {
        format!("{}:{key}", self.prefix)
    }

    async fn send<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, Error> {
        Ok(command.query_async(&mut self.connection.clone()).await?)
    }

    /// Sends a script that takes the name of the write as its last argument; once more when the connection broke.
    async fn write<T: FromRedisValue>(&self, call: &mut redis::ScriptInvocation<'_>) -> Result<T, Error> {
        call.arg(self.writes.name());
        let mut connection = self.connection.clone();
        match call.invoke_async(&mut connection).await.map_err(Error::from) {
            Err(error) if error.is_unreachable() => {
                call.invoke_async(&mut connection).await.map_err(|error| Error::from(error).unknown())
            }
            answer => answer,
        }
    }
}

/// How long Redis keeps the value, in milliseconds.
fn life(now: Timestamp, expires_at: Timestamp) -> i64 {
    ((expires_at + SLACK).as_millis() - now.as_millis()).max(1)
}
