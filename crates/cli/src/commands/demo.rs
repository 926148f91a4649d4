use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use wecom_login_model::{Clock, Timestamp};
use wecom_login_server::{Dependencies, Override, Settings};
use wecom_login_simulator::{Options, Simulator, Time, sample};

use super::{serve, simulate};
use crate::output::say;
use crate::{Host, stop, values};

const ELEMENT: &str = "auths.loginTypes.QywxInnerExample";
const FOLDER: &str = "auths/loginTypes/QywxInnerExample";
const REDIRECT_PATH: &str = "/auth/wecom/callback";
const PORT: u16 = 8000;

/// Everything runs on this machine and answers to this machine only.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Keep app and database in this folder, instead of one that is thrown away
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The server's port on 127.0.0.1 [default: 8000, or a free one if that is taken; 0 takes a free one]
    #[arg(long, value_parser = values::port)]
    port: Option<u16>,
    /// The simulator's port on localhost; 0 takes a free one
    #[arg(long, default_value_t = 0, value_parser = values::port)]
    wecom_port: u16,
    /// Let the simulator speak https as well, on this address or a free port of 127.0.0.1; see `simulate --tls`
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:0")]
    #[arg(value_parser = values::address)]
    wecom_tls: Option<SocketAddr>,
    /// Let the front end at this origin, such as http://localhost:3000, sign people in; may be given more than once
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// Print one line of JSON when ready: url, wecom, app, element (and tls)
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments, host: &dyn Host) -> anyhow::Result<()> {
    let stop = stop::signals()?;
    // Kept until the end: dropping it deletes the folder.
    let (folder, _temporary) = match arguments.data {
        Some(folder) => (folder, None),
        None => {
            let temporary = tempfile::Builder::new().prefix("wecom-login-demo-").tempdir()?;
            (temporary.path().to_owned(), Some(temporary))
        }
    };
    let listener = listen(arguments.port).await?;
    let address = listener.local_addr()?;
    let options = Options { port: arguments.wecom_port, tls: arguments.wecom_tls, ..Options::default() };
    let wecom = Simulator::start(options).await?;

    let app = folder.join("app");
    let origins = ("origins", Override::Texts(arguments.origins));
    let mut settings = Settings::local_with(address, app.clone(), folder.join("data"), [origins])?;
    settings.spare_loopback = true;
    let url = settings.public_url.origin().ascii_serialization();
    write_app(&app, &url, &wecom)?;
    let app = app.canonicalize()?;

    // One world has one time: `/_sim/clock` moves the server's with the simulator's.
    let clock = Arc::new(SimulatedClock(wecom.time()));
    let server = serve::open(settings, Dependencies { clock, ..Dependencies::default() }, host).await?;
    server.read_departments().await;
    if arguments.json {
        let mut ready = json!({"url": url, "wecom": wecom.url(), "app": app, "element": ELEMENT});
        if let Some(secure) = wecom.secure() {
            ready["tls"] = simulate::told(secure);
        }
        say(ready)?;
    } else {
        say(welcome(&url, &wecom, &app))?;
    }
    server.run(listener, stop).await?;
    wecom.shutdown().await;
    Ok(())
}

/// The simulator's time as the server reads it.
#[derive(Debug)]
struct SimulatedClock(Time);

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now_millis())
    }
}

async fn listen(port: Option<u16>) -> anyhow::Result<TcpListener> {
    let bind = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    match port {
        Some(port) => bind(port).await.with_context(|| format!("cannot listen on 127.0.0.1:{port}")),
        None => match bind(PORT).await {
            Ok(listener) => Ok(listener),
            Err(_) => bind(0).await.context("cannot listen on 127.0.0.1"),
        },
    }
}

/// Writes the app with its one instance, which points to the simulator.
fn write_app(app: &Path, url: &str, wecom: &Simulator) -> anyhow::Result<()> {
    let element = app.join(FOLDER);
    std::fs::create_dir_all(&element).with_context(|| element.display().to_string())?;
    write(
        &app.join("app.json"),
        &json!({"orgId": "demo", "name": "portal", "title": "演示门户", "version": "1.0.0"}),
    )?;
    write(
        &element.join("e.json"),
        &json!({"title": "云帆工作台", "type": "auths.loginTypes.QywxInnerType"}),
    )?;
    write(
        &element.join("QywxInnerExample.json"),
        &json!({
            "corpId": sample::CORP_ID,
            "corpSecret": sample::SECRET,
            "agentId": sample::AGENT_ID.to_string(),
            "redirectUri": format!("{url}{REDIRECT_PATH}"),
            "apiBase": wecom.api_url(),
            "loginBase": wecom.url(),
            "oauthBase": wecom.url(),
        }),
    )
}

fn write(path: &Path, value: &Value) -> anyhow::Result<()> {
    std::fs::write(path, format!("{value:#}\n")).with_context(|| path.display().to_string())
}

fn welcome(url: &str, wecom: &Simulator, app: &Path) -> String {
    format!(
        "\nSign in at  {url}\n登录页面    {url}\n\n  Simulated WeCom  {}\n  App folder       {}\n\nCtrl-C stops it.\n",
        wecom.url(),
        app.display()
    )
}
