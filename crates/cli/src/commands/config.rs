use anyhow::bail;
use clap::Subcommand;
use wecom_login_server::{Given, Settings};

use super::place::AppPlace;
use super::say;
use crate::Host;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check settings and every element; list all that is wrong, and exit with 1 if anything is
    Check {
        #[command(flatten)]
        place: AppPlace,
        /// The address under which browsers reach the server, such as https://login.example.com
        #[arg(long, value_name = "URL")]
        public_url: Option<String>,
    },
}

pub(crate) async fn run(command: Command, host: &dyn Host) -> anyhow::Result<()> {
    let Command::Check { place, public_url } = command;
    let folders = place.folders();
    let mut faults = Vec::new();
    let settings = match place.settings(public_url.map(|url| ("public_url", Given::Text(url)))) {
        Ok(settings) => Some(settings),
        Err(error) => {
            faults.push(error.to_string());
            // The elements are looked at all the same, as far as the folder is known.
            if folders.is_empty() { None } else { Settings::load(None, [], folders).ok() }
        }
    };
    if let Some(settings) = settings {
        match wecom_login_server::check(settings, |environment| host.register(environment)).await {
            Ok(found) => faults.extend(found),
            Err(error) => faults.push(error.to_string()),
        }
    }
    for fault in &faults {
        say(fault)?;
    }
    match faults.len() {
        0 => say("Settings and elements are in order."),
        1 => bail!("1 fault"),
        count => bail!("{count} faults"),
    }
}
