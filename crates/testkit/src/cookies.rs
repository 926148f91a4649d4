//! The cookies of a browser: names and values, without their attributes.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::header::{HeaderMap, SET_COOKIE};

/// A cookie jar. Setting a cookie to an empty value removes it.
#[derive(Debug, Default)]
pub struct CookieJar(Mutex<BTreeMap<String, String>>);

impl CookieJar {
    /// Stores the cookies that an answer sets.
    pub fn keep(&self, answer: &HeaderMap) {
        for pair in pairs(answer) {
            let (name, value) = pair.split_once('=').unwrap();
            self.set(name, value);
        }
    }

    /// Sets a cookie.
    pub fn set(&self, name: &str, value: &str) {
        let mut cookies = self.0.lock().unwrap();
        if value.is_empty() {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// The value of a cookie.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.lock().unwrap().get(name).cloned()
    }

    /// Removes all cookies.
    pub fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The value of the header Cookie, if there are cookies.
    pub fn header(&self) -> Option<String> {
        let cookies = self.0.lock().unwrap();
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

impl Clone for CookieJar {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap().clone()))
    }
}

/// The cookies that an answer sets, as `name=value`.
pub fn pairs(answer: &HeaderMap) -> Vec<String> {
    let cookies = answer.get_all(SET_COOKIE).iter();
    let texts = cookies.map(|cookie| std::str::from_utf8(cookie.as_bytes()).unwrap());
    texts.map(|cookie| cookie.split(';').next().unwrap().to_owned()).collect()
}
