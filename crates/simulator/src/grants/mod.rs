//! What WeCom hands out for a while: access tokens, authorization codes, user tickets.

mod codes;
mod expiring;
mod tickets;
mod tokens;

use std::sync::Arc;

pub(crate) use codes::codes;
pub use codes::{CodeRequest, CodeScope, Person};
pub(crate) use expiring::{Expiring, Found};
pub(crate) use tickets::{Consent, tickets};
pub(crate) use tokens::{TokenState, Tokens};

/// Whose secret was shown: the company and the kind of secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Holder {
    pub(crate) corpid: Arc<str>,
    pub(crate) secret: SecretKind,
}

/// What a secret opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SecretKind {
    /// The secret of a self-built app.
    App(u64),
    /// The company's contact sync (通讯录同步): all of its contacts, and no authorization codes.
    ContactSync,
}

impl Holder {
    /// The app whose secret it is; none for contact sync.
    pub(crate) fn agentid(&self) -> Option<u64> {
        match self.secret {
            SecretKind::App(agentid) => Some(agentid),
            SecretKind::ContactSync => None,
        }
    }
}
