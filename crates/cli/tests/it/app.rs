//! An app folder whose instance points to the simulator, and the address of its server.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use wecom_login_simulator::Simulator;
pub(crate) use wecom_login_testkit::app::{FUNCTIONS, free_addresses, share, subscribe, write_app};

use crate::program::command;

pub(crate) struct App {
    folder: TempDir,
    address: String,
    url: String,
}

impl App {
    pub(crate) fn new(wecom: &Simulator) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_addresses(1).remove(0);
        let url = format!("http://{address}");
        write_app(folder.path(), wecom, &url);
        Self { folder, address, url }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// `serve`, with SQLite in the data folder.
    pub(crate) fn command(&self) -> Command {
        let (app, data) = (self.path("app"), self.path("data"));
        command(&["serve", "--app", &app, "--data", &data, "--listen", &self.address])
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn function(&self, name: &str) -> String {
        format!("{}{FUNCTIONS}/{name}", self.url)
    }
}
