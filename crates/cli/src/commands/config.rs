use anyhow::bail;
use clap::Subcommand;
use wecom_login_server::{Override, Settings};

use super::place::AppPlace;
use crate::Host;
use crate::output::say;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check settings and every element; list all that is wrong, and exit with 1 if anything is
    ///
    /// Warnings are listed too, and do not change the exit code.
    Check {
        #[command(flatten)]
        place: AppPlace,
        /// Where to listen [default: 127.0.0.1:8000]
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<String>,
        /// The address under which browsers reach the server, such as https://login.example.com
        #[arg(long, value_name = "URL")]
        public_url: Option<String>,
    },
    /// Print the JSON schema of the settings file, for editors
    Schema,
}

pub(crate) async fn run(command: Command, host: &dyn Host) -> anyhow::Result<()> {
    match command {
        Command::Schema => say(format_args!("{:#}", Settings::schema())),
        Command::Check { place, listen, public_url } => {
            let options = [("listen", listen), ("public_url", public_url)];
            check(place, options, host).await
        }
    }
}

async fn check(
    place: AppPlace,
    options: [(&'static str, Option<String>); 2],
    host: &dyn Host,
) -> anyhow::Result<()> {
    let options = options.into_iter().filter_map(|(key, text)| Some((key, Override::Text(text?))));
    let loaded = place.load(options);
    let checked = wecom_login_server::check(loaded, |environment| host.register(environment)).await;
    for warning in &checked.warnings {
        say(format_args!("warning: {warning}"))?;
    }
    for fault in &checked.faults {
        say(fault)?;
    }
    match checked.faults.len() {
        0 => say("Settings and elements are in order."),
        1 => bail!("1 fault"),
        count => bail!("{count} faults"),
    }
}
