use std::sync::atomic::Ordering;
use std::time::Duration;

use wecom::{Error, Observer};

use super::Metrics;
use super::labels::{Call, Endpoint};

impl Observer for Metrics {
    fn called(&self, call: &'static str, failure: Option<&Error>, took: Duration) {
        self.calls.get_or_create(&Call { endpoint: call, errcode: errcode(failure) }).inc();
        self.call_seconds.get_or_create(&Endpoint { endpoint: call }).observe(took.as_secs_f64());
        self.cut_off.store(failure.is_some_and(Error::is_unavailable), Ordering::Relaxed);
    }
}

/// The label for WeCom's errcode. Only known errcodes are values of their own, which bounds their number; calls without an
/// errcode have a word instead.
fn errcode(failure: Option<&Error>) -> String {
    let Some(error) = failure else { return "0".to_owned() };
    match error.errcode() {
        Some(errcode) if wecom::explain(errcode).is_some() => errcode.to_string(),
        Some(_) => "other".to_owned(),
        None if error.is_timeout() => "timeout".to_owned(),
        None if error.is_unavailable() => "unreachable".to_owned(),
        None => "unreadable".to_owned(),
    }
}
