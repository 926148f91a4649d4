//! An app folder whose instance points to the simulator, and the address of its server.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;
use wecom_login_simulator::{Callback, Receiver, Rule, Simulator, sample};

use crate::program::command;

/// Where the functions of the instance are.
pub(crate) const FUNCTIONS: &str = "/api/local/app/auths/loginTypes/Example";
const TOKEN: &str = "hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo";
const AES_KEY: &str = "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt";

/// The app with its one instance, `Example`, whose redirects come to `url`.
pub(crate) fn write_app(folder: &Path, wecom: &Simulator, url: &str) {
    let element = folder.join("app/auths/loginTypes/Example");
    std::fs::create_dir_all(&element).unwrap();
    let json = json!({"title": "Example", "type": "auths.loginTypes.QywxInnerType"});
    std::fs::write(element.join("e.json"), json.to_string()).unwrap();
    let config = json!({
        "corpId": sample::CORP_ID,
        "corpSecret": sample::SECRET,
        "agentId": sample::AGENT_ID,
        "redirectUri": format!("{url}/auth/wecom"),
        "contactCallbackToken": TOKEN,
        "contactCallbackAesKey": AES_KEY,
        "apiBase": wecom.api_url(),
        "loginBase": wecom.url(),
        "oauthBase": wecom.url(),
    });
    std::fs::write(element.join("Example.json"), config.to_string()).unwrap();
}

/// The console of contact sync is given the address at this server, which answers its check.
pub(crate) async fn subscribe(wecom: &Simulator, url: &str) {
    let callback = Callback {
        url: format!("{url}/wecom/callback/Example"),
        token: TOKEN.to_owned(),
        aes_key: AES_KEY.to_owned(),
        rule: Rule::New,
    };
    wecom.save_callback(sample::CORP_ID, Receiver::ContactSync, callback).await.unwrap();
}

/// Addresses that are free now, and that nobody else asks for: bound at the same time, so that no two are the same.
pub(crate) fn free_addresses(count: usize) -> Vec<String> {
    let bound: Vec<_> = (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    bound.iter().map(|listener| listener.local_addr().unwrap().to_string()).collect()
}

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

/// The command with these servers behind it, and the key that all who use them have.
pub(crate) fn share(command: &mut Command, database: Option<&str>, redis: Option<&str>) {
    command.env("WECOM_LOGIN_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let addresses = [("WECOM_LOGIN_DATABASE", database), ("WECOM_LOGIN_REDIS", redis)];
    for (variable, url) in addresses.into_iter().filter_map(|(variable, url)| Some((variable, url?))) {
        command.env(variable, url);
    }
}
