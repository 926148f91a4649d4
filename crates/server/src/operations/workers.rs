//! What a server does by itself. Each worker is a task of its own, so that one that breaks off takes no other along, and
//! that it did is seen at once: a server without its worker of contact events would go on taking events that nobody works on.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use tokio::task::{Id, JoinSet};

use crate::operations::janitor;
use crate::operations::reload::{Reload, follow};
use crate::operations::sync_schedule;
use crate::state::AppState;

/// Workers that run until the server stops, or this is dropped.
#[derive(Debug)]
pub(crate) struct Workers {
    app: AppState,
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Workers {
    /// Those that delete what has expired, follow the app's files and work on contact events.
    pub(crate) fn begin(app: &AppState, reload: Arc<Reload>) -> Self {
        let mut workers = Self { app: app.clone(), tasks: JoinSet::new(), names: HashMap::new() };
        let (tidied, events) = (app.clone(), app.clone());
        workers.add("the deletion of old rows", async move { janitor::work(&tidied).await });
        workers.add("the watch over the app's files", follow(reload, app.clone()));
        workers.add("contact events", async move {
            events.organisation.events.run(events.operations.stopping.clone().cancelled_owned()).await;
        });
        workers
    }

    /// And the one that synchronises, if there is a schedule.
    pub(crate) fn with_schedule(mut self) -> Self {
        if let Some(every) = self.app.config.settings.organisation.sync_every.0 {
            self.add("the schedule of syncs", sync_schedule::schedule(self.app.clone(), every));
        }
        self
    }

    fn add(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(work).id();
        self.names.insert(id, name);
    }

    /// Waits until one breaks off, which is logged, and tells which. `None` once all have ended because the server stops.
    pub(crate) async fn broken(&mut self) -> Option<&'static str> {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            let (id, problem) = match ended {
                Ok(_) if self.app.operations.stopping.is_cancelled() => continue,
                Ok((id, ())) => (id, "it ended".to_owned()),
                Err(error) => (error.id(), error.to_string()),
            };
            let worker = self.names.get(&id).copied().unwrap_or_default();
            tracing::error!(worker, problem, "a worker broke off");
            return Some(worker);
        }
        None
    }
}
