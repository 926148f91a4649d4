//! A company with its simulated WeCom, a server, and a clock that the test moves.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wecom::Budget;
use wecom_login_directory::events::Events;
use wecom_login_element::{App, Environment};
use wecom_login_model::{
    Clock as _, Fingerprint, ManualClock, SeededEntropy, SystemClock, Timestamp, UserId,
};
use wecom_login_server::{Dependencies, FileWatch, Server, Settings};
use wecom_login_sign_in::{AuthorizationResponse, Delivery, Former, Instance, Login, SignInError, SignedIn};
use wecom_login_simulator::{CodeRequest, Options, Simulator, sample};
use wecom_login_store::{Leaver, NewEvent};

pub mod browser;

use browser::{Browser, Page};

use crate::wait;

/// The full name of the instance.
pub const ELEMENT: &str = "auths.loginTypes.Example";
/// The path below which its functions are.
pub const API: &str = "/api/acme/portal/auths/loginTypes/Example";
/// The path of its redirectUri.
pub const REDIRECT: &str = "/auth/wecom";
/// The name of the session cookie on plain http.
pub const SESSION_COOKIE: &str = "wecom_login_session";
/// The name of the browser cookie on plain http.
pub const BROWSER_COOKIE: &str = "wecom_login_browser";

/// A company with its WeCom, a server in this process, and the clock of both.
pub struct World {
    /// The simulated WeCom.
    pub wecom: Simulator,
    /// The server's clock.
    pub clock: ManualClock,
    /// The public address of the server.
    pub url: String,
    /// The sign-in, through the library.
    pub login: Login,
    /// The instance [`ELEMENT`].
    pub instance: Arc<Instance>,
    /// The app folder as it was read at the start.
    pub app: Arc<App>,
    http: reqwest::Client,
    address: SocketAddr,
    budget: Duration,
    change: Change,
    register: Register,
    running: Running,
    folder: TempDir,
}

struct Running {
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
    files: FileWatch,
    server: Server,
}

/// The parts of a world; each has a default.
pub struct Builder {
    config: Value,
    more: Vec<(String, Value)>,
    budget: Duration,
    change: Change,
    files: Vec<(String, Value)>,
    register: Register,
    at: Timestamp,
}

/// Changes the settings of each server of the world.
type Change = Arc<dyn Fn(&mut Settings) + Send + Sync>;

/// Adds the test's own Types.
pub type Register = fn(Environment) -> Environment;

/// A world with the defaults.
pub fn world() -> Builder {
    Builder {
        config: json!({}),
        more: Vec::new(),
        budget: Duration::from_secs(5),
        change: Arc::new(|_| {}),
        files: Vec::new(),
        register: |environment| environment,
        at: SystemClock.now(),
    }
}

impl Builder {
    /// Replaces keys of the instance's configuration.
    pub fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// Adds another instance.
    pub fn instance(mut self, name: &str, config: Value) -> Self {
        self.more.push((name.to_owned(), config));
        self
    }

    /// Replaces the time budget of one sign-in's calls.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// Adds a file to the app.
    pub fn file(mut self, path: &str, json: Value) -> Self {
        self.files.push((path.to_owned(), json));
        self
    }

    /// Adds the test's own Types.
    pub fn register(mut self, register: Register) -> Self {
        self.register = register;
        self
    }

    /// Changes the settings before the start.
    pub fn settings(mut self, change: impl Fn(&mut Settings) + Send + Sync + 'static) -> Self {
        self.change = Arc::new(change);
        self
    }

    /// Sets the server's time at the start, instead of the current time.
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = at;
        self
    }

    /// Starts the simulator and the server.
    pub async fn start(self) -> World {
        let wecom = Simulator::start(Options::default()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("app");
        let element = |name: &str, changes: &Value| {
            let folder = app.join("auths/loginTypes").join(name);
            std::fs::create_dir_all(&folder).unwrap();
            let mut config = json!({
                "corpId": sample::CORP_ID,
                "corpSecret": sample::SECRET,
                "agentId": sample::AGENT_ID,
                "redirectUri": format!("{url}{REDIRECT}"),
                "apiBase": wecom.api_url(),
                "loginBase": wecom.url(),
                "oauthBase": wecom.url(),
            });
            for (key, value) in changes.as_object().unwrap() {
                config[key] = value.clone();
            }
            let title = format!("Sign-in of {name}");
            let element = json!({"title": title, "type": "auths.loginTypes.QywxInnerType"});
            std::fs::write(folder.join("e.json"), element.to_string()).unwrap();
            std::fs::write(folder.join(format!("{name}.json")), config.to_string()).unwrap();
        };
        element("Example", &self.config);
        for (name, config) in &self.more {
            element(name, config);
        }
        for (path, json) in &self.files {
            write(&app, path, json);
        }
        std::fs::write(app.join("app.json"), json!({"orgId": "acme", "name": "portal"}).to_string()).unwrap();

        let clock = ManualClock::at(self.at);
        let (server, running) = {
            let settings = settings(address, &app, &folder.path().join("data"), &self.change);
            run(settings, &clock, self.budget, self.register, listener).await
        };
        let (login, instance, app) = server;
        World {
            wecom,
            clock,
            url,
            login,
            instance,
            app,
            http: http(),
            address,
            budget: self.budget,
            change: self.change,
            register: self.register,
            running,
            folder,
        }
    }
}

fn http() -> reqwest::Client {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.timeout(wait::PATIENCE).build().unwrap()
}

fn settings(address: SocketAddr, app: &std::path::Path, data: &std::path::Path, change: &Change) -> Settings {
    let mut settings = Settings::local(address, app.to_owned(), data.to_owned()).unwrap();
    change(&mut settings);
    settings
}

async fn run(
    settings: Settings,
    clock: &ManualClock,
    budget: Duration,
    register: Register,
    listener: TcpListener,
) -> ((Login, Arc<Instance>, Arc<App>), Running) {
    let dependencies = Dependencies {
        clock: Arc::new(clock.clone()),
        // Each start draws different values, as a real one does.
        entropy: Arc::new(SeededEntropy::new(u64::try_from(SystemClock.now().as_millis()).unwrap())),
        sign_in_budget: Budget::sign_in_within(budget),
        silence: Duration::ZERO,
        ..Dependencies::default()
    };
    let server = Server::open_with(settings, dependencies, register).await.unwrap();
    assert_eq!(server.faults(), []);
    let login = server.login().clone();
    let (instance, app) = (server.instance(ELEMENT).unwrap(), server.app());
    let (files, kept) = (server.file_watch(), server.clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let done = tokio::spawn(async move {
        server
            .run(listener, async move {
                let _ = stopped.await;
            })
            .await
            .unwrap();
    });
    ((login, instance, app), Running { stop, done, files, server: kept })
}

impl World {
    /// A browser without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(self.http.clone(), &self.url)
    }

    /// Stops the server and starts it again on the same data.
    pub async fn restart(&mut self) {
        let listener = self.stop_and_listen().await;
        let app = self.folder.path().join("app");
        let settings = settings(self.address, &app, &self.data(), &self.change);
        let ((login, instance, app), running) =
            run(settings, &self.clock, self.budget, self.register, listener).await;
        (self.login, self.instance, self.app, self.running) = (login, instance, app, running);
    }

    /// Starts another server of the same app and storage, behind the same public address; returns its own address.
    pub async fn replica(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (app, data) = (self.folder.path().join("app"), self.folder.path().join("data of another"));
        let settings = settings(self.address, &app, &data, &self.change);
        let (_, running) = run(settings, &self.clock, self.budget, self.register, listener).await;
        tokio::spawn(async move {
            // The server runs until the test ends.
            let mut running = running;
            let _ = (&mut running.done).await;
        });
        url
    }

    /// The server, as its process uses it.
    pub fn server(&self) -> &Server {
        &self.running.server
    }

    /// The listen address of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Signals the server to stop.
    pub fn stop(&mut self) {
        let (stop, _) = oneshot::channel();
        drop(std::mem::replace(&mut self.running.stop, stop));
    }

    /// Waits until the server has stopped.
    pub async fn stopped(&mut self) {
        let done = std::mem::replace(&mut self.running.done, tokio::spawn(async {}));
        wait::within("the stop of the server", done).await.unwrap();
    }

    /// Starts the stopped server again.
    pub async fn start_again(&mut self) {
        self.restart().await;
    }

    async fn stop_and_listen(&mut self) -> TcpListener {
        let (stop, _) = oneshot::channel();
        drop(std::mem::replace(&mut self.running.stop, stop));
        let done = std::mem::replace(&mut self.running.done, tokio::spawn(async {}));
        // Keep-alive connections would keep the port in use.
        self.http = http();
        wait::within("the stop of the server", done).await.unwrap();
        TcpListener::bind(self.address).await.unwrap()
    }

    /// The contact events of the server.
    pub fn events(&self) -> &Events {
        self.running.server.events()
    }

    /// Waits until all contact events have been processed.
    pub async fn settle(&self) {
        wait::found("no contact event waits", async || match self.waiting().await {
            0 => Ok(()),
            waiting => {
                self.events().work().await.unwrap();
                Err(waiting)
            }
        })
        .await;
    }

    /// The number of waiting contact events.
    pub async fn waiting(&self) -> i64 {
        self.events().backlog().await.unwrap().iter().map(|backlog| backlog.waiting).sum()
    }

    /// Makes the database unavailable to the running server.
    pub async fn lose_database(&self) {
        self.running.server.close().await;
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The database, opened as a command opens it.
    pub async fn store(&self) -> wecom_login_store::Store {
        wecom_login_store::Store::open_sqlite(&self.data().join("wecom-login.db")).await.unwrap()
    }

    /// An event of contact sync says that the member was deleted.
    pub async fn deleted(&self, user_id: &UserId) {
        let event = NewEvent {
            fingerprint: Fingerprint::of(format!("deleted {user_id} {:?}", self.clock.now())),
            corp_id: self.instance.corp_id(),
            tasks: Vec::new(),
            leaver: Some(Leaver::Company(user_id.clone())),
        };
        self.store().await.accept_event(&event, self.clock.now()).await.unwrap();
    }

    /// The members of the first company in the local copy who have not left, with their departments.
    pub async fn members(&self) -> Vec<(String, Vec<i64>)> {
        let corp_id = self.instance.corp_id();
        let members = self.store().await.memberships_after(corp_id, None, i64::MAX).await.unwrap();
        let ids = |ids: Vec<wecom_login_model::DepartmentId>| ids.into_iter().map(|id| id.0).collect();
        members.into_iter().map(|one| (one.user_id.to_string(), ids(one.departments))).collect()
    }

    /// The departments of the local copy with their parents, 0 for none.
    pub async fn departments(&self) -> Vec<(i64, i64)> {
        let departments = self.store().await.departments(self.instance.corp_id()).await.unwrap();
        departments
            .iter()
            .map(|department| (department.id.0, department.parent.map_or(0, |id| id.0)))
            .collect()
    }

    /// The accessToken field of the member's model: the hash of the token of the latest active session.
    pub async fn token_of(&self, user_id: &str) -> String {
        let filter = format!("Q(userId='{user_id}')").parse().unwrap();
        let app = Some((self.instance.corp_id(), self.instance.agent_id()));
        let row = self.store().await.auth_row(app, &filter, &[], self.clock.now()).await.unwrap();
        row.unwrap().access_token.expose().to_owned()
    }

    /// Writes a file of the app and lets the server read it.
    pub fn write(&self, path: &str, json: &Value) {
        write(&self.folder.path().join("app"), path, json);
        self.look();
    }

    /// Removes a folder of the app.
    pub fn remove(&self, path: &str) {
        std::fs::remove_dir_all(self.folder.path().join("app").join(path)).unwrap();
        self.look();
    }

    fn look(&self) {
        self.running.files.look();
    }

    /// Moves both clocks.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.wecom.advance(by);
    }

    /// Gets a state for the browser, through the element API.
    pub async fn state(&self, browser: &Browser) -> String {
        let config = browser.post_json(&format!("{API}/getLoginConfig"), &json!({})).await.json();
        assert_eq!(config["errcode"], 0, "{config}");
        config["data"]["state"].as_str().unwrap().to_owned()
    }

    /// A code for a member of the first company, as WeCom sends it to the app.
    pub fn code(&self, user_id: &str) -> String {
        self.wecom.issue_code(CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, user_id))
    }

    /// The address that WeCom redirects to after the member has confirmed.
    pub async fn redirect(&self, browser: &Browser, user_id: &str) -> String {
        let state = self.state(browser).await;
        redirect(&self.code(user_id), &state)
    }

    /// Gets a state of another instance.
    pub async fn state_of(&self, browser: &Browser, instance: &str) -> String {
        let path = format!("{}{instance}/getLoginConfig", API.trim_end_matches("Example"));
        let config = browser.post_json(&path, &json!({})).await.json();
        config["data"]["state"].as_str().unwrap().to_owned()
    }

    /// Runs a whole sign-in; returns the answer to the redirect.
    pub async fn sign_in(&self, browser: &Browser, user_id: &str) -> Page {
        let redirect = self.redirect(browser, user_id).await;
        browser.get(&redirect).await
    }
}

/// Delivers a redirect to the library itself: without HTTP in between, many deliveries meet at the state.
pub async fn deliver(login: &Login, response: &AuthorizationResponse) -> Result<SignedIn, SignInError> {
    match login.deliver(response).await? {
        Delivery::Proved(proved) => login.complete(*proved, Former::default()).await,
        Delivery::Replayed(signed_in) => Ok(*signed_in),
    }
}

/// The path and query of a redirect.
pub fn redirect(code: &str, state: &str) -> String {
    format!("{REDIRECT}?code={code}&state={state}")
}

fn write(app: &std::path::Path, path: &str, json: &Value) {
    let path = app.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, json.to_string()).unwrap();
}

/// The state in a link to WeCom.
pub fn state_of(link: &str) -> String {
    let link = url::Url::parse(link).unwrap();
    link.query_pairs().find(|(key, _)| key == "state").unwrap().1.into_owned()
}
