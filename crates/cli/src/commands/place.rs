//! Where the data of a command lies: the same settings as the server's, so that both mean the same database.

use std::path::PathBuf;
use std::sync::Arc;

use wecom_login_accounts::{Accounts, ApiKeys};
use wecom_login_model::{SystemClock, SystemEntropy};
use wecom_login_server::{Given, Settings, SettingsError, has_database, open_store};
use wecom_login_store::Store;

use super::NotThere;

/// The database.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Place {
    /// The folder of the database and the key [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The settings file [default: wecom-login.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The app and its database.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AppPlace {
    /// The app folder [default: .]
    #[arg(long, value_name = "DIR")]
    app: Option<PathBuf>,
    /// A folder with the apps that it extends, as <org>/<name>/<version with _>; may be given more than once
    #[arg(long, value_name = "DIR")]
    app_path: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// What a command does when there is no database yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// It makes one, to put something in.
    Make,
    /// It says so: a mistyped folder is no empty one.
    Tell,
}

impl AppPlace {
    /// The settings, with what else the command line gives.
    pub(crate) fn settings(
        self,
        more: impl IntoIterator<Item = (&'static str, Given)>,
    ) -> Result<Settings, SettingsError> {
        let folders = self.folders();
        self.place.settings(folders.into_iter().chain(more))
    }

    /// The folders of the app, as they are given.
    pub(crate) fn folders(&self) -> Vec<(&'static str, Given)> {
        let app = self.app.clone().map(|app| ("app", Given::Path(app)));
        let paths = (!self.app_path.is_empty()).then(|| ("app_path", Given::Paths(self.app_path.clone())));
        app.into_iter().chain(paths).collect()
    }
}

impl Place {
    fn settings(
        self,
        more: impl IntoIterator<Item = (&'static str, Given)>,
    ) -> Result<Settings, SettingsError> {
        let file = Settings::file(self.config);
        let data = self.data.map(|data| ("data", Given::Path(data)));
        Settings::load(file.as_deref(), Settings::environment(), data.into_iter().chain(more))
    }

    async fn open(self, absent: Absent) -> anyhow::Result<(Store, Settings)> {
        let settings = self.settings([])?;
        if absent == Absent::Tell && !has_database(&settings) {
            let folder = settings.data.display();
            return Err(NotThere(format!("there is no database in the data folder {folder}")).into());
        }
        Ok((open_store(&settings).await?, settings))
    }

    pub(crate) async fn store(self) -> anyhow::Result<Store> {
        Ok(self.open(Absent::Tell).await?.0)
    }

    pub(crate) async fn accounts(self, absent: Absent) -> anyhow::Result<Accounts> {
        let (store, settings) = self.open(absent).await?;
        Ok(Accounts::new(store, Arc::new(SystemClock), settings.admins))
    }

    pub(crate) async fn api_keys(self, absent: Absent) -> anyhow::Result<ApiKeys> {
        let (store, _) = self.open(absent).await?;
        Ok(ApiKeys::new(store, Arc::new(SystemClock), Arc::new(SystemEntropy)))
    }
}
