//! A server that runs: its workers, its listeners, and the order of its stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wecom::Budget;

use crate::http::connections::Connections;
use crate::operations::janitor;
use crate::operations::workers::Workers;
use crate::routes::router;
use crate::server::Server;
use crate::start::StartError;
use crate::state::AppState;

/// Requests and sign-ins under way get this long when the server is told to stop; a sign-in's budget is half of it.
const GRACE: Duration = Duration::from_secs(10);
/// How long the close of the database may take. After that it is left, and what is not committed is undone.
const CLOSING: Duration = Duration::from_secs(2);
/// Reading the metrics needs few connections.
const METRICS_CONNECTIONS: usize = 16;

impl Server {
    /// Reads the departments' names of every instance from WeCom, one call each. What fails is logged: names are not
    /// worth a start that fails.
    pub async fn read_departments(&self) {
        read_departments(&self.app).await;
    }

    /// The same in the background: a start does not wait for WeCom.
    pub fn spawn_reading_of_departments(&self) {
        let app = self.app.clone();
        tokio::spawn(async move { read_departments(&app).await });
    }

    /// Follows the app's files, works on contact events and deletes what has expired, until it is dropped;
    /// [`Server::run`] does it by itself.
    pub async fn upkeep(&self) {
        let mut workers = Workers::begin(&self.app, self.reload.clone());
        while workers.broken().await.is_some() {}
    }

    /// Deletes now what is older than the settings keep it, as [`Server::run`] does every minute, unless another replica
    /// has done so within the minute.
    pub async fn tidy(&self) -> Result<(), StartError> {
        Ok(janitor::round(&self.app).await?)
    }

    /// Opens the audit file anew, after it was rotated. Without this it is noticed with the next line.
    pub fn reopen_audit_log(&self) {
        if let Some(file) = &self.app.operations.audit_file {
            file.reopen();
        }
    }

    /// Waits until the audit file has all that was done, two seconds at most.
    pub async fn flush_audit_log(&self) {
        let Some(file) = self.app.operations.audit_file.clone() else { return };
        if !tokio::task::spawn_blocking(move || file.flush()).await.unwrap_or_default() {
            tracing::warn!("the audit file lacks its last events; they are in the table audit_events");
        }
    }

    /// Closes the database, once the calls under way are done or two seconds have passed, and writes what is left of the
    /// audit log. What is called afterwards fails.
    pub async fn close(&self) {
        if tokio::time::timeout(CLOSING, self.app.operations.store.close()).await.is_err() {
            tracing::warn!("the database is still at work; what is not committed is undone");
        }
        // What the last transactions did is told to the file when they are committed.
        self.flush_audit_log().await;
    }

    /// Answers requests until `stop` comes, does what [`Server::upkeep`] does and synchronises on the schedule of the
    /// settings. From the stop on /readyz says that it is over, while requests are still taken for `shutdown_delay`, so
    /// that whoever spreads them can look elsewhere; then nobody new is let in, and what is under way gets ten seconds:
    /// requests, sign-ins whose browser has gone away, imports, and workers, which stop between two items. A sync is left
    /// where it is, for the next one to go on from.
    ///
    /// When a worker breaks off it stops as well, and fails: whoever watches over the process starts it again.
    pub async fn run(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let app = &self.app;
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
                // A key is asked for wherever others than this machine can ask.
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
            () = too_late => tracing::warn!("what was still under way after ten seconds was cut off"),
        }
        drop(workers);
        self.close().await;
        match broken.get() {
            None => Ok(()),
            Some(worker) => {
                Err(std::io::Error::other(format!("a worker broke off: {worker}; the log says why")))
            }
        }
    }
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
        match app.organisation.directory.read_departments(&calls, instance.corp_id()).await {
            Ok(count) => tracing::info!(instance = instance.full_name(), count, "departments read"),
            Err(error) => tracing::warn!(
                instance = instance.full_name(),
                %error,
                "departments could not be read; sign-ins work, names of departments are missing"
            ),
        }
    }
}
