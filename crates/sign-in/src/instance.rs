use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use url::Url;
use wecom::{Budget, Client, Endpoints, Scope, SignInLink, TokenStore, Transport};
use wecom_login_accounts::{BindBy, Policy};
use wecom_login_directory::{OtherApp, SyncSource};
use wecom_login_element::{App, Config, Element, Fault};
use wecom_login_model::{AgentId, Clock, CorpId, DURATION_RULE, Entropy, Language, Secret, parse_duration};

use crate::{CallbackKeys, State};

/// The Type of our instances.
pub const TYPE_NAME: &str = "auths.loginTypes.QywxInnerType";

const DEFAULT_FRESH_FOR: Duration = Duration::from_hours(24);

/// Who takes the redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallbackMode {
    /// Our server takes the redirect's path, exchanges the code and redirects to an address without it.
    #[default]
    Server,
    /// The app's own page does, and hands code and state to getLoginCode.
    Page,
}

/// What the clients of all instances share.
#[derive(Debug, Clone)]
pub struct ClientContext {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Where access tokens are shared.
    pub tokens: Arc<dyn TokenStore>,
    /// The way to WeCom of the instances that name no proxy.
    pub transport: Transport,
}

/// One self-built app of one company.
#[derive(Debug)]
pub struct Instance {
    full_name: String,
    title: String,
    corp_id: CorpId,
    agent_id: AgentId,
    redirect_uri: String,
    redirect_url: Url,
    scope: Scope,
    callback: CallbackMode,
    user_fresh_for: Duration,
    policy: Policy,
    callback_keys: CallbackKeys,
    endpoints: Endpoints,
    client: Client,
    contact: Option<Client>,
}

impl Instance {
    /// Reads the instance's configuration.
    pub fn read(element: &Element, context: &ClientContext) -> Result<Self, Fault> {
        let config = element.config()?;
        let corp_id = CorpId::parse(config.required_text("corpId")?)
            .map_err(|error| config.fault("corpId", format!("must be {}", error.rule())))?;
        let agent_id = AgentId::parse(config.required_text_or_number("agentId")?)
            .map_err(|error| config.fault("agentId", format!("must be {}", error.rule())))?;
        let secret = Secret::new(config.required_text("corpSecret")?);
        let redirect_uri = config.required_text("redirectUri")?.to_owned();
        let redirect_url = redirect_url(&config, &redirect_uri)?;
        let callback_keys = CallbackKeys::read(&config, &corp_id)?;
        let endpoints = endpoints(&config)?;
        let transport = transport(&config, context)?;
        let client = |key: &str, secret: Secret| {
            Client::builder(corp_id.clone(), secret)
                .endpoints(endpoints.clone())
                .transport(transport.clone())
                .clock(context.clock.clone())
                .entropy(context.entropy.clone())
                .token_store(context.tokens.clone())
                .build()
                .map_err(|error| config.fault(key, error.to_string()))
        };
        let contact = config.text("contactSecret")?.filter(|text| !text.is_empty());
        let contact = contact.map(|secret| client("contactSecret", Secret::new(secret))).transpose()?;
        let client = client("corpSecret", secret)?;
        Ok(Self {
            full_name: element.full_name().to_owned(),
            title: element.title().to_owned(),
            corp_id,
            agent_id,
            redirect_uri,
            redirect_url,
            scope: choice(
                &config,
                "scope",
                &[("snsapi_base", Scope::Base), ("snsapi_privateinfo", Scope::PrivateInfo)],
            )?,
            callback: choice(
                &config,
                "callback",
                &[("server", CallbackMode::Server), ("page", CallbackMode::Page)],
            )?,
            user_fresh_for: fresh_for(&config)?,
            policy: policy(&config)?,
            callback_keys,
            endpoints,
            client,
            contact,
        })
    }

    /// The element's full name, such as `auths.loginTypes.QywxInnerExample`.
    pub fn full_name(&self) -> &str {
        &self.full_name
    }

    /// The element's title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The company.
    pub fn corp_id(&self) -> &CorpId {
        &self.corp_id
    }

    /// The app.
    pub fn agent_id(&self) -> &AgentId {
        &self.agent_id
    }

    /// The redirect address exactly as it is configured.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The redirect address as a browser reads it.
    pub fn redirect_url(&self) -> &Url {
        &self.redirect_url
    }

    /// What the member is asked for inside the WeCom app.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Who takes the redirect.
    pub fn callback(&self) -> CallbackMode {
        self.callback
    }

    /// How long a member's row is good at most.
    pub fn user_fresh_for(&self) -> Duration {
        self.user_fresh_for
    }

    /// What becomes of a member who has no account yet.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The keys of WeCom's callbacks.
    pub fn callback_keys(&self) -> &CallbackKeys {
        &self.callback_keys
    }

    /// The last segment of the full name.
    pub fn short_name(&self) -> &str {
        self.full_name.rsplit('.').next().unwrap_or(&self.full_name)
    }

    /// Where this instance's WeCom is.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The app's calls of WeCom.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// True for another instance of the same app, and for this one.
    pub fn is_of_the_same_app(&self, other: &Self) -> bool {
        (&self.corp_id, &self.agent_id) == (&other.corp_id, &other.agent_id)
    }

    /// The app as it looks at its company, beside the `others` that are configured.
    pub fn source(&self, budget: Budget, others: Vec<OtherApp>) -> SyncSource {
        SyncSource {
            instance: self.full_name.clone(),
            corp_id: self.corp_id.clone(),
            agent_id: self.agent_id.clone(),
            app: self.client.within(budget.clone()),
            contact: self.contact.as_ref().map(|contact| contact.within(budget)),
            others,
        }
    }

    /// The page with the QR code, for a browser outside WeCom.
    pub fn web_login_link(&self, state: &State, language: Language) -> String {
        self.endpoints.web_login_link(self.link(state), Some(language))
    }

    /// The page inside WeCom that sends back at once, or after consent.
    pub fn oauth_link(&self, state: &State) -> String {
        self.endpoints.oauth_link(self.link(state), self.scope)
    }

    fn link<'a>(&'a self, state: &'a State) -> SignInLink<'a> {
        SignInLink {
            corp_id: &self.corp_id,
            agent_id: &self.agent_id,
            redirect_uri: &self.redirect_uri,
            state: state.as_str(),
        }
    }
}

/// The other apps of the company of `app`.
fn others(apps: &[&Instance], app: &Instance, budget: &Budget) -> Vec<OtherApp> {
    apps.iter()
        .filter(|other| other.corp_id == app.corp_id && !other.is_of_the_same_app(app))
        .map(|other| OtherApp { agent_id: other.agent_id.clone(), app: other.client.within(budget.clone()) })
        .collect()
}

/// The instances of an app.
#[derive(Debug, Clone, Default)]
pub struct Instances {
    by_name: BTreeMap<String, Arc<Instance>>,
    by_redirect_path: HashMap<String, Vec<Arc<Instance>>>,
}

impl Instances {
    /// Reads every instance of the Type. Broken ones are left out and returned as faults.
    pub fn read(app: &App, context: &ClientContext) -> (Self, Vec<Fault>) {
        let (mut instances, mut faults) = (Self::default(), Vec::new());
        for element in app.of_type(TYPE_NAME) {
            match Instance::read(element, context) {
                Ok(instance) => instances.add(Arc::new(instance)),
                Err(fault) => faults.push(fault),
            }
        }
        (instances, faults)
    }

    fn add(&mut self, instance: Arc<Instance>) {
        let path = instance.redirect_url.path().to_owned();
        self.by_redirect_path.entry(path).or_default().push(instance.clone());
        self.by_name.insert(instance.full_name.clone(), instance);
    }

    /// The instance of a full name.
    pub fn get(&self, full_name: &str) -> Option<&Arc<Instance>> {
        self.by_name.get(full_name)
    }

    /// All of them, by full name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Instance>> {
        self.by_name.values()
    }

    /// Each app once, as it looks at its company: of several instances of one app, the first that has the secret of
    /// contact sync, or the first. Their calls are patient ones, for work on a whole company.
    pub fn sources(&self) -> Vec<SyncSource> {
        self.sync_sources_within(&Budget::of_a_company())
    }

    /// The same with calls of another budget.
    pub fn sync_sources_within(&self, budget: &Budget) -> Vec<SyncSource> {
        let apps = self.apps();
        apps.iter().map(|app| app.source(budget.clone(), others(&apps, app, budget))).collect()
    }

    /// The app of an instance as it looks at its company.
    pub fn source_of(&self, instance: &Instance, budget: &Budget) -> SyncSource {
        instance.source(budget.clone(), others(&self.apps(), instance, budget))
    }

    /// One instance of each app: the first that has the secret of contact sync, or the first.
    fn apps(&self) -> Vec<&Instance> {
        let mut apps: BTreeMap<(&CorpId, &AgentId), &Instance> = BTreeMap::new();
        for instance in self.by_name.values() {
            let app = apps.entry((&instance.corp_id, &instance.agent_id)).or_insert(instance);
            if app.contact.is_none() && instance.contact.is_some() {
                *app = instance;
            }
        }
        apps.into_values().collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Those who are called so, by full name or by its last segment.
    pub fn called<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Arc<Instance>> {
        self.iter().filter(move |instance| instance.full_name == name || instance.short_name() == name)
    }

    /// The path of the instance's callbacks: under its last segment where no other instance has the same, else under its
    /// full name.
    pub fn callback_path(&self, instance: &Instance) -> String {
        let short = instance.short_name();
        let name = if self.called(short).nth(1).is_none() { short } else { instance.full_name() };
        format!("/wecom/callback/{name}")
    }

    /// Those whose redirect address has this path, on whichever host; the state tells which of them one is for.
    pub fn at_redirect_path(&self, path: &str) -> &[Arc<Instance>] {
        self.by_redirect_path.get(path).map_or(&[], Vec::as_slice)
    }
}

/// The instances of the app as it is now; an app that was read again brings others.
#[derive(Debug, Default)]
pub struct Registry(RwLock<Arc<Instances>>);

impl Registry {
    /// The current instances. A request uses the same ones throughout.
    pub fn now(&self) -> Arc<Instances> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts others in their place.
    pub fn replace(&self, instances: Instances) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(instances);
    }
}

fn redirect_url(config: &Config, text: &str) -> Result<Url, Fault> {
    let fault = |problem: &str| config.fault("redirectUri", problem);
    let url = Url::parse(text)
        .map_err(|_| fault("must be an absolute address such as https://login.example.com/auth/wecom"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault("must begin with https:// or http://"));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(fault("must have no user name and no #fragment"));
    }
    if url.query_pairs().any(|(key, _)| key == "code" || key == "state") {
        return Err(fault("must not hold code or state: WeCom adds them"));
    }
    Ok(url)
}

fn endpoints(config: &Config) -> Result<Endpoints, Fault> {
    type Set = fn(Endpoints, &str) -> Result<Endpoints, wecom::Error>;
    let bases: [(&str, Set); 3] = [
        ("apiBase", |endpoints, base| endpoints.with_api(base)),
        ("loginBase", |endpoints, base| endpoints.with_login(base)),
        ("oauthBase", |endpoints, base| endpoints.with_oauth(base)),
    ];
    bases.into_iter().try_fold(Endpoints::default(), |endpoints, (key, set)| match config.text(key)? {
        Some(base) => set(endpoints, base).map_err(|error| config.fault(key, error.to_string())),
        None => Ok(endpoints),
    })
}

fn transport(config: &Config, context: &ClientContext) -> Result<Transport, Fault> {
    match config.text("proxy")? {
        None => Ok(context.transport.clone()),
        Some(proxy) => {
            let mut builder = Transport::builder().proxy(Secret::new(proxy)).quota_of(&context.transport);
            if let Some(observer) = context.transport.observer() {
                builder = builder.observer(observer.clone());
            }
            builder.build().map_err(|error| config.fault("proxy", error.to_string()))
        }
    }
}

fn choice<T: Copy + Default>(config: &Config, key: &str, choices: &[(&str, T)]) -> Result<T, Fault> {
    let Some(text) = config.text(key)? else { return Ok(T::default()) };
    choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        config.fault(key, format!("must be one of {}", names.join(", ")))
    })
}

fn policy(config: &Config) -> Result<Policy, Fault> {
    let bind_by = [
        ("none", BindBy::None),
        ("userId", BindBy::UserId),
        ("mobile", BindBy::Mobile),
        ("bizMail", BindBy::BizMail),
    ];
    Ok(Policy {
        auto_register: config.flag("autoRegister")?.unwrap_or(true),
        bind_by: choice(config, "bindBy", &bind_by)?,
    })
}

fn fresh_for(config: &Config) -> Result<Duration, Fault> {
    let Some(text) = config.text("userFreshFor")? else { return Ok(DEFAULT_FRESH_FOR) };
    parse_duration(text).ok_or_else(|| config.fault("userFreshFor", format!("must be {DURATION_RULE}")))
}
