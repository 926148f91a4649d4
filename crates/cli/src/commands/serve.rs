use std::path::PathBuf;

use anyhow::Context as _;
use tokio::net::TcpListener;
use wecom_login_server::{Server, Settings, Surroundings};

use crate::{Host, stop};

/// Settings come from the file, then from WECOM_LOGIN_<KEY> in the environment, then from these options.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The app folder [default: .]
    #[arg(long, value_name = "DIR")]
    app: Option<PathBuf>,
    /// A folder with the apps that it extends, as <org>/<name>/<version with _>; may be given more than once
    #[arg(long, value_name = "DIR")]
    app_path: Vec<PathBuf>,
    /// The folder of the database and the key, made if absent [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The address under which browsers reach the server, such as https://login.example.com
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The settings file [default: wecom-login.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) async fn run(arguments: Arguments, host: &dyn Host) -> anyhow::Result<()> {
    let stop = stop::signals()?;
    let file = Settings::file(arguments.config);
    let folder = |key, folder: Option<PathBuf>| folder.map(|folder| (key, folder.display().to_string()));
    let paths = |key, paths: &[PathBuf]| {
        let texts: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        (!texts.is_empty()).then(|| (key, texts.join(",")))
    };
    let options = [
        folder("app", arguments.app),
        paths("app_path", &arguments.app_path),
        folder("data", arguments.data),
        arguments.listen.map(|listen| ("listen", listen)),
        arguments.public_url.map(|url| ("public_url", url)),
    ];
    let settings = Settings::load(file.as_deref(), std::env::vars(), options.into_iter().flatten())?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is something else running there?", settings.listen))?;
    let public_url = settings.public_url.clone();
    let server = open(settings, Surroundings::default(), host).await?;
    tracing::info!(%public_url, "ready");
    server.spawn_reading_of_departments();
    server.spawn_schedule();
    server.run(listener, stop).await?;
    Ok(())
}

/// Opens the server with what the host adds, and logs what the operator must know of it.
pub(super) async fn open(
    settings: Settings,
    surroundings: Surroundings,
    host: &dyn Host,
) -> anyhow::Result<Server> {
    let register = |environment| host.register(environment);
    let audited = settings.audit_log.is_some();
    let server = Server::open_with(settings, surroundings, register).await?;
    report(&server);
    if audited {
        let watched = server.clone();
        stop::at_hangup(move || watched.reopen_audit_log())?;
    }
    host.opened(&server);
    Ok(server)
}

/// Logs what the operator must know of the app's elements.
fn report(server: &Server) {
    for fault in server.faults() {
        tracing::error!("{fault}");
    }
    for (instance, reason) in server.browser_off() {
        tracing::warn!(instance, reason, "sign-in in the browser is off");
    }
    if server.instances().is_empty() {
        tracing::warn!(
            "the app has no working sign-in instance: add auths/loginTypes/<Name>/e.json and <Name>.json"
        );
    }
    for instance in server.instances() {
        tracing::info!(instance, "sign-in instance");
    }
}
