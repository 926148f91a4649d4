//! A company's WeCom, three replicas of the server in processes of their own, and browsers.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;
use wecom_login_simulator::{Callback, Company, Options, Receiver, Rule, Simulator, sample};

use crate::program::{Program, command};

const TOKEN: &str = "hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo";
const AES_KEY: &str = "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt";

/// Three replicas; the public address is the first one's.
pub(super) struct Replicas {
    pub(super) wecom: Simulator,
    folder: TempDir,
    shared: Shared,
    urls: Vec<String>,
    running: Vec<Option<Program>>,
    http: Client,
}

/// What the replicas share: an own database and an own prefix on the servers of the run.
struct Shared {
    database: String,
    redis: String,
    name: String,
}

impl Shared {
    async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("replicas{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let server = given("WECOM_LOGIN_TEST_POSTGRES");
        let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        connection.close().await.unwrap();
        let database = format!("{}/{name}?sslmode=disable", server.rsplit_once('/').unwrap().0);
        Self { database, redis: given("WECOM_LOGIN_TEST_REDIS"), name }
    }

    fn settings(&self, command: &mut Command) {
        command
            .env("WECOM_LOGIN_DATABASE", &self.database)
            .env("WECOM_LOGIN_REDIS", &self.redis)
            .env("WECOM_LOGIN_REDIS_PREFIX", &self.name)
            .env("WECOM_LOGIN_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    }
}

fn given(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run this with scripts/with-servers"))
}

impl Replicas {
    /// Of a company with so many members. All three are started at the same moment, on a database without tables.
    pub(super) async fn of(members: usize) -> Self {
        let companies = vec![Company::generated(members, 5, 1)];
        let wecom = Simulator::start(Options { companies, ..Options::default() }).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let shared = Shared::new().await;
        // All bound at the same time, so that no two are the same.
        let free: Vec<_> = (0..3).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<String> =
            free.iter().map(|listener| listener.local_addr().unwrap().to_string()).collect();
        drop(free);
        let urls: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
        write_app(&folder, &wecom, &urls[0]);
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let mut running: Vec<Program> = Vec::new();
        for (number, address) in addresses.iter().enumerate() {
            let data = path(&format!("data of {number}"));
            let mut command = command(&["serve", "--app", &path("app"), "--data", &data]);
            command.args(["--listen", address, "--public-url", &urls[0]]);
            shared.settings(&mut command);
            running.push(Program::start(command));
        }
        for program in &mut running {
            let log = program.wait_for_log("ready");
            // The log must be read on, or the process waits for a reader.
            std::thread::spawn(move || std::io::copy(&mut { log }, &mut std::io::sink()));
        }
        let running = running.into_iter().map(Some).collect();
        Self { wecom, folder, shared, urls, running, http: client() }
    }

    /// Where a replica listens; they are counted round and round.
    pub(super) fn url(&self, replica: usize) -> &str {
        &self.urls[replica % self.urls.len()]
    }

    pub(super) fn kill(&mut self, replica: usize) {
        self.running[replica].take().unwrap().kill();
    }

    pub(super) fn people(&self) -> Vec<String> {
        self.wecom
            .edit(sample::CORP_ID, |company| company.members().map(|member| member.userid.clone()).collect())
            .unwrap()
    }

    /// The console of contact sync is given the address at this replica, which answers its check.
    pub(super) async fn subscribe(&self, replica: usize) {
        let callback = Callback {
            url: format!("{}/wecom/callback/Example", self.url(replica)),
            token: TOKEN.to_owned(),
            aes_key: AES_KEY.to_owned(),
            rule: Rule::New,
        };
        self.wecom.save_callback(sample::CORP_ID, Receiver::ContactSync, callback).await.unwrap();
    }

    pub(super) fn browser(&self) -> Browser {
        Browser { http: self.http.clone(), cookies: Mutex::default() }
    }

    /// Begins a sign-in at this replica; the path that WeCom redirects to when the member has confirmed.
    pub(super) async fn redirect(&self, browser: &Browser, replica: usize, user_id: &str) -> String {
        let path = "/api/local/app/auths/loginTypes/Example/getLoginConfig";
        let request = browser.request(Method::POST, self.url(replica), path).json(&json!({}));
        let config: Value = browser.send(request).await.json().await.unwrap();
        let state = config["data"]["state"].as_str().unwrap_or_else(|| panic!("{config}"));
        format!("/auth/wecom?code={}&state={state}", self.wecom.code_for(user_id))
    }

    /// The path that WeCom redirects to when the member has confirmed what a link of ours asked for.
    pub(super) fn redirect_of(&self, link: &str, user_id: &str) -> String {
        assert!(link.starts_with(&format!("{}/wwlogin/sso/login?", self.wecom.url())), "{link}");
        let state = link.split_once("&state=").unwrap().1.split(['&', '#']).next().unwrap();
        format!("/auth/wecom?code={}&state={state}", self.wecom.code_for(user_id))
    }

    /// A browser in which the member is signed in, by two replicas.
    pub(super) async fn signed_in(&self, user_id: &str) -> Browser {
        let browser = self.browser();
        let redirect = self.redirect(&browser, 1, user_id).await;
        assert_eq!(browser.get(self.url(2), &redirect).await.status().as_u16(), 303);
        for replica in 0..self.urls.len() {
            assert_eq!(browser.me(self.url(replica)).await.as_deref(), Some(user_id));
        }
        browser
    }

    /// The sessions that live, as the command lists them.
    pub(super) async fn sessions(&self, more: &[&str]) -> Vec<Value> {
        let mut command = command(&["session", "list", "--json", "--data"]);
        command.arg(self.folder.path().join("data of 1")).args(more);
        self.shared.settings(&mut command);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Everything that the replicas keep in Redis is gone, and nothing of others.
    pub(super) fn empty_redis(&self) {
        let script = "local keys = redis.call('KEYS', ARGV[1]) for _, key in ipairs(keys) do redis.call('DEL', key) end \
                      return #keys";
        let words = ["EVAL", script, "0", &format!("{}*", self.shared.name)];
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            write!(request, "${}\r\n{word}\r\n", word.len()).unwrap();
        }
        let address = self.shared.redis.trim_start_matches("redis://").trim_end_matches('/');
        let mut redis = TcpStream::connect(address).unwrap();
        redis.write_all(&request).unwrap();
        let mut answer = [0; 64];
        let length = redis.read(&mut answer).unwrap();
        let answer = std::str::from_utf8(&answer[..length]).unwrap();
        let gone: u32 = answer.trim().trim_start_matches(':').parse().unwrap_or_else(|_| panic!("{answer}"));
        assert!(gone > 0, "the replicas keep nothing in Redis");
    }
}

/// A client that follows no redirects and keeps no connection: one that the server closes just when it is used again is an
/// error that a real browser does not show.
fn client() -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

fn write_app(folder: &TempDir, wecom: &Simulator, public_url: &str) {
    let element = folder.path().join("app/auths/loginTypes/Example");
    std::fs::create_dir_all(&element).unwrap();
    let json = json!({"title": "Example", "type": "auths.loginTypes.QywxInnerType"});
    std::fs::write(element.join("e.json"), json.to_string()).unwrap();
    let config = json!({
        "corpId": sample::CORP_ID,
        "corpSecret": sample::SECRET,
        "agentId": sample::AGENT_ID,
        "redirectUri": format!("{public_url}/auth/wecom"),
        "contactCallbackToken": TOKEN,
        "contactCallbackAesKey": AES_KEY,
        "apiBase": wecom.api_url(),
        "loginBase": wecom.url(),
        "oauthBase": wecom.url(),
    });
    std::fs::write(element.join("Example.json"), config.to_string()).unwrap();
}

/// A browser behind a load balancer: its cookies go to whichever replica it is sent to.
pub(super) struct Browser {
    http: Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    pub(super) fn request(&self, method: Method, url: &str, path: &str) -> RequestBuilder {
        let cookies = self.cookies.lock().unwrap();
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.http.request(method, format!("{url}{path}")).header("cookie", pairs.join("; "))
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Response {
        let answer = request.send().await.unwrap();
        for pair in pairs(&answer) {
            self.keep(&pair);
        }
        answer
    }

    pub(super) fn keep(&self, pair: &str) {
        let (name, value) = pair.split_once('=').unwrap();
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub(super) async fn get(&self, url: &str, path: &str) -> Response {
        self.send(self.request(Method::GET, url, path)).await
    }

    /// Who is signed in, as this replica sees it.
    pub(super) async fn me(&self, url: &str) -> Option<String> {
        let request = self.request(Method::GET, url, "/me").header("accept", "application/json");
        let answer = request.send().await.unwrap();
        match answer.status().as_u16() {
            401 => None,
            200 => Some(answer.json::<Value>().await.unwrap()["userId"].as_str().unwrap().to_owned()),
            other => panic!("/me answered {other}"),
        }
    }
}

fn pairs(answer: &Response) -> Vec<String> {
    let cookies = answer.headers().get_all("set-cookie").iter();
    cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned()).collect()
}

/// The session's cookie that an answer sets.
pub(super) fn session_of(answer: &Response) -> Option<String> {
    pairs(answer).into_iter().find(|pair| pair.starts_with("wecom_login_session="))
}
