use std::net::SocketAddr;

use serde_json::{Value, json};
use wecom_login_simulator::{Company, Options, Secure, Simulator, sample};

use crate::output::say;
use crate::{stop, values};

/// The simulator answers on loopback only; its control requests are under /_sim/.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The port on 127.0.0.1 and [::1]; 0 takes a free one
    #[arg(long, default_value_t = 0, value_parser = values::port)]
    port: u16,
    /// Speak https as well, with a certificate made at start, on this address or a free port of 127.0.0.1
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:0")]
    #[arg(value_parser = values::address)]
    tls: Option<SocketAddr>,
    /// Members of a generated company, instead of the sample companies
    #[arg(long, value_name = "N", value_parser = values::count)]
    members: Option<usize>,
    /// Departments of the generated company
    #[arg(long, value_name = "M", default_value_t = 20, requires = "members", value_parser = values::count)]
    departments: usize,
    /// Print one line of JSON when ready
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let stop = stop::signals()?;
    let mut options = Options { port: arguments.port, tls: arguments.tls, ..Options::default() };
    if let Some(members) = arguments.members {
        options.companies = vec![Company::generated(members, arguments.departments, 1)];
    }
    let corp_id = options.companies[0].corpid().to_owned();
    let simulator = Simulator::start(options).await?;
    if arguments.json {
        say(json!({
            "url": simulator.url(),
            "corpid": corp_id,
            "agentid": sample::AGENT_ID,
            "secret": sample::SECRET,
            "contactSecret": sample::CONTACT_SECRET,
            "tls": simulator.secure().map(told),
        }))?;
    } else {
        say(format_args!(
            "WeCom simulator: {}\n  corpId {corp_id}  agentId {}  corpSecret {}\n  apiBase, loginBase and oauthBase of \
             an instance: {}\nCtrl-C stops it.",
            simulator.url(),
            sample::AGENT_ID,
            sample::SECRET,
            simulator.url(),
        ))?;
    }
    if let (false, Some(secure)) = (arguments.json, simulator.secure()) {
        say(format_args!(
            "https: {}\nA browser that takes it for WeCom: chromium --host-resolver-rules=\"{}\" \
             --ignore-certificate-errors-spki-list={} --user-data-dir=DIR",
            secure.url(),
            host_rules(secure),
            secure.spki_sha256,
        ))?;
    }
    stop.await;
    simulator.shutdown().await;
    Ok(())
}

/// The https side for programs: `--host-resolver-rules` and `--ignore-certificate-errors-spki-list` of a Chromium
/// that is to take it for WeCom.
pub(super) fn told(secure: &Secure) -> Value {
    json!({
        "url": secure.url(),
        "port": secure.address.port(),
        "spki": secure.spki_sha256,
        "hostRules": host_rules(secure),
    })
}

fn host_rules(secure: &Secure) -> String {
    let map = |host: &&str| format!("MAP {host} {}", secure.address);
    Secure::HOSTS.iter().map(map).collect::<Vec<_>>().join(", ")
}
