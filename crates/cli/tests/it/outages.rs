//! What keeps the data goes away while people are signed in: the answers of docs/operations.md, nobody is signed out,
//! nothing that was acknowledged is lost, and nothing needs a restart.

mod full_disk;
mod postgres;
mod redis;
mod sqlite;

use std::process::Command;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use wecom_login_simulator::{By, Change, EventState, Options, Simulator, sample};
use wecom_login_testkit::wait::{found, until};

use crate::app::{App, FUNCTIONS, subscribe};
use crate::browser::Browser;
use crate::program::{Program, http};

/// A server, its company's WeCom, and zhangsan and lisi signed in.
struct World {
    wecom: Simulator,
    app: App,
    program: Program,
    http: reqwest::Client,
    zhangsan: Browser,
    lisi: Browser,
}

/// The service's own storage cannot be used just now.
const STORAGE_UNAVAILABLE: i64 = 710_204;

impl World {
    /// With settings of its own, or another way to start it.
    async fn start(settings: impl FnOnce(&App, &mut Command)) -> Self {
        let wecom = Simulator::start(Options::default()).await.unwrap();
        let app = App::new(&wecom);
        let mut command = app.command();
        settings(&app, &mut command);
        let program = Program::start_ready(command);
        let http = http();
        let (zhangsan, lisi) = (Browser::new(&http), Browser::new(&http));
        for (browser, user_id) in [(&zhangsan, "zhangsan"), (&lisi, "lisi")] {
            browser.sign_in(app.url(), &wecom.code_for(user_id)).await;
        }
        subscribe(&wecom, app.url()).await;
        Self { wecom, app, program, http, zhangsan, lisi }
    }

    fn browser(&self) -> Browser {
        Browser::new(&self.http)
    }

    async fn get(&self, browser: &Browser, path: &str) -> Answer {
        Answer::of(browser.get(self.app.url(), path).await).await
    }

    /// The word of `/readyz` under 200 or 503, and the components that failed.
    async fn ready(&self) -> (String, Vec<String>) {
        let answer = self.get(&self.browser(), "/readyz").await;
        let body = answer.json();
        let word = body["status"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, if word == "unready" { 503 } else { 200 }, "{answer:?}");
        let failed = body["components"].as_array().unwrap().iter().filter(|one| one["status"] == "failed");
        (word, failed.map(|one| one["name"].as_str().unwrap().to_owned()).collect())
    }

    /// Waits until `/readyz`, which looks anew every second, tells that this has failed and nothing else.
    async fn lacks(&self, components: &[&str]) {
        self.ready_says("unready", components).await;
    }

    async fn ready_says(&self, word: &str, failed: &[&str]) {
        found(&format!("{word} {failed:?}"), async || {
            let ready = self.ready().await;
            if ready.0 == word && ready.1 == failed { Ok(()) } else { Err(ready) }
        })
        .await;
    }

    /// Whoever is signed in is, or is told that nobody knows just now; never that they are not.
    async fn me_is_unknown(&self) {
        let request = self.zhangsan.request(Method::GET, self.app.url(), "/me");
        let answer = self.zhangsan.send(request.header("accept", "application/json")).await;
        assert_eq!(Answer::of(answer).await.code(), (503, STORAGE_UNAVAILABLE));
    }

    /// Sign-ins begin, because a state is stored nowhere, and none ends; `redirect` is one that WeCom has just sent back.
    async fn sign_ins_are_unavailable(&self, browser: &Browser, redirect: &str) {
        let path = format!("{FUNCTIONS}/getLoginConfig");
        let request = self.browser().request(Method::POST, self.app.url(), &path).json(&json!({}));
        let answer = Answer::of(self.browser().send(request).await).await;
        assert_eq!(answer.code(), (200, 0));
        assert_eq!(self.get(&self.browser(), "/login").await.status, 200);
        let answer = self.get(browser, redirect).await;
        let told = answer.text.contains("710204") && answer.text.contains("href=\"/login");
        assert!(answer.status == 503 && told, "{answer:?}");
    }

    /// lisi leaves the company; WeCom's event is on its way.
    fn lisi_leaves(&self) {
        self.wecom.change(sample::CORP_ID, Change::RemoveMember("lisi".to_owned()), By::Console).unwrap();
    }

    /// Waits until a delivery of the event has failed; the server goes on answering meanwhile.
    async fn event_is_tried(&self) {
        until("a delivery of the event has failed", async || {
            assert_eq!(self.get(&self.browser(), "/healthz").await.text, "ok");
            !self.wecom.events()[0].tries.is_empty()
        })
        .await;
        assert_eq!(self.wecom.events()[0].state, EventState::UnderWay, "it was not acknowledged");
    }

    /// Without a restart: whoever was signed in is, the sign-in that was refused ends, and lisi's event has come.
    async fn everything_is_as_it_should(&self, browser: &Browser, redirect: &str) {
        self.wecom.events_settled().await;
        assert_eq!(self.wecom.events()[0].state, EventState::Delivered, "WeCom has sent it again");
        let url = self.app.url();
        assert_eq!(self.zhangsan.me(url).await.as_deref(), Some("zhangsan"), "nobody is signed out");
        assert_eq!(self.lisi.me(url).await, None, "but the leaver");
        assert_eq!(self.get(browser, redirect).await.status, 303);
        assert_eq!(browser.me(url).await.as_deref(), Some("wu10"));
        self.ready_says("ready", &[]).await;
    }
}

/// An answer, read whole.
#[derive(Debug)]
struct Answer {
    status: u16,
    text: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        Self { status: response.status().as_u16(), text: response.text().await.unwrap() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and errcode of what a program reads.
    fn code(&self) -> (u16, i64) {
        (self.status, self.json()["errcode"].as_i64().unwrap_or_else(|| panic!("{self:?}")))
    }
}
