//! A front end on another site, or a program: it names its browser by header, keeps a pair, and no cookies.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use wecom_login_server::Settings;

use crate::browser::{Browser, Page};
use crate::world::{API, World};

pub(crate) const ORIGIN: &str = "https://app.example.org";

/// Lists [`ORIGIN`].
pub(crate) fn listed(settings: &mut Settings) {
    settings.network.origins = vec![url::Url::parse(ORIGIN).unwrap().origin()];
}

pub(crate) struct FrontEnd {
    pub(crate) browser: Browser,
    name: String,
    headers: Vec<(&'static str, String)>,
}

/// What it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) expires_in: u64,
}

impl Pair {
    pub(crate) fn of(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        assert_eq!(answer["tokenType"], "Bearer");
        Self {
            access: text("accessToken"),
            refresh: text("refreshToken"),
            expires_in: answer["expiresIn"].as_u64().unwrap(),
        }
    }
}

impl FrontEnd {
    /// A program; no browser.
    pub(crate) fn program(world: &World) -> Self {
        Self { browser: world.browser(), name: "n".repeat(43), headers: Vec::new() }
    }

    /// A page of that origin, in a browser.
    pub(crate) fn page(world: &World, origin: &str, site: &str) -> Self {
        let headers = vec![("origin", origin.to_owned()), ("sec-fetch-site", site.to_owned())];
        Self { headers, ..Self::program(world) }
    }

    pub(crate) fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// A request of its, without a token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.browser.request(method, path).header("accept-language", "en");
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    /// Calls a function, with its name.
    pub(crate) async fn call(&self, function: &str, body: Value) -> Page {
        let request = self.request(Method::POST, &format!("{API}/{function}"));
        self.browser.send(request.header("x-wecom-login-browser", &self.name).json(&body)).await
    }

    pub(crate) async fn state(&self) -> String {
        let config = self.call("getLoginConfig", json!({})).await.json();
        config["data"]["state"].as_str().unwrap_or_else(|| panic!("{config}")).to_owned()
    }

    /// A whole sign-in: getLoginCode's answer.
    pub(crate) async fn sign_in(&self, world: &World, user_id: &str) -> Value {
        let state = self.state().await;
        let body = json!({"authCode": world.code(user_id), "state": state});
        let answer = self.call("getLoginCode", body).await.json();
        assert_eq!(answer["errcode"], 0, "{answer}");
        answer
    }

    pub(crate) async fn pair(&self, world: &World, user_id: &str) -> Pair {
        Pair::of(&self.sign_in(world, user_id).await["session"])
    }

    pub(crate) async fn refresh(&self, body: &Value) -> Page {
        self.browser.send(self.request(Method::POST, "/session/refresh").json(body)).await
    }

    /// The next pair, or number and status of the refusal.
    pub(crate) async fn next(&self, refresh: &str) -> Result<Pair, (u16, i64)> {
        let page = self.refresh(&json!({"refreshToken": refresh})).await;
        let body = page.json();
        match body["errcode"].as_i64() {
            None => Ok(Pair::of(&body)),
            Some(number) => Err((page.status.as_u16(), number)),
        }
    }

    pub(crate) async fn with_token(&self, method: Method, path: &str, token: &str) -> Page {
        let request = self.request(method, path).header("authorization", format!("Bearer {token}"));
        self.browser.send(request).await
    }

    /// Who /me says is signed in by that access token.
    pub(crate) async fn me(&self, access: &str) -> Option<String> {
        let page = self.with_token(Method::GET, "/me", access).await;
        if page.status.as_u16() == 401 {
            assert_eq!(page.json()["errcode"], 710_301);
            assert_eq!(page.header("www-authenticate"), "Bearer error=\"invalid_token\"");
            return None;
        }
        Some(page.json()["userId"].as_str().unwrap_or_else(|| panic!("{page:?}")).to_owned())
    }
}
