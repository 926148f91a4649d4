//! An opened server, and what it shows to the program around it. [`crate::start`] opens it, [`crate::run`] runs it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use wecom_login_directory::events::Events;
use wecom_login_directory::{AuthModel, Directory, Viewer};
use wecom_login_element::{App, Fault};
use wecom_login_sign_in::{Instance, Login, TYPE_NAME};

use crate::operations::reload::Reload;
use crate::settings::Settings;
use crate::state::AppState;

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
    pub(crate) app: AppState,
    pub(crate) reload: Arc<Reload>,
    pub(crate) faults: Vec<Fault>,
}

impl Server {
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
    pub fn app(&self) -> Arc<App> {
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

    /// Where GET /metrics is answered besides the main address.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.app.config.settings.operations.metrics_listen
    }
}
