use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Expiring;
use crate::company::SensitiveField;

/// Who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Person {
    /// A member of the company, by userid.
    #[serde(rename = "userid")]
    Member(String),
    /// Somebody else, by openid; it need not be a known one.
    #[serde(rename = "openid")]
    Outsider(String),
}

/// How a code came about; decides whether its redeem gives a user ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeScope {
    /// The sign-in page in a browser: never a ticket (WeCom 98177).
    WebLogin,
    /// `snsapi_base`: silent, no ticket.
    Base,
    /// `snsapi_privateinfo`: a ticket for the fields that the member ticked, as far as the administrator chose
    /// them and the member is in the visible scope.
    PrivateInfo(Vec<SensitiveField>),
}

/// What a code is to stand for.
#[derive(Debug, Clone)]
pub struct CodeRequest {
    /// The company.
    pub corpid: String,
    /// The app for which the person signs in; another app's token gets 50001. `None` (an OAuth link without
    /// `agentid`) leaves it to the host: any app of the company that trusts it may redeem.
    pub agentid: Option<u64>,
    /// Who signs in.
    pub who: Person,
    /// How.
    pub scope: CodeScope,
    /// Where the code was sent: `host` or `host:port`. At redeem it must be among the app's domains (50001);
    /// `None` leaves that check out.
    pub host: Option<String>,
}

impl CodeRequest {
    /// A member who signs in on the sign-in page.
    pub fn member(corpid: impl Into<String>, agentid: u64, userid: impl Into<String>) -> Self {
        Self::of(corpid, agentid, Person::Member(userid.into()))
    }

    /// Somebody outside the company on the sign-in page.
    pub fn outsider(corpid: impl Into<String>, agentid: u64, openid: impl Into<String>) -> Self {
        Self::of(corpid, agentid, Person::Outsider(openid.into()))
    }

    fn of(corpid: impl Into<String>, agentid: u64, who: Person) -> Self {
        Self { corpid: corpid.into(), agentid: Some(agentid), who, scope: CodeScope::WebLogin, host: None }
    }

    /// With another scope.
    pub fn scope(mut self, scope: CodeScope) -> Self {
        self.scope = scope;
        self
    }

    /// Sent to `host` or `host:port`.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }
}

/// Codes that are out and unused; used and expired ones are gone (40029). Five minutes (WeCom 98177).
pub(crate) fn codes() -> Expiring<CodeRequest> {
    Expiring::new(43, Duration::from_mins(5))
}
