//! An app that follows its files, one look at a time.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::{App, Environment, Fault, OpenError, Snapshot};

/// An app and the state of its files when they were last looked at. Nothing happens by itself: whoever holds it looks
/// from time to time.
#[derive(Debug)]
pub struct Watch {
    app: Arc<App>,
    seen: Snapshot,
}

/// What a look has shown.
#[derive(Debug)]
pub enum Look {
    /// No file has changed since the last look.
    Unchanged,
    /// The files have changed and the app was read again.
    Reloaded(Arc<App>),
    /// The files have changed, but the app can no longer be read; it stays as it was.
    Unreadable(OpenError),
    /// The files have changed, but these elements, which worked, no longer do; the app stays as it was.
    Broken(Vec<Fault>),
}

impl Watch {
    /// Opens an app.
    pub fn open(folder: &Path, environment: &Environment) -> Result<Self, OpenError> {
        let app = App::open(folder, environment)?;
        Ok(Self { seen: app.snapshot().clone(), app: Arc::new(app) })
    }

    /// The last good state.
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Looks at the files, and reads the app again if they have changed.
    ///
    /// An element that was taken away is gone, and a new one that is broken does not keep the others back. But where
    /// one that worked is broken now, everything stays as it was, so that half an edit takes no one's sign-in away.
    pub fn look(&mut self) -> Look {
        let now = self.app.snapshot_now();
        if now == self.seen {
            return Look::Unchanged;
        }
        // What changes from here on shows at the next look.
        self.seen = now;
        let app = match self.app.reload() {
            Ok(app) => app,
            Err(error) => return Look::Unreadable(error),
        };
        let works = |app: &App, name: &str| app.element(name).is_some();
        let lost: BTreeSet<&str> = app
            .faults()
            .iter()
            .map(|fault| fault.element.as_str())
            .filter(|name| works(&self.app, name) && !works(&app, name))
            .collect();
        let faults: Vec<Fault> =
            app.faults().iter().filter(|fault| lost.contains(fault.element.as_str())).cloned().collect();
        if !faults.is_empty() {
            return Look::Broken(faults);
        }
        self.app = Arc::new(app);
        Look::Reloaded(self.app.clone())
    }
}
