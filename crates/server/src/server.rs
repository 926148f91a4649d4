//! An opened server and its public interface for the program. [`crate::start`] opens it, [`crate::run`] runs it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use wecom_login_directory::events::Events;
use wecom_login_directory::{AuthModel, Directory, SyncSource};
use wecom_login_element::{App, Fault};
use wecom_login_sign_in::{Instance, Instances, Login, TYPE_NAME};

use crate::operations::reload::Reload;
use crate::settings::Settings;
use crate::state::AppState;

/// Checks the files of a server's app for changes.
#[derive(Debug, Clone)]
pub struct FileWatch {
    reload: Arc<Reload>,
    app: AppState,
}

impl FileWatch {
    /// Checks the files now; if the app has changed, the new reading is served from then on. Blocks on the disk.
    pub fn look(&self) {
        self.reload.look(&self.app);
    }
}

/// A server that has read its app and opened its database. Clones share the server.
#[derive(Debug, Clone)]
pub struct Server {
    pub(crate) app: AppState,
    pub(crate) reload: Arc<Reload>,
    pub(crate) faults: Vec<Fault>,
}

impl Server {
    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.app.config.settings
    }

    /// The faults of elements at the start; each names element, file and key.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// For each instance whose sign-in in the browser is off: full name and reason.
    pub fn browser_off(&self) -> Vec<(String, String)> {
        let loaded = self.app.apps.loaded();
        loaded.browser_off.iter().map(|(name, reason)| (name.clone(), reason.clone())).collect()
    }

    /// The full names of the instances that work.
    pub fn instances(&self) -> Vec<String> {
        self.app.apps.loaded().instances.iter().map(|instance| instance.full_name().to_owned()).collect()
    }

    /// The instances that work, as they were last read.
    pub fn loaded_instances(&self) -> Arc<Instances> {
        self.app.apps.loaded().instances.clone()
    }

    /// The app that is served now.
    pub fn app(&self) -> Arc<App> {
        self.app.apps.loaded().app.clone()
    }

    /// `QywxInnerAuthModel`. With an instance's full name (`<instance>` or `<instance>.QywxInnerAuthModel`) it covers the
    /// instance's company, with the Type's (`auths.loginTypes.QywxInnerType.QywxInnerAuthModel`) every company.
    pub fn auth_model(&self, full_name: &str) -> Option<AuthModel> {
        let owner = full_name.strip_suffix(".QywxInnerAuthModel");
        if owner == Some(TYPE_NAME) {
            return Some(self.app.organisation.directory.auth_model_of_every_company());
        }
        let instance = self.instance(owner.unwrap_or(full_name))?;
        Some(
            self.app
                .organisation
                .directory
                .auth_model(instance.corp_id().clone(), instance.agent_id().clone()),
        )
    }

    /// The sign-in, for library callers.
    pub fn login(&self) -> &Login {
        &self.app.identity.login
    }

    /// The instance with a full name.
    pub fn instance(&self, full_name: &str) -> Option<Arc<Instance>> {
        self.app.apps.loaded().instances.get(full_name).cloned()
    }

    /// A handle for checking the app's files immediately, as [`Server::run`] does every two seconds.
    pub fn file_watch(&self) -> FileWatch {
        FileWatch { reload: self.reload.clone(), app: self.app.clone() }
    }

    /// The configured apps as sync sources, each app once.
    pub fn sources(&self) -> Vec<SyncSource> {
        self.app.apps.loaded().instances.sources()
    }

    /// The local copy of the organisation.
    pub fn directory(&self) -> &Directory {
        &self.app.organisation.directory
    }

    /// The interval of scheduled syncs, if there is a schedule.
    pub fn sync_every(&self) -> Option<Duration> {
        self.app.config.settings.organisation.sync_every.0
    }

    /// The contact events from WeCom.
    pub fn events(&self) -> &Events {
        &self.app.organisation.events
    }

    /// The separate listen address of GET /metrics, if any.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.app.config.settings.operations.metrics_listen
    }
}
