//! Recent refusals that WeCom would repeat. Repeated calls with a wrong secret lock the whole machine out for an hour
//! (45009, WeCom 90313), and an untrusted address stays untrusted for a minute after the administrator adds it. So
//! both refusals are remembered for a short time, and calls fail without asking WeCom.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::{Error, Timestamp, TokenKey};

const CREDENTIALS: Duration = Duration::from_secs(30);
const ADDRESS: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Gate {
    Credentials,
    Address,
}

/// The remembered refusals; one set per [`Transport`](crate::Transport).
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<(TokenKey, Gate), (Timestamp, Error)>>);

impl Refusals {
    /// Remembers `error` if it says that the credentials of `key` are wrong.
    pub(crate) fn note_credentials(&self, key: TokenKey, error: &Error, now: Timestamp) {
        if error.is_credentials_wrong() {
            self.note((key, Gate::Credentials), error, now, CREDENTIALS);
        }
    }

    /// Remembers `error` if it says that this machine's address is not trusted.
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

    /// Fails if the credentials of `key` were refused recently.
    pub(crate) fn check_credentials(&self, key: TokenKey, now: Timestamp) -> Result<(), Error> {
        self.check(key, Gate::Credentials, now)
    }

    /// Fails if this machine's address was refused recently.
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
