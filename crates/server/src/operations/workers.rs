//! The background workers of a server. Each worker is a task of its own, so that a failed worker does not end the others.
//! A failure is noticed immediately: without its worker a server would go on accepting contact events and never process them.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use tokio::task::{Id, JoinSet};

use crate::operations::reload::{Reload, follow};
use crate::operations::sync_schedule;
use crate::operations::{audit, janitor};
use crate::state::AppState;

/// Workers that run until the server stops or this value is dropped.
#[derive(Debug)]
pub(crate) struct Workers {
    app: AppState,
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Workers {
    /// Starts the workers that delete expired rows, write counted audit events, watch the app's files and process contact events.
    pub(crate) fn begin(app: &AppState, reload: Arc<Reload>) -> Self {
        let mut workers = Self { app: app.clone(), tasks: JoinSet::new(), names: HashMap::new() };
        let (tidied, counted, events) = (app.clone(), app.clone(), app.clone());
        workers.add("the deletion of old rows", async move { janitor::work(&tidied).await });
        workers.add("counted audit events", async move { audit::write_counted(&counted).await });
        workers.add("the watch over the app's files", follow(reload, app.clone()));
        workers.add("contact events", async move {
            events.organisation.events.run(events.operations.stopping.clone().cancelled_owned()).await;
        });
        workers
    }

    /// Starts the worker that runs scheduled syncs, if there is a schedule.
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

    /// Waits until a worker fails, logs it and returns its name. `None` once all workers have ended because the server stops.
    pub(crate) async fn broken(&mut self) -> Option<&'static str> {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            let (id, problem) = match ended {
                Ok(_) if self.app.operations.stopping.is_cancelled() => continue,
                Ok((id, ())) => (id, "it ended".to_owned()),
                Err(error) => (error.id(), error.to_string()),
            };
            let worker = self.names.get(&id).copied().unwrap_or_default();
            tracing::error!(worker, problem, "a worker failed");
            return Some(worker);
        }
        None
    }
}
