use anyhow::Context as _;
use tokio::net::TcpListener;
use wecom_login_server::{Dependencies, Override, Server, Settings};

use super::place::AppPlace;
use crate::{Host, stop};

/// Settings come from the file, then from WECOM_LOGIN_<KEY> in the environment, then from these options.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: AppPlace,
    /// Where to listen [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The address under which browsers reach the server, such as https://login.example.com
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

pub(crate) async fn run(arguments: Arguments, host: &dyn Host) -> anyhow::Result<()> {
    let stop = stop::signals()?;
    let options = [("listen", arguments.listen), ("public_url", arguments.public_url)];
    let options = options.into_iter().filter_map(|(key, text)| Some((key, Override::Text(text?))));
    let settings = arguments.place.settings(options)?;
    let address = settings.network.listen;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("{}: cannot listen on {address}", settings.naming("listen")))?;
    let public_url = settings.public_url.clone();
    let server = open(settings, Dependencies::default(), host).await?;
    tracing::info!(%public_url, "ready");
    server.spawn_reading_of_departments();
    server.run(listener, stop).await?;
    Ok(())
}

/// Opens the server with what the host adds, and logs what the operator must know of it.
pub(super) async fn open(
    settings: Settings,
    dependencies: Dependencies,
    host: &dyn Host,
) -> anyhow::Result<Server> {
    let register = |environment| host.register(environment);
    let audited = settings.operations.audit_log.is_some();
    let server = Server::open_with(settings, dependencies, register).await?;
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
