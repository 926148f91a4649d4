use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Endpoint, Outcome, Refusal};
use crate::clock::Moment;
use crate::company::{App, Company, Visible};
use crate::grants::{Holder, TokenState};
use crate::query::Query;
use crate::world::World;

/// A call whose token was found good, with what it asks for.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) now: Moment,
    pub(crate) ip: IpAddr,
    query: Query,
    body: Body,
    holder: Option<Holder>,
}

enum Body {
    Json(Map<String, Value>),
    /// Read as empty, but every refusal says so first.
    Malformed,
}

impl<'a> Call<'a> {
    pub(super) fn new(world: &'a mut World, now: Moment, ip: IpAddr, query: Query, body: &[u8]) -> Self {
        let body = match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Body::Json(fields),
            _ => Body::Malformed,
        };
        Self { world, now, ip, query, body, holder: None }
    }

    /// All checks in the live service's order, then the endpoint itself.
    pub(super) fn answer(&mut self, endpoint: &Endpoint, posted: bool, crowded: bool) -> Outcome {
        if !endpoint.open {
            self.check_token()?;
            self.check_address()?;
        }
        if crowded {
            return Err(Refusal::of(45033));
        }
        if !endpoint.open {
            self.check_permission()?;
        }
        if endpoint.post && !posted {
            return Err(Refusal::with(40058, "require POST method. invalid Request Parameter"));
        }
        let outcome = (endpoint.run)(self);
        match self.body {
            Body::Malformed if endpoint.post => {
                outcome.map_err(|refusal| refusal.prefixed("Warning: wrong json format. "))
            }
            _ => outcome,
        }
    }

    fn check_token(&mut self) -> Result<(), Refusal> {
        let token = self.query.get("access_token").ok_or(Refusal::of(41001))?;
        match self.world.tokens.check(token, self.now) {
            TokenState::Valid(holder) => self.holder = Some(holder),
            TokenState::Expired => return Err(Refusal::of(42001)),
            TokenState::Unknown => return Err(Refusal::of(40014)),
        }
        Ok(())
    }

    /// 企业可信IP comes before any look at the parameters: a code that is turned away here stays unused.
    fn check_address(&self) -> Result<(), Refusal> {
        let Some(listed) = &self.app()?.trusted_ips else { return Ok(()) };
        let from = self.ip.to_string();
        if listed.contains(&from) { Ok(()) } else { Err(Refusal::of(60020)) }
    }

    fn check_permission(&self) -> Result<(), Refusal> {
        if self.app()?.enabled { Ok(()) } else { Err(Refusal::of(50003)) }
    }

    /// Whose token came with the call.
    pub(super) fn holder(&self) -> Result<&Holder, Refusal> {
        self.holder.as_ref().ok_or(Refusal::of(41001))
    }

    /// The app whose token came with the call; without it (it was deleted meanwhile) the token is void.
    pub(super) fn app(&self) -> Result<&App, Refusal> {
        self.world.app(self.holder()?).ok_or(Refusal::of(40014))
    }

    /// The company whose token came with the call.
    pub(super) fn company(&self) -> Result<&Company, Refusal> {
        self.world.company(&self.holder()?.corpid).ok_or(Refusal::of(40014))
    }

    /// What the app may see.
    pub(super) fn visible(&mut self) -> Result<Arc<Visible>, Refusal> {
        let (corpid, agentid) = (Arc::clone(&self.holder()?.corpid), self.holder()?.agentid());
        let company = self.world.company_mut(&corpid).ok_or(Refusal::of(40014))?;
        Ok(company.visible_to(agentid))
    }

    /// A parameter of the query; an empty one is an absent one.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name)
    }

    /// A text in the body; an empty one is an absent one.
    pub(super) fn body(&self, name: &str) -> Option<&str> {
        let Body::Json(fields) = &self.body else { return None };
        fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A number in the body.
    pub(super) fn body_number(&self, name: &str) -> Option<i64> {
        let Body::Json(fields) = &self.body else { return None };
        fields.get(name).and_then(Value::as_i64)
    }
}
