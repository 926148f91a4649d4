//! Where the data of a command lies: the same settings as the server's, so that both mean the same database.

use std::path::PathBuf;
use std::sync::Arc;

use wecom_login_accounts::{Accounts, ApiKeys};
use wecom_login_model::{SystemClock, SystemEntropy};
use wecom_login_server::{Override, Settings, SettingsError, has_database, open_store, served_companies};
use wecom_login_store::Store;

use super::NotThere;
use crate::Host;

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
    /// The settings, with what else the command line gives. What is doubtful in them is logged.
    pub(crate) fn settings(
        self,
        more: impl IntoIterator<Item = (&'static str, Override)>,
    ) -> Result<Settings, SettingsError> {
        logged(self.load(more))
    }

    /// The settings, with what else the command line gives.
    pub(crate) fn load(
        self,
        more: impl IntoIterator<Item = (&'static str, Override)>,
    ) -> Result<Settings, SettingsError> {
        let app = self.app.map(|app| ("app", Override::Path(app)));
        let paths = (!self.app_path.is_empty()).then_some(("app_path", Override::Paths(self.app_path)));
        self.place.load(app.into_iter().chain(paths).chain(more))
    }
}

impl AppPlace {
    /// The accounts, whose database is created if there is none, and the number of companies that the app serves.
    pub(crate) async fn accounts_and_companies(self, host: &dyn Host) -> anyhow::Result<(Accounts, usize)> {
        let settings = self.settings([])?;
        let companies = served_companies(&settings, |environment| host.register(environment)).await;
        let store = open_store(&settings).await?;
        Ok((accounts_in(store, settings), companies))
    }
}

fn accounts_in(store: Store, settings: Settings) -> Accounts {
    Accounts::new(store, Arc::new(SystemClock), settings.administrators.admins)
}

fn logged(loaded: Result<Settings, SettingsError>) -> Result<Settings, SettingsError> {
    for warning in loaded.as_ref().map_or_else(SettingsError::warnings, Settings::warnings) {
        tracing::warn!("{warning}");
    }
    loaded
}

impl Place {
    fn load(
        self,
        more: impl IntoIterator<Item = (&'static str, Override)>,
    ) -> Result<Settings, SettingsError> {
        let file = Settings::file(self.config);
        let data = self.data.map(|data| ("data", Override::Path(data)));
        Settings::load(file.as_deref(), Settings::environment(), data.into_iter().chain(more))
    }

    async fn open(self, absent: Absent) -> anyhow::Result<(Store, Settings)> {
        let settings = logged(self.load([]))?;
        if absent == Absent::Tell && !has_database(&settings) {
            let folder = settings.folders.data.display();
            return Err(NotThere(format!("there is no database in the data folder {folder}")).into());
        }
        Ok((open_store(&settings).await?, settings))
    }

    pub(crate) async fn store(self) -> anyhow::Result<Store> {
        Ok(self.open(Absent::Tell).await?.0)
    }

    pub(crate) async fn accounts(self, absent: Absent) -> anyhow::Result<Accounts> {
        let (store, settings) = self.open(absent).await?;
        Ok(accounts_in(store, settings))
    }

    pub(crate) async fn api_keys(self, absent: Absent) -> anyhow::Result<ApiKeys> {
        let (store, _) = self.open(absent).await?;
        Ok(ApiKeys::new(store, Arc::new(SystemClock), Arc::new(SystemEntropy)))
    }
}
