//! Limits. Failures are counted per address, so that a company behind one address is never locked out by its own
//! success; states are counted per browser, and shed when too many are asked for at once.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use wecom_login_model::Timestamp;
use wecom_login_sign_in::BrowserId;
use wecom_login_store::{Error, KeyValue};

use crate::http::client_address::counted_as;

const WINDOW: Duration = Duration::from_mins(1);
const FAILURES_PER_WINDOW: i64 = 60;
const STATES_PER_WINDOW: i64 = 60;
/// States being written at one moment; each takes well under a millisecond.
const STATES_AT_ONCE: usize = 256;

#[derive(Debug)]
pub(crate) struct Limits {
    values: KeyValue,
    spare_loopback: bool,
    states: Semaphore,
}

impl Limits {
    pub(crate) fn new(values: KeyValue, spare_loopback: bool) -> Self {
        Self { values, spare_loopback, states: Semaphore::new(STATES_AT_ONCE) }
    }

    /// True when the address has failed too often within a minute.
    pub(crate) async fn is_locked_out(&self, address: IpAddr, now: Timestamp) -> Result<bool, Error> {
        if self.is_spared(address) {
            return Ok(false);
        }
        Ok(self.values.count(&failures_key(address), now).await? >= FAILURES_PER_WINDOW)
    }

    /// Counts a failure. What cannot be counted is logged: the refusal itself matters more.
    pub(crate) async fn count_failure(&self, address: IpAddr, now: Timestamp) {
        if self.is_spared(address) {
            return;
        }
        if let Err(error) = self.values.increment(&failures_key(address), now, now + WINDOW).await {
            tracing::warn!(%error, "a failure could not be counted");
        }
    }

    /// True when the browser may have one more state.
    pub(crate) async fn may_issue(&self, browser: &BrowserId, now: Timestamp) -> Result<bool, Error> {
        let key = format!("limit/states/{}", browser.fingerprint().to_hex());
        Ok(self.values.increment(&key, now, now + WINDOW).await? <= STATES_PER_WINDOW)
    }

    /// A place among those that are writing states; `None` when all are taken.
    pub(crate) fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.states.try_acquire().ok()
    }

    fn is_spared(&self, address: IpAddr) -> bool {
        self.spare_loopback && address.is_loopback()
    }
}

fn failures_key(address: IpAddr) -> String {
    format!("limit/failures/{}", counted_as(address))
}
