//! The state of the server, in parts: a handler takes the parts that it needs (`State<Arc<Identity>>`), or all of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::extract::FromRef;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wecom_login_accounts::{Accounts, ApiKeys};
use wecom_login_directory::Directory;
use wecom_login_directory::events::Events;
use wecom_login_element::App;
use wecom_login_model::{Clock, Entropy};
use wecom_login_session::Sessions;
use wecom_login_sign_in::{BrowserNames, CallbackMode, Instance, Instances, Login};
use wecom_login_store::{Sealer, Store};

use crate::element_api::scripts::Scripts;
use crate::http::client_address::ProxyWarnings;
use crate::http::connections::Connections;
use crate::http::cookies::Cookies;
use crate::metrics::Metrics;
use crate::operations::audit_file::AuditFile;
use crate::operations::background::Background;
use crate::operations::counted_events::CountedEvents;
use crate::operations::readiness::Readiness;
use crate::routes::own_paths::OwnPaths;
use crate::settings::Settings;

/// The whole state; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct AppState {
    pub(crate) config: Arc<Config>,
    pub(crate) apps: Arc<Apps>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) organisation: Arc<Organisation>,
    pub(crate) operations: Arc<Operations>,
}

/// The part that does not change while the server runs.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) settings: Settings,
    pub(crate) own_paths: OwnPaths,
    pub(crate) cookies: Cookies,
    pub(crate) browser_names: BrowserNames,
    pub(crate) sealer: Sealer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// The last reading of the app folder.
#[derive(Debug)]
pub(crate) struct Apps(RwLock<Arc<LoadedApp>>);

/// Members, their sessions and accounts.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) login: Login,
    pub(crate) sessions: Sessions,
    pub(crate) accounts: Accounts,
    pub(crate) api_keys: ApiKeys,
}

/// The local copy of the organisation.
#[derive(Debug)]
pub(crate) struct Organisation {
    pub(crate) directory: Directory,
    pub(crate) events: Events,
    /// How long a callback that cannot be stored stays without an answer.
    pub(crate) silence: Duration,
}

/// The operation of the server: storage, metrics, health and background work.
#[derive(Debug)]
pub(crate) struct Operations {
    pub(crate) store: Store,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) connections: Connections,
    pub(crate) proxy_warnings: ProxyWarnings,
    pub(crate) audit_file: Option<AuditFile>,
    pub(crate) counted_events: CountedEvents,
    pub(crate) readiness: Readiness,
    pub(crate) stopping: CancellationToken,
    pub(crate) background: Background,
    /// The places of the companies that are synced at once.
    pub(crate) syncs: Arc<Semaphore>,
}

macro_rules! parts {
    ($($field:ident: $part:ty),+ $(,)?) => {$(
        impl FromRef<AppState> for Arc<$part> {
            fn from_ref(app: &AppState) -> Self {
                app.$field.clone()
            }
        }
    )+};
}

parts! {
    config: Config,
    apps: Apps,
    identity: Identity,
    organisation: Organisation,
    operations: Operations,
}

/// One reading of the app folder. A request uses the same reading throughout.
#[derive(Debug)]
pub(crate) struct LoadedApp {
    pub(crate) app: Arc<App>,
    pub(crate) instances: Arc<Instances>,
    /// For each instance whose sign-in in the browser is off: full name and reason.
    pub(crate) browser_off: HashMap<String, String>,
    pub(crate) scripts: Scripts,
}

impl Apps {
    pub(crate) fn new(loaded: LoadedApp) -> Self {
        Self(RwLock::new(Arc::new(loaded)))
    }

    /// The last reading.
    pub(crate) fn loaded(&self) -> Arc<LoadedApp> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves another reading from then on.
    pub(crate) fn replace(&self, loaded: LoadedApp) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
    }
}

impl LoadedApp {
    /// The number of companies that the instances serve.
    pub(crate) fn companies(&self) -> usize {
        self.instances.iter().map(|instance| instance.corp_id()).collect::<HashSet<_>>().len()
    }

    pub(crate) fn new(
        app: Arc<App>,
        instances: Arc<Instances>,
        settings: &Settings,
        own_paths: &OwnPaths,
    ) -> Self {
        let off = |instance: &Arc<Instance>| {
            Some((instance.full_name().to_owned(), browser_off(instance, settings, own_paths)?))
        };
        let browser_off = instances.iter().filter_map(off).collect();
        let scripts = Scripts::new(&app, settings);
        Self { app, instances, browser_off, scripts }
    }

    /// The instances whose redirectUri is at this server and has the path.
    pub(crate) fn redirected_to(&self, path: &str, settings: &Settings) -> Vec<&Arc<Instance>> {
        let is_ours = |instance: &&Arc<Instance>| {
            instance.redirect_url().origin() == settings.public_url.origin()
                && !self.browser_off.contains_key(instance.full_name())
        };
        self.instances.at_redirect_path(path).iter().filter(is_ours).collect()
    }
}

/// Why the instance's sign-in in the browser is off, if nothing would receive its redirect.
fn browser_off(instance: &Instance, settings: &Settings, own_paths: &OwnPaths) -> Option<String> {
    let redirect = instance.redirect_url();
    if redirect.origin() != settings.public_url.origin() {
        // With callback = page, the app's own page at that address receives the redirect.
        return (instance.callback() == CallbackMode::Server).then(|| {
            format!(
                "redirectUri is at {}, public_url is {}",
                redirect.origin().ascii_serialization(),
                settings.public_url.origin().ascii_serialization()
            )
        });
    }
    let own = own_paths.at(redirect.path())?;
    Some(format!("redirectUri has the path {}; {own} belongs to this server", redirect.path()))
}
