use serde::{Deserialize, Serialize};

/// Contact sync (通讯录同步): the company's own way to its whole contacts, with a secret of its own.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactSync {
    /// Its `corpsecret`; empty while contact sync is off.
    pub secret: String,
    /// The addresses that may call. `None` leaves the gate open.
    pub trusted_ips: Option<Vec<String>>,
    /// It may still read members and departments in detail, as from an address that was in use before 2022-08-15;
    /// otherwise 48009 (WeCom 96079).
    pub reads_details: bool,
}

impl ContactSync {
    /// Without an address gate, and without the details.
    pub fn new(secret: impl Into<String>) -> Self {
        Self { secret: secret.into(), ..Self::default() }
    }
}

impl std::fmt::Debug for ContactSync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContactSync").field("reads_details", &self.reads_details).finish_non_exhaustive()
    }
}
