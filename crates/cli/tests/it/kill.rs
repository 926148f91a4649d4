use std::process::Command;

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use wecom_login_simulator::{CodeRequest, Options, Simulator, sample};

use crate::program::{Program, command, http};

/// An app folder whose instance points to the simulator, and the address of its server.
pub(crate) struct App {
    folder: TempDir,
    address: String,
}

impl App {
    pub(crate) fn new(wecom: &Simulator) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Free now, and nobody else asks for just this one.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let element = folder.path().join("app/auths/loginTypes/Example");
        std::fs::create_dir_all(&element).unwrap();
        let json = json!({"title": "Example", "type": "auths.loginTypes.QywxInnerType"});
        std::fs::write(element.join("e.json"), json.to_string()).unwrap();
        let config = json!({
            "corpId": sample::CORP_ID,
            "corpSecret": sample::SECRET,
            "agentId": sample::AGENT_ID,
            "redirectUri": format!("http://{address}/auth/wecom"),
            "apiBase": wecom.api_url(),
            "loginBase": wecom.url(),
            "oauthBase": wecom.url(),
        });
        std::fs::write(element.join("Example.json"), config.to_string()).unwrap();
        Self { folder, address }
    }

    pub(crate) fn command(&self) -> Command {
        let path = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        command(&["serve", "--app", &path("app"), "--data", &path("data"), "--listen", &self.address])
    }

    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn redirect(&self) -> String {
        format!("http://{}/auth/wecom", self.address)
    }

    pub(crate) fn function(&self, name: &str) -> String {
        format!("http://{}/api/local/app/auths/loginTypes/Example/{name}", self.address)
    }

    fn me(&self) -> String {
        format!("http://{}/me", self.address)
    }
}

/// A new browser's cookie and a state for it.
pub(crate) async fn state(http: &Client, app: &App) -> (String, String) {
    try_state(http, app).await.unwrap()
}

async fn try_state(http: &Client, app: &App) -> reqwest::Result<(String, String)> {
    let answer = http.post(app.function("getLoginConfig")).json(&json!({})).send().await?;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let envelope: Value = answer.json().await?;
    Ok((cookie, envelope["data"]["state"].as_str().unwrap().to_owned()))
}

/// Signs in; the session's cookie once its answer has arrived whole.
pub(crate) async fn sign_in(http: &Client, app: &App, code: &str) -> reqwest::Result<String> {
    let (browser, state) = try_state(http, app).await?;
    let redirect = format!("{}?code={code}&state={state}", app.redirect());
    let answer = http.get(redirect).header("cookie", browser).send().await?;
    assert_eq!(answer.status().as_u16(), 303);
    Ok(answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned())
}

/// Many sign in at once, the process is killed in the middle, again and again. Whoever had the answer is still signed
/// in afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_no_finished_sign_in_is_lost() {
    let wecom = std::sync::Arc::new(Simulator::start(Options::default()).await.unwrap());
    let app = std::sync::Arc::new(App::new(&wecom));
    let mut finished: Vec<String> = Vec::new();
    for round in 0_usize..10 {
        let mut program = Program::start(app.command());
        let log = program.wait_for_log("ready");
        // The log must be read on, or the process waits for a reader.
        std::thread::spawn(move || std::io::copy(&mut { log }, &mut std::io::sink()));
        let http = http();
        for cookie in &finished {
            let me = http.get(app.me()).header("cookie", cookie).send().await.unwrap();
            assert_eq!(me.status().as_u16(), 200, "a session was lost in round {round}");
        }
        let (done, mut cookies) = tokio::sync::mpsc::unbounded_channel();
        let mut people = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (http, app, wecom, done) = (http.clone(), app.clone(), wecom.clone(), done.clone());
            people.spawn(async move {
                let code =
                    || wecom.issue_code(CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, "zhangsan"));
                // Until the process dies under it.
                while let Ok(cookie) = sign_in(&http, &app, &code()).await {
                    if done.send(cookie).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        // Each round the kill falls after another number of sign-ins, in the middle of others.
        for _ in 0..=round * 3 {
            finished.push(cookies.recv().await.unwrap());
        }
        program.kill();
        while people.join_next().await.is_some() {}
        while let Some(cookie) = cookies.recv().await {
            finished.push(cookie);
        }
    }
    assert!(finished.len() > 100, "{} sign-ins were finished", finished.len());
}
