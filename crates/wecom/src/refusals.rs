//! What WeCom refused a moment ago and would refuse again. Wrong secrets, asked often enough, lock the whole
//! machine out for an hour (45009, WeCom 90313), and an address that is not trusted stays so for a minute after
//! the administrator adds it; so both are remembered and answered from memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use wecom_login_model::Timestamp;

use crate::{Error, TokenKey};

const CREDENTIALS: Duration = Duration::from_secs(30);
const ADDRESS: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Gate {
    Credentials,
    Address,
}

/// The memory; one per [`Transport`](crate::Transport), that is, one per process that shares its transport.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<(TokenKey, Gate), (Timestamp, Error)>>);

impl Refusals {
    /// Remembers `error` if it says that WeCom does not take `key`'s credentials.
    pub(crate) fn note_credentials(&self, key: TokenKey, error: &Error, now: Timestamp) {
        if matches!(error.errcode(), Some(40001 | 40013)) {
            self.note((key, Gate::Credentials), error, now, CREDENTIALS);
        }
    }

    /// Remembers `error` if it says that WeCom does not take calls from this machine's address.
    pub(crate) fn note_address(&self, key: TokenKey, error: &Error, now: Timestamp) {
        if error.is_ip_not_allowed() {
            self.note((key, Gate::Address), error, now, ADDRESS);
        }
    }

    fn note(&self, of: (TokenKey, Gate), error: &Error, now: Timestamp, long: Duration) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|_, (until, _)| *until > now);
        noted.insert(of, (now + long, error.clone()));
    }

    /// Fails if `key`'s credentials were refused a moment ago.
    pub(crate) fn check_credentials(&self, key: TokenKey, now: Timestamp) -> Result<(), Error> {
        self.check(key, Gate::Credentials, now)
    }

    /// Fails if this machine's address was refused a moment ago.
    pub(crate) fn check_address(&self, key: TokenKey, now: Timestamp) -> Result<(), Error> {
        self.check(key, Gate::Address, now)
    }

    fn check(&self, key: TokenKey, gate: Gate, now: Timestamp) -> Result<(), Error> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match noted.get(&(key, gate)) {
            Some((until, error)) if *until > now => Err(error.clone()),
            _ => Ok(()),
        }
    }
}
