//! Redis goes away, comes back empty, or answers too late: sign-ins under way begin again, and nothing is done twice.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use wecom_login_store::{KeyValue, RedisOptions, Store};

use crate::backends::{Backend, Fresh, register, server};
use crate::wire::{State, Wire};
use crate::{NOW, until};

const MINUTE: Duration = Duration::from_mins(1);

/// A Redis of the test's own, which it may stop.
struct OwnRedis {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl OwnRedis {
    async fn start() -> Self {
        server("WECOM_LOGIN_TEST_REDIS");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let process = run(port, &folder);
        let own = Self { process, port, folder };
        own.answers().await;
        own
    }

    async fn restart(&mut self) {
        self.stop();
        self.process = run(self.port, &self.folder);
        self.answers().await;
    }

    fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    async fn answers(&self) {
        until("Redis answers", async || self.options().probe().await.is_ok()).await;
    }

    fn options(&self) -> RedisOptions {
        RedisOptions::parse(&format!("redis://127.0.0.1:{}", self.port), "test").unwrap()
    }

    /// Says a command to it, as an operator would.
    async fn say(&self, words: &[&str]) {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]).exec_async(&mut connection).await.unwrap();
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(port: u16, folder: &TempDir) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn store(options: &RedisOptions) -> (Fresh, Store) {
    let fresh = Backend::Sqlite.fresh().await;
    let store = fresh.store.clone().with_redis(options).await.unwrap();
    (fresh, store)
}

async fn works(values: &KeyValue, key: &str) -> bool {
    values.insert(key, "value", NOW, NOW + MINUTE).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: scripts/with-servers cargo test … -- --include-ignored"]
async fn one_that_restarts_or_is_emptied_is_used_on_without_its_values() {
    let mut redis = OwnRedis::start().await;
    let (_fresh, store) = store(&redis.options()).await;
    let values = store.key_value();
    assert!(works(&values, "state").await && !works(&values, "state").await);
    redis.restart().await;
    assert_eq!(values.get("state", NOW).await.unwrap(), None);
    assert!(works(&values, "state").await, "the scripts too are sent again");
    redis.say(&["FLUSHALL"]).await;
    redis.say(&["SCRIPT", "FLUSH"]).await;
    assert!(works(&values, "state").await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: scripts/with-servers cargo test … -- --include-ignored"]
async fn while_it_is_gone_values_are_unavailable_and_the_database_is_not() {
    let mut redis = OwnRedis::start().await;
    let (_fresh, store) = store(&redis.options()).await;
    let values = store.key_value();
    assert!(works(&values, "state").await);
    redis.stop();
    assert!(values.get("state", NOW).await.unwrap_err().is_unavailable());
    assert!(values.insert("other", "", NOW, NOW + MINUTE).await.unwrap_err().is_unavailable());
    assert!(values.check().await.unwrap_err().is_unavailable());
    store.check().await.unwrap();
    register(&store, &"wwA/zhangsan".parse().unwrap()).await.unwrap();
    redis.restart().await;
    values.check().await.unwrap();
    assert!(works(&values, "state").await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: scripts/with-servers cargo test … -- --include-ignored"]
async fn one_whose_memory_is_used_up_is_full() {
    let redis = OwnRedis::start().await;
    let (_fresh, store) = store(&redis.options()).await;
    let values = store.key_value();
    assert!(works(&values, "state").await);
    redis.say(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let error = values.insert("other", "", NOW, NOW + MINUTE).await.unwrap_err();
    assert!(error.is_full(), "{error:?}");
    assert!(values.get("state", NOW).await.unwrap().is_some(), "nothing is lost");
    redis.say(&["CONFIG", "SET", "maxmemory", "0"]).await;
    assert!(works(&values, "other").await);
}

async fn over_a_wire() -> (Fresh, KeyValue, Wire) {
    let url = server("WECOM_LOGIN_TEST_REDIS");
    let address = url.strip_prefix("redis://").unwrap().trim_end_matches('/').to_owned();
    let wire = Wire::to(address).await;
    let prefix = format!("wire{}", wire.address.port());
    let options = RedisOptions::parse(&format!("redis://{}", wire.address), &prefix).unwrap();
    let (fresh, store) = store(&options).await;
    (fresh, store.key_value(), wire)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: scripts/with-servers cargo test … -- --include-ignored"]
async fn what_a_lost_answer_has_done_is_not_done_twice() {
    let (_fresh, values, wire) = over_a_wire().await;
    // The scripts are known from here on: the answer that is lost is no refusal.
    values.increment("warm", NOW, NOW + MINUTE).await.unwrap();
    values.insert("warm up", "", NOW, NOW + MINUTE).await.unwrap();
    let warm = values.get("warm up", NOW).await.unwrap().unwrap();
    values.replace("warm up", warm.version, "", NOW + MINUTE).await.unwrap();

    wire.set(State::LosesTheAnswerTo("state"));
    assert!(values.insert("state", "mine", NOW, NOW + MINUTE).await.unwrap(), "it was this very write");
    let read = values.get("state", NOW).await.unwrap().unwrap();
    wire.set(State::LosesTheAnswerTo("state"));
    assert!(values.replace("state", read.version, "claimed", NOW + MINUTE).await.unwrap());
    assert_eq!(values.get("state", NOW).await.unwrap().unwrap().version, read.version + 1);
    for expected in 1..=3 {
        wire.set(State::LosesTheAnswerTo("failures"));
        assert_eq!(values.increment("failures", NOW, NOW + MINUTE).await.unwrap(), expected);
    }
    wire.set(State::LosesTheAnswerTo("failures"));
    assert_eq!(values.counter("failures", NOW).await.unwrap().count, 3);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: scripts/with-servers cargo test … -- --include-ignored"]
async fn one_that_does_not_answer_is_given_up() {
    let (_fresh, values, wire) = over_a_wire().await;
    assert!(works(&values, "state").await);
    wire.set(State::Silent);
    assert!(values.get("state", NOW).await.unwrap_err().is_unavailable());
    let error = values.insert("other", "", NOW, NOW + MINUTE).await.unwrap_err();
    assert!(error.is_outcome_unknown(), "it may have arrived: {error:?}");
    wire.set(State::Open);
    assert!(values.get("state", NOW).await.unwrap().is_some());
    assert!(values.get("other", NOW).await.unwrap().is_some(), "it had");
}
