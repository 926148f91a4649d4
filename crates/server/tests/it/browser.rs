//! A browser without a screen: cookies, no redirects followed.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Browser {
    http: reqwest::Client,
    base: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Browser {
    pub(crate) fn new(http: reqwest::Client, base: &str) -> Self {
        Self { http, base: base.to_owned(), cookies: Mutex::default() }
    }

    /// The same browser, which a load balancer now sends to another replica.
    pub(crate) fn at(&self, base: &str) -> Self {
        let cookies = Mutex::new(self.cookies.lock().unwrap().clone());
        Self { http: self.http.clone(), base: base.to_owned(), cookies }
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn get_json(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path).header("accept", "application/json")).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Page {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let cookies = self.cookies.lock().unwrap();
        if cookies.is_empty() {
            return request;
        }
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.header(COOKIE, pairs.join("; "))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        self.keep_cookies(&headers);
        Page { status, headers, text: response.text().await.unwrap() }
    }

    fn keep_cookies(&self, headers: &reqwest::header::HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap();
        for header in headers.get_all(SET_COOKIE) {
            let pair = header.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn forget_cookies(&self) {
        self.cookies.lock().unwrap().clear();
    }

    /// Who /me says is signed in.
    pub(crate) async fn me(&self) -> Option<String> {
        let page = self.get_json("/me").await;
        match page.status {
            StatusCode::OK => Some(page.json()["userId"].as_str().unwrap().to_owned()),
            StatusCode::UNAUTHORIZED => None,
            other => panic!("/me answered {other}: {}", page.text),
        }
    }

    /// The number of the account of who is signed in, by /me.
    pub(crate) async fn account(&self) -> i64 {
        let page = self.get_json("/me").await;
        page.json()["account"]["id"].as_i64().unwrap_or_else(|| panic!("no account: {page:?}"))
    }
}

impl Page {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn location(&self) -> &str {
        self.headers.get(LOCATION).unwrap_or_else(|| panic!("no redirect: {self:?}")).to_str().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The error number that the page shows.
    pub(crate) fn problem(&self) -> i64 {
        let (_, rest) = self
            .text
            .split_once("data-testid=\"problem-code\"")
            .unwrap_or_else(|| panic!("no problem: {self:?}"));
        let number: String =
            rest.chars().skip_while(|char| *char != '>').skip(1).take_while(|char| *char != '<').collect();
        number.trim().parse().unwrap_or_else(|error| panic!("{error}: {number:?}"))
    }
}
