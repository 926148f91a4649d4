//! The count of calls to WeCom in the key-value store: replicas, and commands beside a server, stay within one quota.

use std::sync::Arc;
use std::time::Duration;

use wecom::{QuotaStore, StoreFuture, TokenStoreError};
use wecom_login_model::{Clock, Timestamp};
use wecom_login_store::KeyValue;

/// The counts that replicas share.
#[derive(Debug)]
pub(crate) struct SharedQuota {
    values: KeyValue,
    clock: Arc<dyn Clock>,
}

impl SharedQuota {
    pub(crate) fn new(values: KeyValue, clock: Arc<dyn Clock>) -> Self {
        Self { values, clock }
    }
}

impl QuotaStore for SharedQuota {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<(String, i64)>> {
        Box::pin(async move {
            let entry = self.values.get(key, self.clock.now()).await.map_err(TokenStoreError::new)?;
            Ok(entry.map(|entry| (entry.value, entry.version)))
        })
    }

    fn replace<'a>(
        &'a self,
        key: &'a str,
        version: Option<i64>,
        value: &'a str,
        ttl: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let now = self.clock.now();
            let written = match version {
                Some(version) => self.values.replace(key, version, value, now + ttl).await,
                None => self.values.insert(key, value, now, now + ttl).await,
            };
            written.map_err(TokenStoreError::new)
        })
    }
}

#[cfg(test)]
mod tests {
    use wecom::{AuthCode, Budget, CallLimits, Client, Endpoints, Transport};
    use wecom_login_model::{CorpId, ManualClock, Secret, SystemClock, UserId};
    use wecom_login_simulator::{Fault, FaultKind, Options, Simulator, sample};
    use wecom_login_store::{PostgresOptions, RedisOptions, Store};

    use super::*;

    /// A hundredth of WeCom's limits: background work may make 80 calls in a minute.
    const LIMITS: CallLimits = CallLimits { per_minute: 100, per_hour: 1_500 };

    /// The server of that name that `scripts/with-servers` has started.
    fn server(variable: &str) -> String {
        std::env::var(variable).unwrap()
    }

    /// Makes calls through each client in turn until none may make more; tells how many were made.
    async fn work(clients: &[Client]) -> usize {
        let user = UserId::parse("lisi").unwrap();
        let mut made = 0;
        loop {
            let mut refused = 0;
            for client in clients {
                let calls = client.within(Budget::background().patience(Duration::ZERO));
                match calls.user(&user).await {
                    Ok(_) => made += 1,
                    Err(error) => {
                        assert!(error.free_in().is_some(), "WeCom's limit was exceeded: {error}");
                        refused += 1;
                    }
                }
            }
            if refused == clients.len() {
                return made;
            }
        }
    }

    /// O7: three replicas, WeCom's limit, and sign-ins.
    async fn three_replicas_share_one_quota(values: KeyValue) {
        let wecom = Simulator::start(Options::default()).await.unwrap();
        wecom.fault(Fault::new("user/get", FaultKind::PerMinute { limit: LIMITS.per_minute }));
        let clock = ManualClock::at(SystemClock.now());
        let replica = |_| {
            let quota = SharedQuota::new(values.clone(), Arc::new(clock.clone()));
            let transport = Transport::builder().call_limits(LIMITS).quota_store(Arc::new(quota));
            Client::builder(CorpId::parse(sample::CORP_ID).unwrap(), Secret::new(sample::SECRET))
                .endpoints(Endpoints::default().with_api(wecom.api_url()).unwrap())
                .transport(transport.build().unwrap())
                .build()
                .unwrap()
        };
        let replicas: Vec<Client> = (0..3).map(replica).collect();
        for _ in 0..2 {
            let made = work(&replicas).await;
            assert!((60..=80).contains(&made), "{made} calls in one minute");
            for client in &replicas {
                let calls = client.within(Budget::sign_in());
                let code = AuthCode::parse(wecom.code_for("lisi")).unwrap();
                calls.identify(&code).await.unwrap();
                calls.user(&UserId::parse("lisi").unwrap()).await.unwrap();
            }
            assert_eq!(work(&replicas).await, 0, "background work yields");
            clock.advance(Duration::from_secs(70));
            wecom.advance(Duration::from_secs(70));
        }
    }

    #[tokio::test]
    async fn o7_three_replicas_share_one_quota_in_sqlite() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
        three_replicas_share_one_quota(store.key_value()).await;
    }

    #[tokio::test]
    #[ignore = "needs PostgreSQL: scripts/with-servers cargo test -p wecom-login-server --lib shared_quota -- --ignored"]
    async fn o7_three_replicas_share_one_quota_in_postgresql() {
        let options = PostgresOptions::parse(&server("WECOM_LOGIN_TEST_POSTGRES"), 4).unwrap();
        three_replicas_share_one_quota(Store::open_postgres(&options).await.unwrap().key_value()).await;
    }

    #[tokio::test]
    #[ignore = "needs Redis: scripts/with-servers cargo test -p wecom-login-server --lib shared_quota -- --ignored"]
    async fn o7_three_replicas_share_one_quota_in_redis() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
        let options = RedisOptions::parse(&server("WECOM_LOGIN_TEST_REDIS"), "quota").unwrap();
        three_replicas_share_one_quota(store.with_redis(&options).await.unwrap().key_value()).await;
    }
}
