//! Rate limits. Failures, not requests, are counted per address, so that a company behind one address is not locked out by its
//! successful sign-ins. States are counted per browser, and refused when too many are written at once.

use std::time::Duration;

use wecom_login_model::Timestamp;
use wecom_login_store::{Error, KeyValue};

use crate::http::client_address::ClientAddress;

const WINDOW: Duration = Duration::from_mins(1);
const FAILURES_PER_WINDOW: i64 = 60;

#[derive(Debug)]
pub(crate) struct Limits {
    values: KeyValue,
    spare_loopback: bool,
}

impl Limits {
    pub(crate) fn new(values: KeyValue, spare_loopback: bool) -> Self {
        Self { values, spare_loopback }
    }

    /// True if the address has failed too often within a minute.
    pub(crate) async fn is_locked_out(&self, address: ClientAddress, now: Timestamp) -> Result<bool, Error> {
        if self.is_spared(address) {
            return Ok(false);
        }
        Ok(self.values.counter(&failures_key(address), now).await?.count >= FAILURES_PER_WINDOW)
    }

    /// Counts a failure. If the counter cannot be written, logs it and goes on: the refusal matters more.
    pub(crate) async fn count_failure(&self, address: ClientAddress, now: Timestamp) {
        if self.is_spared(address) {
            return;
        }
        if let Err(error) = self.values.increment(&failures_key(address), now, now + WINDOW).await {
            tracing::warn!(%error, "a failure could not be counted");
        }
    }

    fn is_spared(&self, address: ClientAddress) -> bool {
        self.spare_loopback && address.is_loopback()
    }
}

fn failures_key(address: ClientAddress) -> String {
    format!("limit/failures/{}", address.counted_as())
}
