//! What all handlers share.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use wecom_login_accounts::{Accounts, ApiKeys};
use wecom_login_directory::Directory;
use wecom_login_directory::events::Events;
use wecom_login_element::App;
use wecom_login_login::{CallbackMode, Instance, Instances, Login};
use wecom_login_model::{Clock, Entropy};
use wecom_login_session::Sessions;
use wecom_login_store::Store;

use crate::audit_file::AuditFile;
use crate::background::Background;
use crate::client_script::Scripts;
use crate::connections::Connections;
use crate::cookies::Cookies;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::ready::Readiness;
use crate::routes;
use crate::settings::Settings;
use crate::stopping::Stopping;

#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) settings: Settings,
    pub(crate) served: RwLock<Arc<Served>>,
    pub(crate) login: Login,
    pub(crate) sessions: Sessions,
    pub(crate) accounts: Accounts,
    pub(crate) api_keys: ApiKeys,
    pub(crate) events: Events,
    /// A callback that cannot be taken stays without an answer for so long.
    pub(crate) silence: Duration,
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) limits: Limits,
    pub(crate) cookies: Cookies,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) connections: Connections,
    pub(crate) audit_file: Option<AuditFile>,
    pub(crate) readiness: Readiness,
    pub(crate) stopping: Stopping,
    pub(crate) background: Background,
}

/// The app as it is served now. A request that began with one ends with it.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) app: Arc<App>,
    pub(crate) instances: Arc<Instances>,
    /// Why an instance's sign-in in the browser is off, by full name.
    pub(crate) browser_off: HashMap<String, String>,
    pub(crate) scripts: Scripts,
}

impl Served {
    pub(crate) fn new(app: Arc<App>, instances: Arc<Instances>, settings: &Settings) -> Self {
        let off = |instance: &Arc<Instance>| {
            Some((instance.full_name().to_owned(), browser_off(instance, settings)?))
        };
        let browser_off = instances.iter().filter_map(off).collect();
        let scripts = Scripts::new(&app, settings);
        Self { app, instances, browser_off, scripts }
    }
}

impl Served {
    /// The instances whose redirects come to this server at a path.
    pub(crate) fn redirected_to(&self, path: &str, settings: &Settings) -> Vec<&Arc<Instance>> {
        let is_ours = |instance: &&Arc<Instance>| {
            instance.redirect_url().origin() == settings.public_url.origin()
                && !self.browser_off.contains_key(instance.full_name())
        };
        self.instances.at_redirect_path(path).iter().filter(is_ours).collect()
    }
}

impl Site {
    pub(crate) fn served(&self) -> Arc<Served> {
        self.served.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn serve(&self, served: Served) {
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(served);
    }
}

/// Why the instance cannot be signed in to through a browser, if so: its redirect would come where nobody takes it.
fn browser_off(instance: &Instance, settings: &Settings) -> Option<String> {
    let redirect = instance.redirect_url();
    if redirect.origin() != settings.public_url.origin() {
        // A page of the app's own takes it there, with the client.
        return (instance.callback() == CallbackMode::Server).then(|| {
            format!(
                "redirectUri is at {}, public_url is {}",
                redirect.origin().ascii_serialization(),
                settings.public_url.origin().ascii_serialization()
            )
        });
    }
    routes::is_ours(redirect.path())
        .then(|| format!("redirectUri has the path {}, which is our own", redirect.path()))
}
