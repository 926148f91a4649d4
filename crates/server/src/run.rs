//! Runs the server: its workers, its listeners, and the order of its shutdown.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wecom::Budget;

use crate::http::connections::Connections;
use crate::http::open_files;
use crate::operations::workers::Workers;
use crate::operations::{audit, janitor};
use crate::routes::router;
use crate::server::Server;
use crate::start::StartError;
use crate::state::AppState;

/// The time for requests and sign-ins in progress to finish when the server stops; a sign-in's budget is half of it.
const GRACE: Duration = Duration::from_secs(10);
/// The time limit for closing the database. After that it is abandoned, and uncommitted transactions are rolled back.
const CLOSING: Duration = Duration::from_secs(2);
/// The limit on connections of the listener for metrics.
const METRICS_CONNECTIONS: usize = 16;

impl Server {
    /// Reads the names of departments from WeCom, one call for each instance. Failures are logged: missing names must not
    /// fail a start.
    pub async fn read_departments(&self) {
        read_departments(&self.app).await;
    }

    /// Does the same in the background, so that a start does not wait for WeCom.
    pub fn spawn_reading_of_departments(&self) {
        let app = self.app.clone();
        tokio::spawn(async move { read_departments(&app).await });
    }

    /// Watches the app's files, processes contact events and deletes expired rows, until the future is dropped;
    /// [`Server::run`] includes this.
    pub async fn upkeep(&self) {
        let mut workers = Workers::begin(&self.app, self.reload.clone());
        while workers.broken().await.is_some() {}
    }

    /// Deletes rows that are older than their retention, as [`Server::run`] does every minute, unless another replica has
    /// done so within the last minute.
    pub async fn tidy(&self) -> Result<(), StartError> {
        Ok(janitor::round(&self.app).await?)
    }

    /// Reopens the audit file after a rotation. Without this call, the next line reopens it.
    pub fn reopen_audit_log(&self) {
        if let Some(file) = &self.app.operations.audit_file {
            file.reopen();
        }
    }

    /// Writes the rows of counted audit events, those of the minute under way too, and waits until all audit events are in the
    /// audit file, at most two seconds.
    pub async fn flush_audit_log(&self) {
        audit::flush_counted(&self.app.operations).await;
        self.flush_audit_file().await;
    }

    async fn flush_audit_file(&self) {
        let Some(file) = self.app.operations.audit_file.clone() else { return };
        if !tokio::task::spawn_blocking(move || file.flush()).await.unwrap_or_default() {
            tracing::warn!("the audit file lacks its last events; they are in the table audit_events");
        }
    }

    /// Closes the database once its calls have finished or two seconds have passed, and writes the rest of the audit log.
    /// Later calls fail.
    pub async fn close(&self) {
        let closed = async {
            audit::flush_counted(&self.app.operations).await;
            self.app.operations.store.close().await;
        };
        if tokio::time::timeout(CLOSING, closed).await.is_err() {
            tracing::warn!("the database is still busy; uncommitted transactions are rolled back");
        }
        // Audit events go to the file when their transactions are committed, so the file is flushed last.
        self.flush_audit_file().await;
    }

    /// Answers requests until `stop` completes, does the work of [`Server::upkeep`] and runs scheduled syncs.
    ///
    /// After `stop`, /readyz reports that the server is not ready, and requests are still accepted for `shutdown_delay`, so
    /// that a load balancer can remove this replica. Then new connections are refused, and work in progress has ten seconds
    /// to finish: requests, sign-ins whose browser has disconnected, imports, and workers, which stop between two items. A
    /// sync is abandoned; the next one continues from there.
    ///
    /// If a worker fails, the server stops too and returns an error, so that a service manager restarts the process.
    pub async fn run(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let app = &self.app;
        make_room_for_connections(app);
        let aside = match app.config.settings.operations.metrics_listen {
            Some(address) => {
                Some(listen_for_metrics(address, &app.config.settings.naming("metrics_listen")).await?)
            }
            None => None,
        };
        let mut workers = Workers::begin(app, self.reload.clone()).with_schedule();
        let (broken, break_off) = (OnceLock::new(), CancellationToken::new());
        let watched = async {
            while let Some(worker) = workers.broken().await {
                let _ = broken.set(worker);
                break_off.cancel();
            }
        };
        let closing = CancellationToken::new();
        let order = async {
            tokio::select! {
                () = stop => {}
                () = break_off.cancelled() => {}
            }
            app.operations.stopping.cancel();
            tokio::time::sleep(app.config.settings.operations.shutdown_delay).await;
            closing.cancel();
        };
        let aside = async {
            if let Some(listener) = aside {
                // Without an API key only if no other machine can connect.
                let open = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
                let router = router::metrics(app, open);
                Connections::at_most(METRICS_CONNECTIONS).serve(listener, router, &closing).await;
            }
        };
        let finished = async {
            let answering = async {
                tokio::join!(
                    order,
                    app.operations.connections.serve(listener, router::main(app), &closing),
                    aside
                );
                tokio::join!(app.identity.login.finished(), app.operations.background.finished());
            };
            tokio::join!(answering, watched);
        };
        let too_late = async {
            closing.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = finished => {}
            () = too_late => tracing::warn!("requests or tasks still in progress after ten seconds were aborted"),
        }
        drop(workers);
        self.close().await;
        match broken.get() {
            None => Ok(()),
            Some(worker) => {
                Err(std::io::Error::other(format!("a worker failed: {worker}; see the log for the cause")))
            }
        }
    }
}

/// Raises the limit on open files; if it stays too small, lowers the limit on connections.
fn make_room_for_connections(app: &AppState) {
    let (connections, storage) = (&app.operations.connections, &app.config.settings.storage);
    let to_database = if storage.database.is_some() { storage.database_connections } else { 0 };
    connections.lower_to(open_files::make_room_for(connections.most(), to_database));
}

async fn listen_for_metrics(address: SocketAddr, setting: &str) -> std::io::Result<TcpListener> {
    let named = |error: std::io::Error| {
        std::io::Error::new(error.kind(), format!("{setting}: cannot listen on {address}: {error}"))
    };
    TcpListener::bind(address).await.map_err(named)
}

async fn read_departments(app: &AppState) {
    for instance in app.apps.loaded().instances.iter() {
        let calls = instance.client().within(Budget::sign_in());
        let app_ids = (instance.corp_id(), instance.agent_id());
        match app.organisation.directory.read_departments(&calls, app_ids).await {
            Ok(count) => tracing::info!(instance = instance.full_name(), count, "departments read"),
            Err(error) => tracing::warn!(
                instance = instance.full_name(),
                %error,
                "departments could not be read; sign-ins work, names of departments are missing"
            ),
        }
    }
}
