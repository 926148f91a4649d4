use std::path::PathBuf;

use super::place::Place;
use crate::output::say;

/// Copies the SQLite database while the server runs; the copy is as of one moment, and nobody waits for it.
///
/// The key (the file `key` in the data folder, or WECOM_LOGIN_KEY) is not in it: keep that apart, and keep it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The new file; one that is there stays as it is
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let store = arguments.place.store().await?;
    store.backup(&arguments.file).await?;
    store.close().await;
    say(format_args!("{}", arguments.file.display()))
}
