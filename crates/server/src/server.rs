use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wecom::{Budget, Transport};
use wecom_login_accounts::{Accounts, ApiKeys};
use wecom_login_directory::events::Events;
use wecom_login_directory::{AuthModel, Directory, Viewer};
use wecom_login_element::{Environment, Fault, OpenError, Watch};
use wecom_login_model::{Clock, Entropy, Secret, SystemClock, SystemEntropy};
use wecom_login_session::Sessions;
use wecom_login_sign_in::{
    FRAMEWORK, Instance, Login, QywxInnerType, Registry, TYPE_NAME, Wiring, framework,
};
use wecom_login_store::{SealError, SealKey, Sealer, Store};

use crate::http::connections::Connections;
use crate::http::cookies::Cookies;
use crate::http::rate_limits::Limits;
use crate::metrics::{CountingSink, Metrics};
use crate::operations::audit_file::{AuditFile, AuditLines};
use crate::operations::background::Background;
use crate::operations::event_apps::ConfiguredApps;
use crate::operations::janitor;
use crate::operations::readiness::Readiness;
use crate::operations::reload::Reload;
use crate::operations::shared_tokens::SharedTokens;
use crate::operations::workers::Workers;
use crate::routes::{router, table};
use crate::settings::{AuditLog, KeyError, Settings, StorageError, key_in};
use crate::state::{AppState, Apps, Config, Identity, Operations, Organisation};

/// Requests and sign-ins under way get this long when the server is told to stop; a sign-in's budget is half of it.
const GRACE: Duration = Duration::from_secs(10);
/// A database that is still at a statement when all this is over is left: what is not committed is undone.
const CLOSING: Duration = Duration::from_secs(2);
/// Whoever reads the metrics needs few connections, and must not take more.
const METRICS_CONNECTIONS: usize = 16;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The app folder cannot be read.
    #[error("{setting}: {source}")]
    App {
        /// The setting, with the place where it is set.
        setting: String,
        /// Why.
        source: OpenError,
    },
    /// The database does not open.
    #[error("{setting}: {source}")]
    Storage {
        /// The setting, with the place where it is set.
        setting: String,
        /// Why.
        source: StorageError,
    },
    /// A statement failed.
    #[error("{0}")]
    Store(#[from] wecom_login_store::Error),
    /// The audit file cannot be opened.
    #[error("{setting}: {path}: {source}")]
    Audit {
        /// The setting, with the place where it is set.
        setting: String,
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The key in the data folder cannot be used.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// The key cannot seal.
    #[error("{0}")]
    Seal(#[from] SealError),
    /// The HTTP client cannot be made.
    #[error("{0}")]
    WeCom(#[from] wecom::Error),
}

/// What the server takes from the world around it; tests give other ones.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// What one sign-in may cost of WeCom's time.
    pub sign_in_budget: Budget,
    /// A callback that cannot be taken stays without an answer for so long: longer than the 5 seconds after which WeCom
    /// hangs up and sends it again (WeCom 90930).
    pub silence: Duration,
    /// What stands in for `{{NAME}}` in configurations.
    pub variables: Vec<(String, Secret)>,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            sign_in_budget: Budget::sign_in(),
            silence: Duration::from_secs(6),
            variables: process_variables().collect(),
        }
    }
}

/// Looks at the files of a server's app.
#[derive(Debug, Clone)]
pub struct FileWatch {
    reload: Arc<Reload>,
    app: AppState,
}

impl FileWatch {
    /// Looks now: an app that has changed is served from here on. Waits for the disk.
    pub fn look(&self) {
        self.reload.look(&self.app);
    }
}

/// A server that has read its app and opened its database. Clones are the same server.
#[derive(Debug, Clone)]
pub struct Server {
    app: AppState,
    reload: Arc<Reload>,
    faults: Vec<Fault>,
}

impl Server {
    /// Reads the app, opens (or makes) the database in the data folder. Broken elements do not stop it; see
    /// [`Server::faults`].
    pub async fn open(settings: Settings, surroundings: Surroundings) -> Result<Self, StartError> {
        Self::open_with(settings, surroundings, |environment| environment).await
    }

    /// The same with Types of the caller's own: `register` adds them to the environment.
    ///
    /// See `docs/elements.md` for an example.
    pub async fn open_with(
        settings: Settings,
        surroundings: Surroundings,
        register: impl FnOnce(Environment) -> Environment,
    ) -> Result<Self, StartError> {
        // Before the data folder is made: a mistyped app folder should leave nothing behind.
        if let Err(source) = std::fs::read_dir(&settings.folders.app) {
            let setting = settings.naming("app");
            return Err(StartError::App {
                setting,
                source: OpenError::Unreadable { path: settings.folders.app, source },
            });
        }
        let store = open_values(&settings, open_database(&settings).await?).await?;
        let audit_file = audit_file(&settings)?;
        let key = match &settings.storage.key {
            Some(key) => key.clone(),
            None => key_in(&settings.folders.data, &surroundings.entropy)?,
        };
        Self::open_on(store, &key, audit_file, settings, surroundings, register)
    }

    /// A server that keeps nothing, to see what is wrong with its app.
    pub(crate) async fn open_in_memory(
        settings: Settings,
        register: impl FnOnce(Environment) -> Environment,
    ) -> Result<Self, StartError> {
        let surroundings = Surroundings::default();
        let store = Store::open_sqlite(Path::new(":memory:")).await?;
        let key = SealKey::generate(&surroundings.entropy);
        Self::open_on(store, &key, None, settings, surroundings, register)
    }

    fn open_on(
        store: Store,
        key: &SealKey,
        audit_file: Option<AuditFile>,
        settings: Settings,
        surroundings: Surroundings,
        register: impl FnOnce(Environment) -> Environment,
    ) -> Result<Self, StartError> {
        let Surroundings { clock, entropy, sign_in_budget, silence, variables } = surroundings;
        let sealer = Sealer::new(key, entropy.clone())?;
        let metrics = Arc::new(Metrics::new());
        let sink = CountingSink { metrics: metrics.clone(), file: audit_file.clone() };
        let store = store.with_audit_sink(Arc::new(sink));
        let wiring = Wiring {
            clock: clock.clone(),
            entropy: entropy.clone(),
            tokens: Arc::new(SharedTokens::new(store.key_value(), sealer.clone(), clock.clone())),
            transport: Transport::builder().observer(metrics.clone()).build()?,
        };
        let sessions =
            Sessions::new(store.clone(), clock.clone(), entropy.clone(), settings.sessions.lifetimes());
        let accounts = Accounts::new(store.clone(), clock.clone(), settings.administrators.admins.clone());
        let login =
            Login::new(&store, sessions.clone(), sealer, clock.clone(), entropy.clone(), sign_in_budget)
                .with_accounts(accounts.clone());
        let registry = Arc::new(Registry::default());
        let ours = QywxInnerType::new(login.clone(), registry.clone(), wiring.clone());
        let mut environment =
            Environment::new(framework()).variables(variables).with_type(FRAMEWORK, TYPE_NAME, ours);
        for folder in &settings.folders.app_path {
            environment = environment.app_path(folder);
        }
        let watch = Watch::open(&settings.folders.app, &register(environment))
            .map_err(|source| StartError::App { setting: settings.naming("app"), source })?;
        let apps =
            ConfiguredApps { instances: registry.clone(), sync_every: settings.organisation.sync_every.0 };
        let reload = Arc::new(Reload::new(watch, registry, wiring));
        let own_paths = table::own_paths();
        let (loaded, faults) = reload.first(&settings, &own_paths);

        let directory = Directory::new(store.clone(), clock.clone());
        let identity = Identity {
            login,
            sessions,
            accounts,
            api_keys: ApiKeys::new(store.clone(), clock.clone(), entropy.clone()),
            limits: Limits::new(store.key_value(), settings.spare_loopback),
        };
        let organisation =
            Organisation { events: Events::new(directory.clone(), Arc::new(apps)), directory, silence };
        let operations = Operations {
            store,
            metrics,
            connections: Connections::at_most(
                usize::try_from(settings.network.max_connections).unwrap_or(usize::MAX),
            ),
            audit_file,
            readiness: Readiness::default(),
            stopping: CancellationToken::new(),
            background: Background::default(),
        };
        let cookies = Cookies::new(settings.is_https());
        let app = AppState {
            config: Arc::new(Config { settings, own_paths, cookies, clock, entropy }),
            apps: Arc::new(Apps::new(loaded)),
            identity: Arc::new(identity),
            organisation: Arc::new(organisation),
            operations: Arc::new(operations),
        };
        Ok(Self { app, reload, faults })
    }

    /// What the operator decided.
    pub fn settings(&self) -> &Settings {
        &self.app.config.settings
    }

    /// What is wrong with elements, each naming element, file and key.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Why the sign-in in the browser is off, for each instance where it is: full name and reason.
    pub fn browser_off(&self) -> Vec<(String, String)> {
        let loaded = self.app.apps.loaded();
        loaded.browser_off.iter().map(|(name, reason)| (name.clone(), reason.clone())).collect()
    }

    /// The full names of the instances that work.
    pub fn instances(&self) -> Vec<String> {
        self.app.apps.loaded().instances.iter().map(|instance| instance.full_name().to_owned()).collect()
    }

    /// The app as it is served now.
    pub fn app(&self) -> Arc<wecom_login_element::App> {
        self.app.apps.loaded().app.clone()
    }

    /// `QywxInnerAuthModel`: of an instance's company by the instance's full name (`<instance>` or
    /// `<instance>.QywxInnerAuthModel`), or of every company by the Type's
    /// (`auths.loginTypes.QywxInnerType.QywxInnerAuthModel`).
    pub fn auth_model(&self, full_name: &str) -> Option<AuthModel> {
        let owner = full_name.strip_suffix(".QywxInnerAuthModel");
        if owner == Some(TYPE_NAME) {
            return Some(self.app.organisation.directory.auth_model_of_every_company());
        }
        let instance = self.instance(owner.unwrap_or(full_name))?;
        Some(self.app.organisation.directory.auth_model(instance.corp_id().clone()))
    }

    /// The sign-in, for callers of the library.
    pub fn login(&self) -> &Login {
        &self.app.identity.login
    }

    /// The instance of a full name.
    pub fn instance(&self, full_name: &str) -> Option<Arc<Instance>> {
        self.app.apps.loaded().instances.get(full_name).cloned()
    }

    /// For looking at the app's files at once, as [`Server::run`] does every two seconds.
    pub fn file_watch(&self) -> FileWatch {
        FileWatch { reload: self.reload.clone(), app: self.app.clone() }
    }

    /// Reads the departments' names of every instance from WeCom, one call each. What fails is logged: names are not
    /// worth a start that fails.
    pub async fn read_departments(&self) {
        read_departments(&self.app).await;
    }

    /// The same in the background: a start does not wait for WeCom.
    pub fn spawn_reading_of_departments(&self) {
        let app = self.app.clone();
        tokio::spawn(async move { read_departments(&app).await });
    }

    /// The apps that are configured, each once, as they look at their companies.
    pub fn viewers(&self) -> Vec<Viewer> {
        self.app.apps.loaded().instances.viewers()
    }

    /// The local copy of the organisation.
    pub fn directory(&self) -> &Directory {
        &self.app.organisation.directory
    }

    /// How often the schedule of the settings synchronises, if at all.
    pub fn sync_every(&self) -> Option<Duration> {
        self.app.config.settings.organisation.sync_every.0
    }

    /// The contact events that WeCom sends.
    pub fn events(&self) -> &Events {
        &self.app.organisation.events
    }

    /// Follows the app's files, works on contact events and deletes what has expired, until it is dropped;
    /// [`Server::run`] does it by itself.
    pub async fn upkeep(&self) {
        let mut workers = Workers::begin(&self.app, self.reload.clone());
        while workers.broken().await.is_some() {}
    }

    /// Where GET /metrics is answered besides the main address.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.app.config.settings.operations.metrics_listen
    }

    /// Deletes now what is older than the settings keep it, as [`Server::run`] does every minute, unless another replica
    /// has done so within the minute.
    pub async fn tidy(&self) -> Result<(), StartError> {
        Ok(janitor::round(&self.app).await?)
    }

    /// Opens the audit file anew, after it was rotated. Without this it is noticed with the next line.
    pub fn reopen_audit_log(&self) {
        if let Some(file) = &self.app.operations.audit_file {
            file.reopen();
        }
    }

    /// Waits until the audit file has all that was done, two seconds at most.
    pub async fn flush_audit_log(&self) {
        let Some(file) = self.app.operations.audit_file.clone() else { return };
        if !tokio::task::spawn_blocking(move || file.flush()).await.unwrap_or_default() {
            tracing::warn!("the audit file lacks its last events; they are in the table audit_events");
        }
    }

    /// Closes the database, once the calls under way are done or two seconds have passed, and writes what is left of the
    /// audit log. What is called afterwards fails.
    pub async fn close(&self) {
        if tokio::time::timeout(CLOSING, self.app.operations.store.close()).await.is_err() {
            tracing::warn!("the database is still at work; what is not committed is undone");
        }
        // What the last transactions did is told to the file when they are committed.
        self.flush_audit_log().await;
    }

    /// Answers requests until `stop` comes, does what [`Server::upkeep`] does and synchronises on the schedule of the
    /// settings. From the stop on /readyz says that it is over, while requests are still taken for `shutdown_delay`, so
    /// that whoever spreads them can look elsewhere; then nobody new is let in, and what is under way gets ten seconds:
    /// requests, sign-ins whose browser has gone away, imports, and workers, which stop between two items. A sync is left
    /// where it is, for the next one to go on from.
    ///
    /// When a worker breaks off it stops as well, and fails: whoever watches over the process starts it again.
    pub async fn run(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let app = &self.app;
        let aside = match app.config.settings.operations.metrics_listen {
            Some(address) => {
                Some(listen_for_metrics(address, &app.config.settings.naming("metrics_listen")).await?)
            }
            None => None,
        };
        let mut workers = Workers::begin(app, self.reload.clone()).with_schedule();
        let (broken, break_off) = (OnceLock::new(), CancellationToken::new());
        let watched = async {
            while let Some(worker) = workers.broken().await {
                let _ = broken.set(worker);
                break_off.cancel();
            }
        };
        let closing = CancellationToken::new();
        let order = async {
            tokio::select! {
                () = stop => {}
                () = break_off.cancelled() => {}
            }
            app.operations.stopping.cancel();
            tokio::time::sleep(app.config.settings.operations.shutdown_delay).await;
            closing.cancel();
        };
        let aside = async {
            if let Some(listener) = aside {
                // A key is asked for wherever others than this machine can ask.
                let open = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
                let router = router::metrics(app, open);
                Connections::at_most(METRICS_CONNECTIONS).serve(listener, router, &closing).await;
            }
        };
        let finished = async {
            let answering = async {
                tokio::join!(
                    order,
                    app.operations.connections.serve(listener, router::main(app), &closing),
                    aside
                );
                tokio::join!(app.identity.login.finished(), app.operations.background.finished());
            };
            tokio::join!(answering, watched);
        };
        let too_late = async {
            closing.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = finished => {}
            () = too_late => tracing::warn!("what was still under way after ten seconds was cut off"),
        }
        drop(workers);
        self.close().await;
        match broken.get() {
            None => Ok(()),
            Some(worker) => {
                Err(std::io::Error::other(format!("a worker broke off: {worker}; the log says why")))
            }
        }
    }
}

async fn listen_for_metrics(address: SocketAddr, setting: &str) -> std::io::Result<TcpListener> {
    let named = |error: std::io::Error| {
        std::io::Error::new(error.kind(), format!("{setting}: cannot listen on {address}: {error}"))
    };
    TcpListener::bind(address).await.map_err(named)
}

fn audit_file(settings: &Settings) -> Result<Option<AuditFile>, StartError> {
    let Some(log) = &settings.operations.audit_log else { return Ok(None) };
    let setting = settings.naming("audit_log");
    let failed = |source| StartError::Audit { setting, path: log.to_string(), source };
    AuditFile::open(log).map(Some).map_err(failed)
}

async fn open_database(settings: &Settings) -> Result<Store, StartError> {
    let setting = settings.naming(if settings.storage.database.is_some() { "database" } else { "data" });
    let opened = settings.storage.database(&settings.folders.data).await;
    opened.map_err(|source| StartError::Storage { setting, source })
}

async fn open_values(settings: &Settings, store: Store) -> Result<Store, StartError> {
    let setting = settings.naming("redis");
    settings.storage.with_values(store).await.map_err(|source| StartError::Storage { setting, source })
}

/// Opens the database (made in the data folder if it is that one) for a command beside the server. What the command does is audited like
/// what the server does; an audit file that cannot be opened is told and keeps no command from its work.
pub async fn open_store(settings: &Settings) -> Result<Store, StartError> {
    let store = open_database(settings).await?;
    // Standard output is the command's own.
    let Some(AuditLog::File(path)) = &settings.operations.audit_log else { return Ok(store) };
    Ok(match AuditLines::open(path) {
        Ok(lines) => store.with_audit_sink(Arc::new(lines)),
        Err(error) => {
            let path = path.display();
            let setting = settings.naming("audit_log");
            tracing::warn!("{setting}: {path}: {error}; what this command does is in the audit table alone");
            store
        }
    })
}

/// True when the database has been made, or is a server.
pub fn has_database(settings: &Settings) -> bool {
    settings.storage.exists(&settings.folders.data)
}

/// The process's environment. What is not UTF-8 is passed over.
fn process_variables() -> impl Iterator<Item = (String, Secret)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?.into())))
}

async fn read_departments(app: &AppState) {
    for instance in app.apps.loaded().instances.iter() {
        let calls = instance.client().within(Budget::sign_in());
        match app.organisation.directory.read_departments(&calls, instance.corp_id()).await {
            Ok(count) => tracing::info!(instance = instance.full_name(), count, "departments read"),
            Err(error) => tracing::warn!(
                instance = instance.full_name(),
                %error,
                "departments could not be read; sign-ins work, names of departments are missing"
            ),
        }
    }
}
