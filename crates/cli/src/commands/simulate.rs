use serde_json::json;
use wecom_login_simulator::{Company, Options, Simulator, sample};

use super::say;
use crate::stop;

/// The simulator answers on loopback only; its control requests are under /_sim/.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The port on 127.0.0.1 and [::1]; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Members of a generated company, instead of the sample companies
    #[arg(long, value_name = "N")]
    members: Option<usize>,
    /// Departments of the generated company
    #[arg(long, value_name = "M", default_value_t = 20, requires = "members")]
    departments: usize,
    /// Print one line of JSON when ready
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let stop = stop::signals()?;
    let mut options = Options { port: arguments.port, ..Options::default() };
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
    stop.await;
    simulator.shutdown().await;
    Ok(())
}
