use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::behaviour::Behaviour;
use crate::chance::Chance;
use crate::clock::{Clock, Moment};
use crate::company::{App, Company};
use crate::events::{Callback, Pusher, Receiver};
use crate::faults::Faults;
use crate::grants::{CodeRequest, Consent, Expiring, Holder, SecretKind, Tokens, codes, tickets};
use crate::limits::Limits;
use crate::outbound::Outbound;
use crate::pages::{Desktop, Device, SignIn, sign_ins};

/// Everything the simulator knows, behind one lock that no call holds across an `await`.
pub(crate) struct World {
    start: Vec<Company>,
    pub(crate) companies: Vec<Company>,
    /// Where events go: (corpid, receiver).
    pub(crate) callbacks: HashMap<(String, Receiver), Callback>,
    pub(crate) behaviour: Behaviour,
    pub(crate) tokens: Tokens,
    pub(crate) codes: Expiring<CodeRequest>,
    pub(crate) tickets: Expiring<Consent>,
    pub(crate) sign_ins: Expiring<SignIn>,
    pub(crate) device: Device,
    pub(crate) desktop: Desktop,
    pub(crate) calls: BTreeMap<String, u64>,
    pub(crate) wrong_secrets: WrongSecrets,
    pub(crate) limits: Limits,
    /// What stands in the ownership file of each app: (corpid, agentid). It outlives a reset, as the file does.
    ownership: HashMap<(String, u64), String>,
    pub(crate) chance: Chance,
}

impl World {
    pub(crate) fn new(companies: Vec<Company>, behaviour: Behaviour, chance: Chance) -> Self {
        Self {
            start: companies.clone(),
            companies,
            callbacks: HashMap::new(),
            behaviour,
            tokens: Tokens::default(),
            codes: codes(),
            tickets: tickets(),
            sign_ins: sign_ins(),
            device: Device::default(),
            desktop: Desktop::default(),
            calls: BTreeMap::new(),
            wrong_secrets: WrongSecrets::default(),
            limits: Limits::default(),
            ownership: HashMap::new(),
            chance,
        }
    }

    /// Back to the start. Behaviour stays: it is how this WeCom is, not what happened in it.
    /// Access tokens stay: programs under test keep theirs, and a reset between two tests is no revocation.
    pub(crate) fn reset(&mut self) {
        self.companies.clone_from(&self.start);
        self.callbacks.clear();
        self.codes = codes();
        self.tickets = tickets();
        self.sign_ins = sign_ins();
        self.device = Device::default();
        self.desktop = Desktop::default();
        self.calls.clear();
        self.wrong_secrets = WrongSecrets::default();
        self.limits = Limits::default();
    }

    pub(crate) fn companies(&self) -> &[Company] {
        &self.companies
    }

    pub(crate) fn company(&self, corpid: &str) -> Option<&Company> {
        self.companies.iter().find(|company| company.corpid() == corpid)
    }

    pub(crate) fn company_mut(&mut self, corpid: &str) -> Option<&mut Company> {
        self.companies.iter_mut().find(|company| company.corpid() == corpid)
    }

    pub(crate) fn app(&self, holder: &Holder) -> Option<&App> {
        self.company(&holder.corpid)?.app(holder.agentid()?)
    }

    /// Whose secret this is: an enabled app's or contact sync's.
    pub(crate) fn holder_of(&self, corpid: &str, secret: &str) -> Option<Holder> {
        let company = self.company(corpid)?;
        let app = company.apps().find(|app| app.secret == secret && app.enabled);
        let of_sync = || (company.contact_sync().secret == secret).then_some(SecretKind::ContactSync);
        let secret = app.map(|app| SecretKind::App(app.agentid)).or_else(of_sync)?;
        Some(Holder { corpid: Arc::from(corpid), secret })
    }

    pub(crate) fn issue_code(&mut self, request: CodeRequest, now: Moment) -> String {
        self.codes.issue(request, now, &mut self.chance)
    }

    /// The content of the file by which the app's owner proves that a domain is theirs.
    pub(crate) fn ownership_token(&mut self, app: (String, u64)) -> String {
        let chance = &mut self.chance;
        self.ownership.entry(app).or_insert_with(|| chance.text(16)).clone()
    }

    pub(crate) fn count(&mut self, endpoint: &str) {
        if let Some(count) = self.calls.get_mut(endpoint) {
            *count += 1;
        } else {
            self.calls.insert(endpoint.to_owned(), 1);
        }
    }
}

/// Wrong secrets per address: too many within an hour close `gettoken` for an hour (WeCom 90313, 45009).
#[derive(Default)]
pub(crate) struct WrongSecrets {
    by_address: HashMap<IpAddr, (Moment, u32)>,
}

impl WrongSecrets {
    const WINDOW: Duration = Duration::from_hours(1);

    pub(crate) fn closed(&self, address: IpAddr, limit: u32, now: Moment) -> bool {
        self.by_address
            .get(&address)
            .is_some_and(|(since, wrong)| *since + Self::WINDOW > now && *wrong >= limit)
    }

    pub(crate) fn note(&mut self, address: IpAddr, limit: u32, now: Moment) {
        let (since, wrong) = self.by_address.entry(address).or_insert((now, 0));
        if *since + Self::WINDOW <= now {
            (*since, *wrong) = (now, 0);
        }
        *wrong += 1;
        if *wrong == limit {
            // The hour of the ban begins with the last straw.
            *since = now;
        }
    }
}

/// What all handlers share.
pub(crate) struct Shared {
    world: Mutex<World>,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) outbound: Outbound,
    pub(crate) pusher: Pusher,
    pub(crate) url: String,
}

impl Shared {
    pub(crate) fn new(world: World, faults: Faults, outbound: Outbound, url: String) -> Self {
        Self {
            world: Mutex::new(world),
            clock: Clock::default(),
            faults,
            outbound,
            pusher: Pusher::new(),
            url,
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // A test that panicked while editing must not take the whole simulator down with it.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reset(&self) {
        self.faults.clear();
        self.pusher.reset();
        self.clock.reset();
        self.world().reset();
    }
}
