//! A company's simulated WeCom, and three replicas of the server in processes of their own.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Client;
use serde_json::Value;
use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;
use wecom_login_simulator::{Company, Fault, FaultKind, Options, Simulator, sample};

use crate::app::{free_addresses, share, subscribe, write_app};
use crate::browser::Browser;
use crate::program::{Program, command, http, output};
use crate::wait::PATIENCE;

/// Three replicas; the public address is the address of the first one.
#[derive(Debug)]
pub struct Replicas {
    /// The simulated WeCom.
    pub wecom: Simulator,
    program: PathBuf,
    folder: TempDir,
    shared: Shared,
    urls: Vec<String>,
    running: Vec<Option<Program>>,
    http: Client,
}

/// The storage that the replicas share: a database and a Redis prefix of their own on the servers of the run.
#[derive(Debug)]
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
        share(command, Some(&self.database), Some(&self.redis));
        command.env("WECOM_LOGIN_REDIS_PREFIX", &self.name);
    }
}

fn given(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run this with scripts/with-servers"))
}

impl Replicas {
    /// Starts three replicas of this program for a company with so many members. All three start at the same moment, on a
    /// database without tables; returns when they are ready. The servers are those of `scripts/with-servers`.
    pub async fn of(program: &Path, members: usize) -> Self {
        Self::start(program, members, None, &[]).await
    }

    /// Does the same, but WeCom refuses access tokens until the replicas have started, so that none has a token. WeCom has
    /// counted no call then.
    pub async fn cold(program: &Path, members: usize) -> Self {
        let refused = Fault::new("gettoken", FaultKind::Errcode { code: -1 });
        // Each start gives up reading departments, because it gets no token.
        let replicas = Self::start(program, members, Some(refused), &["departments could not be read"]).await;
        replicas.wecom.clear_faults();
        replicas.wecom.reset_calls();
        replicas
    }

    async fn start(program: &Path, members: usize, fault: Option<Fault>, says: &[&str]) -> Self {
        let companies = vec![Company::generated(members, 5, 1)];
        let wecom = Simulator::start(Options { companies, ..Options::default() }).await.unwrap();
        if let Some(fault) = fault {
            wecom.fault(fault);
        }
        let folder = tempfile::tempdir().unwrap();
        let shared = Shared::new().await;
        let addresses = free_addresses(3);
        let urls: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
        write_app(folder.path(), &wecom, &urls[0]);
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let mut running: Vec<Program> = Vec::new();
        for (number, address) in addresses.iter().enumerate() {
            let data = path(&format!("data of {number}"));
            let mut command = command(program, &["serve", "--app", &path("app"), "--data", &data]);
            command.args(["--listen", address, "--public-url", &urls[0]]);
            shared.settings(&mut command);
            running.push(Program::start(command));
        }
        for program in &mut running {
            program.is_ready_and_says(says);
        }
        let running = running.into_iter().map(Some).collect();
        Self { wecom, program: program.to_owned(), folder, shared, urls, running, http: http() }
    }

    /// The address of a replica; the number is taken modulo the number of replicas.
    pub fn url(&self, replica: usize) -> &str {
        &self.urls[replica % self.urls.len()]
    }

    /// Ends a replica like a power failure.
    pub fn kill(&mut self, replica: usize) {
        self.running[replica].take().unwrap().kill();
    }

    /// The userids of all members of the company.
    pub fn people(&self) -> Vec<String> {
        self.wecom
            .edit(sample::CORP_ID, |company| company.members().map(|member| member.userid.clone()).collect())
            .unwrap()
    }

    /// Saves this replica's callback address in the simulated console of contact sync, which checks it.
    pub async fn subscribe(&self, replica: usize) {
        subscribe(&self.wecom, self.url(replica)).await;
    }

    /// A browser without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.http)
    }

    /// Starts a sign-in at this replica; returns the path that WeCom redirects to after the member has confirmed.
    pub async fn redirect(&self, browser: &Browser, replica: usize, user_id: &str) -> String {
        browser.redirect(self.url(replica), &self.wecom.code_for(user_id)).await
    }

    /// The path that WeCom redirects to after the member has confirmed the sign-in of a link of ours.
    pub fn redirect_of(&self, link: &str, user_id: &str) -> String {
        assert!(link.starts_with(&format!("{}/wwlogin/sso/login?", self.wecom.url())), "{link}");
        let state = link.split_once("&state=").unwrap().1.split(['&', '#']).next().unwrap();
        format!("/auth/wecom?code={}&state={state}", self.wecom.code_for(user_id))
    }

    /// A browser in which the member has signed in, through two replicas.
    pub async fn signed_in(&self, user_id: &str) -> Browser {
        let browser = self.browser();
        let redirect = self.redirect(&browser, 1, user_id).await;
        assert_eq!(browser.get(self.url(2), &redirect).await.status().as_u16(), 303);
        for replica in 0..self.urls.len() {
            assert_eq!(browser.me(self.url(replica)).await.as_deref(), Some(user_id));
        }
        browser
    }

    /// The active sessions, as the command lists them.
    pub async fn sessions(&self, more: &[&str]) -> Vec<Value> {
        let mut command = command(&self.program, &["session", "list", "--json", "--data"]);
        command.arg(self.folder.path().join("data of 1")).args(more);
        self.shared.settings(&mut command);
        let output = tokio::task::spawn_blocking(move || output(command)).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Deletes all keys of these replicas in Redis, and no others.
    pub fn empty_redis(&self) {
        let gone = self.ask_redis(
            "",
            "local keys = redis.call('KEYS', ARGV[1]) for _, key in ipairs(keys) do redis.call('DEL', key) end \
             return #keys",
        );
        assert!(gone > 0, "the replicas have no keys in Redis");
    }

    /// The number of keys of these replicas in Redis that contain `part`.
    pub fn redis_keys(&self, part: &str) -> u32 {
        self.ask_redis(part, "return #redis.call('KEYS', ARGV[1])")
    }

    /// Runs a script, whose argument is the pattern of these replicas' keys that contain `part`, and returns its number.
    fn ask_redis(&self, part: &str, script: &str) -> u32 {
        let words = ["EVAL", script, "0", &format!("{}*{part}*", self.shared.name)];
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            write!(request, "${}\r\n{word}\r\n", word.len()).unwrap();
        }
        let address = self.shared.redis.trim_start_matches("redis://").trim_end_matches('/');
        let mut redis = TcpStream::connect(address).unwrap();
        redis.set_read_timeout(Some(PATIENCE)).unwrap();
        redis.write_all(&request).unwrap();
        let mut answer = [0; 64];
        let length = redis.read(&mut answer).unwrap();
        let answer = std::str::from_utf8(&answer[..length]).unwrap();
        answer.trim().trim_start_matches(':').parse().unwrap_or_else(|_| panic!("{answer}"))
    }
}
