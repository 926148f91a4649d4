//! Where the data of a command lies: the same settings as the server's, so that both mean the same database.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use wecom_login_accounts::{Accounts, ApiKeys};
use wecom_login_model::{SystemClock, SystemEntropy};
use wecom_login_server::{Settings, has_database, open_store};
use wecom_login_store::Store;

#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The folder of the database [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The settings file [default: wecom-login.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Place {
    fn settings(self) -> anyhow::Result<Settings> {
        let file = Settings::file(self.config);
        let data = self.data.map(|data| ("data", data.display().to_string()));
        Ok(Settings::load(file.as_deref(), std::env::vars(), data)?)
    }

    pub(crate) async fn accounts(self) -> anyhow::Result<Accounts> {
        let settings = self.settings()?;
        let store = open_store(&settings).await?;
        Ok(Accounts::new(store, Arc::new(SystemClock), settings.admins))
    }

    /// The database itself. It must be there: a mistyped folder is no empty one.
    pub(crate) async fn store(self) -> anyhow::Result<Store> {
        let settings = self.settings()?;
        if !has_database(&settings) {
            bail!("there is no database in the data folder {}", settings.data.display());
        }
        Ok(open_store(&settings).await?)
    }

    pub(crate) async fn api_keys(self) -> anyhow::Result<ApiKeys> {
        let store = open_store(&self.settings()?).await?;
        Ok(ApiKeys::new(store, Arc::new(SystemClock), Arc::new(SystemEntropy)))
    }
}
