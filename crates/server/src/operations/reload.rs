//! The app follows its files: an edit takes effect within seconds, and one that breaks what worked takes none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wecom_login_element::{App, Fault, Look, Watch};
use wecom_login_sign_in::{Instances, Registry, Wiring};

use crate::routes::own_paths::OwnPaths;
use crate::settings::Settings;
use crate::state::{AppState, Config, LoadedApp};

/// Looking costs a walk through the app's folders.
const INTERVAL: Duration = Duration::from_secs(2);

/// Follows the files of the app.
#[derive(Debug)]
pub(crate) struct Reload {
    watch: Mutex<Watch>,
    registry: Arc<Registry>,
    wiring: Wiring,
}

impl Reload {
    pub(crate) fn new(watch: Watch, registry: Arc<Registry>, wiring: Wiring) -> Self {
        Self { watch: Mutex::new(watch), registry, wiring }
    }

    /// The app as it was first read, ready to be served, and what is wrong with its elements.
    pub(crate) fn first(&self, settings: &Settings, own_paths: &OwnPaths) -> (LoadedApp, Vec<Fault>) {
        let app = self.watch.lock().unwrap_or_else(PoisonError::into_inner).app().clone();
        self.loaded(app, settings, own_paths)
    }

    /// Looks once; an app that has changed is served from now on.
    pub(crate) fn look(&self, app: &AppState) {
        // Held until the app is served: of two who look at once, the second must not go on with the former app.
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
        let (instances, more) = Instances::read(&app, &self.wiring);
        let mut faults = app.faults().to_vec();
        faults.extend(more);
        self.registry.replace(instances);
        (LoadedApp::new(app, self.registry.now(), settings, own_paths), faults)
    }
}

/// Looks from time to time. Reading files waits for the disk, so it is done beside the requests.
pub(crate) async fn follow(reload: Arc<Reload>, app: AppState) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut stopped = std::pin::pin!(app.operations.stopping.clone().cancelled_owned());
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = ticks.tick() => {}
        }
        let (reload, app) = (reload.clone(), app.clone());
        if let Err(error) = tokio::task::spawn_blocking(move || reload.look(&app)).await {
            tracing::error!(%error, "looking at the app's files broke off");
        }
    }
}
