use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Access, Endpoint, Outcome, Refusal};
use crate::clock::Moment;
use crate::company::{Age, App, Company, Visible};
use crate::grants::{Holder, SecretKind, TokenState};
use crate::limits::Allowed;
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

/// What the company's other calls mean for this one.
#[derive(Clone, Copy)]
pub(super) struct Pressure {
    /// Too many are under way.
    pub(super) crowded: bool,
    pub(super) allowed: Allowed,
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
    pub(super) fn answer(&mut self, endpoint: &Endpoint, posted: bool, pressure: Pressure) -> Outcome {
        if endpoint.access != Access::Open {
            self.check_token()?;
            self.check_address()?;
        }
        if pressure.crowded {
            return Err(Refusal::of(45033));
        }
        self.check_frequency(endpoint, pressure.allowed)?;
        if endpoint.access != Access::Open {
            self.check_permission(endpoint)?;
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
        let listed = match self.holder()?.secret {
            SecretKind::App(_) => &self.app()?.trusted_ips,
            SecretKind::ContactSync => &self.company()?.contact_sync().trusted_ips,
        };
        let Some(listed) = listed else { return Ok(()) };
        let from = self.ip.to_string();
        if listed.contains(&from) { Ok(()) } else { Err(Refusal::of(60020)) }
    }

    /// A good code is worth any number of calls (WeCom 90454).
    fn check_frequency(&mut self, endpoint: &Endpoint, allowed: Allowed) -> Result<(), Refusal> {
        let code = self.query.get("code").filter(|_| endpoint.redeems);
        if code.is_some_and(|code| self.world.codes.live(code, self.now).is_some()) {
            return Ok(());
        }
        let corpid = match &self.holder {
            Some(holder) => Arc::clone(&holder.corpid),
            None => self
                .query
                .get("corpid")
                .filter(|id| self.world.company(id).is_some())
                .unwrap_or_default()
                .into(),
        };
        let admitted = self.world.limits.admit(&corpid, endpoint.path, allowed, self.now);
        if admitted { Ok(()) } else { Err(Refusal::of(45009)) }
    }

    fn check_permission(&self, endpoint: &Endpoint) -> Result<(), Refusal> {
        let code = match (self.holder()?.secret, endpoint.access) {
            (SecretKind::App(_), _) if !self.app()?.enabled => 50003,
            (SecretKind::App(_), Access::ContactSync) | (SecretKind::ContactSync, Access::Apps) => 48002,
            (SecretKind::ContactSync, Access::Details) if !self.company()?.contact_sync().reads_details => {
                48009
            }
            _ => return Ok(()),
        };
        Err(Refusal::of(code))
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

    /// What the caller may see.
    pub(super) fn visible(&mut self) -> Result<Arc<Visible>, Refusal> {
        let Holder { corpid, secret } = self.holder()?.clone();
        let company = self.world.company_mut(&corpid).ok_or(Refusal::of(40014))?;
        Ok(match secret {
            SecretKind::App(agentid) => company.visible_to(agentid),
            SecretKind::ContactSync => Arc::new(Visible::everything()),
        })
    }

    /// Whether the seven fields are withheld from the caller; never from contact sync.
    pub(super) fn age(&self) -> Result<Age, Refusal> {
        match self.holder()?.secret {
            SecretKind::App(_) => Ok(self.app()?.made),
            SecretKind::ContactSync => Ok(Age::Before),
        }
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

    /// Anything in the body.
    pub(super) fn body_value(&self, name: &str) -> Option<&Value> {
        let Body::Json(fields) = &self.body else { return None };
        fields.get(name)
    }
}
