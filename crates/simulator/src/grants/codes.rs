use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::chance::Chance;
use crate::clock::Moment;
use crate::company::SensitiveField;

/// A code dies unused after five minutes (WeCom 98177).
const LIFETIME: Duration = Duration::from_mins(5);

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

/// Codes that are out and unused. Used and expired ones are gone: both are 40029.
#[derive(Default)]
pub(crate) struct Codes {
    open: HashMap<String, Code>,
    by_age: VecDeque<(Moment, String)>,
}

/// An unused code.
pub(crate) struct Code {
    pub(crate) request: CodeRequest,
    expires: Moment,
}

impl Codes {
    pub(crate) fn issue(&mut self, request: CodeRequest, now: Moment, chance: &mut Chance) -> String {
        while self.by_age.front().is_some_and(|(expires, _)| *expires <= now) {
            if let Some((_, code)) = self.by_age.pop_front() {
                self.open.remove(&code);
            }
        }
        let (code, expires) = (chance.text(43), now + LIFETIME);
        self.open.insert(code.clone(), Code { request, expires });
        self.by_age.push_back((expires, code.clone()));
        code
    }

    /// The code, if it may still be used; looking does not use it.
    pub(crate) fn look(&self, code: &str, now: Moment) -> Option<&Code> {
        self.open.get(code).filter(|open| open.expires > now)
    }

    /// Uses the code.
    pub(crate) fn burn(&mut self, code: &str) -> Option<Code> {
        self.open.remove(code)
    }
}
