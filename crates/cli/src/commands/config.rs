use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;
use wecom_login_server::Settings;

use super::say;
use crate::Host;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check settings and every element; list all that is wrong, and exit with 1 if anything is
    Check {
        /// The app folder [default: .]
        #[arg(long, value_name = "DIR")]
        app: Option<PathBuf>,
        /// The settings file [default: wecom-login.toml, if there is one]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// The address under which browsers reach the server, such as https://login.example.com
        #[arg(long, value_name = "URL")]
        public_url: Option<String>,
    },
}

pub(crate) async fn run(command: Command, host: &dyn Host) -> anyhow::Result<()> {
    let Command::Check { app, config, public_url } = command;
    let file = Settings::file(config);
    let app = app.map(|app| ("app", app.display().to_string()));
    let options = app.clone().into_iter().chain(public_url.map(|url| ("public_url", url)));
    let mut faults = Vec::new();
    let settings = match Settings::load(file.as_deref(), std::env::vars(), options) {
        Ok(settings) => Some(settings),
        Err(error) => {
            faults.push(error.to_string());
            // The elements are looked at all the same, as far as the folder is known.
            app.and_then(|app| Settings::load(None, [], [app]).ok())
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
