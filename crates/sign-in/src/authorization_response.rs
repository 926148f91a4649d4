use std::sync::Arc;

use wecom_login_model::{Fingerprint, Secret};

use crate::{Attempter, BrowserId, Instance};

/// What the server knows of a browser that brings an authorization response or calls a function.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// Its name; `None` for a browser without one.
    pub browser: Option<BrowserId>,
    /// Its flow cookies, by id.
    pub flows: Vec<(String, Secret)>,
    /// Whose allowance a wrong code is counted against.
    pub attempter: Attempter,
}

impl Visitor {
    /// A browser that brings nothing but its name.
    pub fn of(browser: BrowserId) -> Self {
        Self { browser: Some(browser), ..Self::default() }
    }
}

/// What WeCom sent a browser back with, or what its page passed to getLoginCode (RFC 6749, 4.1.2).
#[derive(Clone)]
pub struct AuthorizationResponse {
    /// The instance that is asked to accept it.
    pub instance: Arc<Instance>,
    /// The code, as it came.
    pub code: Secret,
    /// The state, as it came.
    pub state: Secret,
    /// The browser that brought it.
    pub visitor: Arc<Visitor>,
}

impl AuthorizationResponse {
    /// What makes two deliveries the same: instance, code, state and browser.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let browser = self.visitor.browser.as_ref().map(|browser| browser.fingerprint().to_hex());
        Fingerprint::of_parts([
            self.instance.full_name(),
            self.code.expose(),
            self.state.expose(),
            browser.as_deref().unwrap_or_default(),
        ])
    }
}
