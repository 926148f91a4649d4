//! Reloads the app when its files change. An edit takes effect within seconds; an edit that breaks a working element is not
//! applied.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wecom_login_element::{App, Fault, Look, Watch};
use wecom_login_sign_in::{ClientContext, Instances, Registry};

use crate::operations::ticks::Ticks;
use crate::routes::own_paths::OwnPaths;
use crate::settings::Settings;
use crate::state::{AppState, Config, LoadedApp};

/// The interval between two looks; each look walks through the app's folders.
const INTERVAL: Duration = Duration::from_secs(2);

/// Watches the files of the app.
#[derive(Debug)]
pub(crate) struct Reload {
    watch: Mutex<Watch>,
    registry: Arc<Registry>,
    context: ClientContext,
}

impl Reload {
    pub(crate) fn new(watch: Watch, registry: Arc<Registry>, context: ClientContext) -> Self {
        Self { watch: Mutex::new(watch), registry, context }
    }

    /// The first reading of the app, and the faults of its elements.
    pub(crate) fn first(&self, settings: &Settings, own_paths: &OwnPaths) -> (LoadedApp, Vec<Fault>) {
        let app = self.watch.lock().unwrap_or_else(PoisonError::into_inner).app().clone();
        self.loaded(app, settings, own_paths)
    }

    /// Looks at the files once; if the app has changed, the new reading is served from then on.
    pub(crate) fn look(&self, app: &AppState) {
        // Held until the new reading is served, so that of two concurrent looks the second does not serve an older reading.
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        match watch.look() {
            Look::Unchanged => {}
            Look::Reloaded(reloaded) => {
                let Config { settings, own_paths, .. } = &*app.config;
                let (loaded, faults) = self.loaded(reloaded, settings, own_paths);
                for fault in faults {
                    tracing::error!("{fault}");
                }
                tracing::info!("the app has changed and was read again");
                app.apps.replace(loaded);
            }
            Look::Unreadable(error) => {
                tracing::error!(%error, "the app has changed and cannot be read; it is served as it was");
            }
            Look::Broken(faults) => {
                for fault in faults {
                    tracing::error!("{fault}; the app is served as it was");
                }
            }
        }
    }

    fn loaded(&self, app: Arc<App>, settings: &Settings, own_paths: &OwnPaths) -> (LoadedApp, Vec<Fault>) {
        let (instances, more) = Instances::read(&app, &self.context);
        let mut faults = app.faults().to_vec();
        faults.extend(more);
        self.registry.replace(instances);
        (LoadedApp::new(app, self.registry.now(), settings, own_paths), faults)
    }
}

/// Looks at the files periodically, on a blocking thread because reading files waits for the disk.
pub(crate) async fn follow(reload: Arc<Reload>, app: AppState) {
    let mut ticks = Ticks::every(INTERVAL, &app.operations.stopping);
    while ticks.next().await {
        let (reload, app) = (reload.clone(), app.clone());
        if let Err(error) = tokio::task::spawn_blocking(move || reload.look(&app)).await {
            tracing::error!(%error, "the check of the app's files failed");
        }
    }
}
