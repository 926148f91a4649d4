//! Browsers whose cookies go to any server.

use reqwest::header::LOCATION;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::app::FUNCTIONS;
use crate::cookies::{CookieJar, pairs};

/// A browser behind a load balancer: its cookies go to any replica.
#[derive(Debug)]
pub struct Browser {
    http: Client,
    cookies: CookieJar,
}

/// The address that an answer redirects to.
pub fn location(answer: &Response) -> &str {
    let location = answer.headers().get(LOCATION).unwrap_or_else(|| panic!("no redirect: {answer:?}"));
    std::str::from_utf8(location.as_bytes()).unwrap()
}

impl Browser {
    /// A browser without cookies.
    pub fn new(http: &Client) -> Self {
        Self { http: http.clone(), cookies: CookieJar::default() }
    }

    /// A request with the browser's cookies, not sent yet.
    pub fn request(&self, method: Method, url: &str, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{url}{path}")).header("cookie", self.cookies())
    }

    /// The cookies as a header value.
    pub fn cookies(&self) -> String {
        self.cookies.header().unwrap_or_default()
    }

    /// Sends a request and stores the cookies of the answer; a missing answer is an error.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        let answer = request.send().await?;
        self.cookies.keep(answer.headers());
        Ok(answer)
    }

    /// Sends a request; panics without an answer.
    pub async fn send(&self, request: RequestBuilder) -> Response {
        self.try_send(request).await.unwrap()
    }

    /// Stores a cookie, `name=value`.
    pub fn keep(&self, pair: &str) {
        let (name, value) = pair.split_once('=').unwrap();
        self.cookies.set(name, value);
    }

    /// Opens a page.
    pub async fn get(&self, url: &str, path: &str) -> Response {
        self.send(self.request(Method::GET, url, path)).await
    }

    /// Starts a sign-in; returns the path that WeCom redirects to with this code after the member has confirmed.
    pub async fn try_redirect(&self, url: &str, code: &str) -> reqwest::Result<String> {
        let path = format!("{FUNCTIONS}/getLoginConfig");
        let request = self.request(Method::POST, url, &path).json(&json!({}));
        let config: Value = self.try_send(request).await?.json().await?;
        let state = config["data"]["state"].as_str().unwrap_or_else(|| panic!("{config}"));
        Ok(format!("/auth/wecom?code={code}&state={state}"))
    }

    /// Starts a sign-in; panics without an answer.
    pub async fn redirect(&self, url: &str, code: &str) -> String {
        self.try_redirect(url, code).await.unwrap()
    }

    /// Signs in; returns when the whole answer has arrived.
    pub async fn try_sign_in(&self, url: &str, code: &str) -> reqwest::Result<()> {
        let redirect = self.try_redirect(url, code).await?;
        let answer = self.try_send(self.request(Method::GET, url, &redirect)).await?;
        assert_eq!(answer.status().as_u16(), 303);
        Ok(())
    }

    /// Signs in; panics without an answer.
    pub async fn sign_in(&self, url: &str, code: &str) {
        self.try_sign_in(url, code).await.unwrap();
    }

    /// The signed-in member, by this server's /me.
    pub async fn me(&self, url: &str) -> Option<String> {
        let request = self.request(Method::GET, url, "/me").header("accept", "application/json");
        let answer = request.send().await.unwrap();
        match answer.status().as_u16() {
            401 => None,
            200 => Some(answer.json::<Value>().await.unwrap()["userId"].as_str().unwrap().to_owned()),
            other => panic!("/me answered {other}"),
        }
    }
}

/// The session cookie that an answer sets.
pub fn session_of(answer: &Response) -> Option<String> {
    pairs(answer.headers()).into_iter().find(|pair| pair.starts_with("wecom_login_session="))
}
