use anyhow::bail;
use clap::Subcommand;
use serde_json::json;
use wecom_login_accounts::ApiKeys;

use super::NotThere;
use super::place::{Absent, Place};
use crate::output::{say, say_row};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key and print it: this once, it is kept nowhere
    Add {
        /// What to call it, such as the program that will use it
        #[arg(value_parser = name)]
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// List the names of the keys, when they were made and last used (seconds since 1970; uses to the hour)
    List {
        /// One JSON object a line; moments in milliseconds since 1970
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Remove a key; it counts no more at once
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

fn name(text: &str) -> Result<String, wecom_login_accounts::InvalidName> {
    ApiKeys::check_name(text).map(|()| text.to_owned())
}

pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add { name, place } => match place.api_keys(Absent::Make).await?.add(&name).await? {
            Some(key) => say(key.secret().expose()),
            None => bail!("there is a key {name} already; remove it first, or take another name"),
        },
        Command::List { json: as_json, place } => {
            for key in place.api_keys(Absent::Tell).await?.list().await? {
                if as_json {
                    let (made, used) = (key.created_at, key.last_used_at);
                    say_row(json!({"name": key.name, "createdAt": made, "lastUsedAt": used}))?;
                } else {
                    let used =
                        key.last_used_at.map_or_else(|| "never".to_owned(), |at| at.as_secs().to_string());
                    say_row(format_args!("{}\t{}\t{used}", key.name, key.created_at.as_secs()))?;
                }
            }
            Ok(())
        }
        Command::Remove { name, place } => {
            if !place.api_keys(Absent::Tell).await?.remove(&name).await? {
                return Err(NotThere(format!("there is no key {name}")).into());
            }
            say(format_args!("The key {name} counts no more."))
        }
    }
}
