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
