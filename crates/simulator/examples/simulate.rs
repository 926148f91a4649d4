//! A simulator for programs in other languages: prints one line of JSON when it is ready and runs until it is
//! killed.

use std::io::Write as _;

use serde_json::json;
use wecom_login_simulator::{Options, Simulator, sample};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = Simulator::start(Options::default()).await?;
    let ready = json!({
        "url": sim.url(),
        "corpid": sample::CORP_ID,
        "agentid": sample::AGENT_ID.to_string(),
        "secret": sample::SECRET,
    });
    writeln!(std::io::stdout(), "{ready}")?;
    std::future::pending::<()>().await;
    Ok(())
}
