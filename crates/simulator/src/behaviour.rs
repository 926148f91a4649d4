use serde::{Deserialize, Serialize};

/// How WeCom behaves where its documents leave room, or where it can be driven into a corner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// What a second `gettoken` gives while a token is valid. The promise "the same" left the documents in 2024
    /// (WeCom 91039).
    pub renewal: Renewal,
    /// Life of a new access token in seconds.
    pub token_seconds: u64,
    /// Errcode of `user/get` for a member outside the visible scope: 60111 (documents) or 60011 (many threads).
    pub outside_scope: i64,
    /// Wrong secrets from one address within an hour that close `gettoken` to it for an hour (45009).
    pub wrong_secrets: u32,
    /// Calls of one endpoint that a company may make within a minute; above it 45009 for a minute (WeCom 90454).
    /// `gettoken` and `auth/getuserinfo` with a good code do not count.
    pub calls_per_minute: u32,
    /// The same within an hour, for an hour.
    pub calls_per_hour: u32,
    /// Calls of one endpoint that a company may have under way at once; above it 45033.
    pub concurrent_calls: Option<usize>,
    /// The OAuth page answers only to WeCom's client (`wxwork/` in the User-Agent) and WeChat's (`MicroMessenger`).
    pub oauth_needs_client: bool,
    /// A callback that is answered with a status other than 200 is tried again (WeCom 90238) or not (90930).
    pub callback_retries_status: bool,
    /// How often each event is pushed, 1 to 10: WeCom promises no exactly-once.
    pub callback_copies: u32,
}

/// What `gettoken` does while the last token is still valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Renewal {
    /// The same token again, with the time it has left.
    Same,
    /// A new one; the old one stays valid.
    New,
    /// A new one; the old one is dead (40014).
    NewAndRevokeOld,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            renewal: Renewal::Same,
            token_seconds: 7200,
            outside_scope: 60_111,
            wrong_secrets: 2000,
            calls_per_minute: 10_000,
            calls_per_hour: 150_000,
            concurrent_calls: None,
            oauth_needs_client: true,
            callback_retries_status: false,
            callback_copies: 1,
        }
    }
}
