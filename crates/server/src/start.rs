//! The start of the server: reads the app folder, opens the database and builds the state.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wecom::{Budget, Transport};
use wecom_login_accounts::{Accounts, ApiKeys};
use wecom_login_directory::events::Events;
use wecom_login_directory::{COMPANIES_AT_ONCE, Directory};
use wecom_login_element::{Environment, OpenError, Watch};
use wecom_login_model::{Clock, Entropy, Secret, SystemClock, SystemEntropy, Timestamp};
use wecom_login_session::Sessions;
use wecom_login_sign_in::{
    BrowserNames, ClientContext, FRAMEWORK, Login, QywxInnerType, Registry, TYPE_NAME, framework,
};
use wecom_login_store::{SealError, SealKey, Sealer, Store};

use crate::http::client_address::ProxyWarnings;
use crate::http::connections::Connections;
use crate::http::cookies::Cookies;
use crate::metrics::{CountingSink, Metrics};
use crate::operations::audit_file::{AuditFile, AuditLines};
use crate::operations::background::Background;
use crate::operations::counted_events::CountedEvents;
use crate::operations::event_apps::ConfiguredApps;
use crate::operations::readiness::Readiness;
use crate::operations::reload::Reload;
use crate::operations::shared_quota::SharedQuota;
use crate::operations::shared_tokens::SharedTokens;
use crate::routes::table;
use crate::server::Server;
use crate::settings::{AuditLog, KeyError, Settings, StorageError, key_in};
use crate::state::{AppState, Apps, Config, Identity, Operations, Organisation};

/// Why the server cannot start.
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

/// The external dependencies of the server. Tests replace them.
#[derive(Debug, Clone)]
pub struct Dependencies {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The time budget of one sign-in's calls to WeCom.
    pub sign_in_budget: Budget,
    /// How long a callback that cannot be stored stays without an answer: longer than the 5 seconds after which WeCom closes
    /// the connection and sends it again (WeCom 90930).
    pub silence: Duration,
    /// The values of `{{NAME}}` in configurations.
    pub variables: Vec<(String, Secret)>,
}

impl Default for Dependencies {
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

impl Server {
    /// Reads the app, and opens or creates the database in the data folder. Broken elements do not fail the start; see
    /// [`Server::faults`].
    pub async fn open(settings: Settings, dependencies: Dependencies) -> Result<Self, StartError> {
        Self::open_with(settings, dependencies, |environment| environment).await
    }

    /// Does the same with the caller's own Types: `register` adds them to the environment.
    ///
    /// See `docs/elements.md` for an example.
    pub async fn open_with(
        settings: Settings,
        dependencies: Dependencies,
        register: impl FnOnce(Environment) -> Environment,
    ) -> Result<Self, StartError> {
        // Checked before the data folder is created, so that a mistyped app folder leaves nothing behind.
        if let Err(source) = std::fs::read_dir(&settings.folders.app) {
            let setting = settings.naming("app");
            return Err(StartError::App {
                setting,
                source: OpenError::Unreadable { path: settings.folders.app, source },
            });
        }
        let store = open_values(&settings, open_database(&settings).await?, dependencies.clock.now()).await?;
        let audit_file = audit_file(&settings)?;
        let key = match &settings.storage.key {
            Some(key) => key.clone(),
            None => key_in(&settings.folders.data, &dependencies.entropy)?,
        };
        let server = Self::open_on(store, &key, audit_file, settings, dependencies, register)?;
        server.record_apps().await?;
        server.app.identity.accounts.hold_administrators().await?;
        Ok(server)
    }

    /// Records which apps are configured: a member has not left before each of them has been asked.
    async fn record_apps(&self) -> Result<(), wecom_login_store::Error> {
        let store = &self.app.operations.store;
        for instance in self.app.apps.loaded().instances.iter() {
            store.add_apps(instance.corp_id(), std::slice::from_ref(instance.agent_id())).await?;
            store.name_apps_of_sessions(instance.full_name(), instance.agent_id()).await?;
        }
        Ok(())
    }

    /// Opens a server on a database in memory, to find the faults of its app.
    pub(crate) async fn open_in_memory(
        settings: Settings,
        register: impl FnOnce(Environment) -> Environment,
    ) -> Result<Self, StartError> {
        let dependencies = Dependencies::default();
        let store = Store::open_sqlite(Path::new(":memory:")).await?;
        let key = SealKey::generate(&dependencies.entropy);
        Self::open_on(store, &key, None, settings, dependencies, register)
    }

    fn open_on(
        store: Store,
        key: &SealKey,
        audit_file: Option<AuditFile>,
        settings: Settings,
        dependencies: Dependencies,
        register: impl FnOnce(Environment) -> Environment,
    ) -> Result<Self, StartError> {
        let Dependencies { clock, entropy, sign_in_budget, silence, variables } = dependencies;
        let sealer = Sealer::new(key, entropy.clone())?;
        let metrics = Arc::new(Metrics::new());
        let sink = CountingSink { metrics: metrics.clone(), file: audit_file.clone() };
        let store = store.with_audit_sink(Arc::new(sink));
        let context = ClientContext {
            clock: clock.clone(),
            entropy: entropy.clone(),
            tokens: Arc::new(SharedTokens::new(store.key_value(), sealer.clone(), clock.clone())),
            transport: Transport::builder()
                .observer(metrics.clone())
                .quota_store(Arc::new(SharedQuota::new(store.key_value(), clock.clone())))
                .build()?,
        };
        let sessions =
            Sessions::new(store.clone(), clock.clone(), entropy.clone(), settings.sessions.lifetimes());
        let accounts = Accounts::new(store.clone(), clock.clone(), settings.administrators.admins.clone())
            .with_rehire(settings.accounts.rehire);
        let login = Login::new(
            &store,
            sessions.clone(),
            sealer.clone(),
            clock.clone(),
            entropy.clone(),
            sign_in_budget,
        )
        .with_accounts(accounts.clone());
        let registry = Arc::new(Registry::default());
        let ours = QywxInnerType::new(login.clone(), registry.clone(), context.clone());
        let mut environment =
            Environment::new(framework()).variables(variables).with_type(FRAMEWORK, TYPE_NAME, ours);
        for folder in &settings.folders.app_path {
            environment = environment.app_path(folder);
        }
        let watch = Watch::open(&settings.folders.app, &register(environment))
            .map_err(|source| StartError::App { setting: settings.naming("app"), source })?;
        let apps =
            ConfiguredApps { instances: registry.clone(), sync_every: settings.organisation.sync_every.0 };
        let reload = Arc::new(Reload::new(watch, registry, context));
        let own_paths = table::own_paths();
        let (loaded, faults) = reload.first(&settings, &own_paths);

        let directory = Directory::new(store.clone(), clock.clone());
        let identity = Identity {
            login,
            sessions,
            accounts,
            api_keys: ApiKeys::new(store.clone(), clock.clone(), entropy.clone()),
        };
        let organisation =
            Organisation { events: Events::new(directory.clone(), Arc::new(apps)), directory, silence };
        let operations = Operations {
            store,
            metrics,
            connections: Connections::at_most(
                usize::try_from(settings.network.max_connections).unwrap_or(usize::MAX),
            ),
            proxy_warnings: ProxyWarnings::new(),
            audit_file,
            counted_events: CountedEvents::default(),
            readiness: Readiness::default(),
            stopping: CancellationToken::new(),
            background: Background::default(),
            syncs: Arc::new(Semaphore::new(COMPANIES_AT_ONCE)),
        };
        let (cookies, browser_names) = (Cookies::new(settings.is_https()), BrowserNames::new(sealer.clone()));
        let app = AppState {
            config: Arc::new(Config { settings, own_paths, cookies, browser_names, sealer, clock, entropy }),
            apps: Arc::new(Apps::new(loaded)),
            identity: Arc::new(identity),
            organisation: Arc::new(organisation),
            operations: Arc::new(operations),
        };
        Ok(Self { app, reload, faults })
    }
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

async fn open_values(settings: &Settings, store: Store, now: Timestamp) -> Result<Store, StartError> {
    let setting = settings.naming("redis");
    let opened = async {
        let store = settings.storage.with_values(store).await?;
        store.key_value().begin_epoch(now).await?;
        Ok(store)
    };
    opened.await.map_err(|source| StartError::Storage { setting, source })
}

/// Opens the database for a command; SQLite's is created if it does not exist. The command's actions are audited like the
/// server's. If the audit file cannot be opened, a warning is logged and the command continues.
pub async fn open_store(settings: &Settings) -> Result<Store, StartError> {
    let store = open_database(settings).await?;
    // Standard output is for the command's own output.
    let Some(AuditLog::File(path)) = &settings.operations.audit_log else { return Ok(store) };
    Ok(match AuditLines::open(path) {
        Ok(lines) => store.with_audit_sink(Arc::new(lines)),
        Err(error) => {
            let path = path.display();
            let setting = settings.naming("audit_log");
            tracing::warn!(
                "{setting}: {path}: {error}; the actions of this command are only in the table audit_events"
            );
            store
        }
    })
}

/// True if the database exists, or is a server.
pub fn has_database(settings: &Settings) -> bool {
    settings.storage.exists(&settings.folders.data)
}

/// The environment variables of the process. Variables that are not UTF-8 are skipped.
fn process_variables() -> impl Iterator<Item = (String, Secret)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?.into())))
}
