//! A browser without a screen: it stores cookies and follows no redirects.

use reqwest::header::{COOKIE, HeaderMap, LOCATION};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use crate::cookies::CookieJar;

/// A browser, and the server to which it sends requests.
#[derive(Debug)]
pub struct Browser {
    http: reqwest::Client,
    base: String,
    cookies: CookieJar,
}

/// A completely received answer.
#[derive(Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Browser {
    /// A browser without cookies.
    pub fn new(http: reqwest::Client, base: &str) -> Self {
        Self { http, base: base.to_owned(), cookies: CookieJar::default() }
    }

    /// The same browser, with requests going to another replica.
    pub fn at(&self, base: &str) -> Self {
        Self { http: self.http.clone(), base: base.to_owned(), cookies: self.cookies.clone() }
    }

    /// GET, accepting any type.
    pub async fn get(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path)).await
    }

    /// GET, accepting JSON.
    pub async fn get_json(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path).header("accept", "application/json")).await
    }

    /// POST of a JSON body.
    pub async fn post_json(&self, path: &str, body: &Value) -> Page {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// A request with the browser's cookies, not sent yet.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match self.cookies.header() {
            Some(cookies) => request.header(COOKIE, cookies),
            None => request,
        }
    }

    /// Sends a request and stores the cookies of its answer.
    pub async fn send(&self, request: RequestBuilder) -> Page {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        self.cookies.keep(&headers);
        Page { status, headers, text: response.text().await.unwrap() }
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.get(name)
    }

    /// Sets a cookie.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.set(name, value);
    }

    /// Removes all cookies.
    pub fn forget_cookies(&self) {
        self.cookies.clear();
    }

    /// The signed-in member, by /me.
    pub async fn me(&self) -> Option<String> {
        let page = self.get_json("/me").await;
        match page.status {
            StatusCode::OK => Some(page.json()["userId"].as_str().unwrap().to_owned()),
            StatusCode::UNAUTHORIZED => None,
            other => panic!("/me answered {other}: {}", page.text),
        }
    }

    /// The account number of the signed-in member, by /me.
    pub async fn account(&self) -> i64 {
        let page = self.get_json("/me").await;
        page.json()["account"]["id"].as_i64().unwrap_or_else(|| panic!("no account: {page:?}"))
    }
}

impl Page {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The address that the answer redirects to.
    pub fn location(&self) -> &str {
        assert!(self.headers.contains_key(LOCATION), "no redirect: {self:?}");
        self.header(LOCATION.as_str())
    }

    /// The value of a header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| std::str::from_utf8(value.as_bytes()).unwrap())
    }

    /// The error number that the page shows.
    pub fn problem(&self) -> i64 {
        let (_, rest) = self
            .text
            .split_once("data-testid=\"problem-code\"")
            .unwrap_or_else(|| panic!("no problem: {self:?}"));
        let number: String =
            rest.chars().skip_while(|char| *char != '>').skip(1).take_while(|char| *char != '<').collect();
        number.trim().parse().unwrap_or_else(|error| panic!("{error}: {number:?}"))
    }
}
