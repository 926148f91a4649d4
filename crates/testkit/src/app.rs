//! An app folder whose instance points to the simulator, and the settings to start its server with.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use wecom_login_simulator::{Callback, Receiver, Rule, Simulator, sample};

/// The path below which the instance's functions are.
pub const FUNCTIONS: &str = "/api/local/app/auths/loginTypes/Example";
const TOKEN: &str = "hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo";
const AES_KEY: &str = "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt";

/// Writes the app with its one instance, `Example`, whose redirect address is below `url`.
pub fn write_app(folder: &Path, wecom: &Simulator, url: &str) {
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

/// Saves the server's callback address in the simulated console of contact sync, which checks it.
pub async fn subscribe(wecom: &Simulator, url: &str) {
    let callback = Callback {
        url: format!("{url}/wecom/callback/Example"),
        token: TOKEN.to_owned(),
        aes_key: AES_KEY.to_owned(),
        rule: Rule::New,
    };
    wecom.save_callback(sample::CORP_ID, Receiver::ContactSync, callback).await.unwrap();
}

/// Free addresses, all different because they are bound at the same time.
pub fn free_addresses(count: usize) -> Vec<String> {
    let bound: Vec<_> = (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    bound.iter().map(|listener| listener.local_addr().unwrap().to_string()).collect()
}

/// Adds the addresses of the servers, and the key that all users of them share, to the command's environment.
pub fn share(command: &mut Command, database: Option<&str>, redis: Option<&str>) {
    command.env("WECOM_LOGIN_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let addresses = [("WECOM_LOGIN_DATABASE", database), ("WECOM_LOGIN_REDIS", redis)];
    for (variable, url) in addresses.into_iter().filter_map(|(variable, url)| Some((variable, url?))) {
        command.env(variable, url);
    }
}
