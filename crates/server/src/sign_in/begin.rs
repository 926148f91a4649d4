//! The start of a sign-in: its instance, its purpose, and the state that is issued to the browser. Nothing is stored.

use std::sync::Arc;

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use wecom_login_sign_in::{BrowserId, Flow, Instance, Purpose, State, StateOwner};

use crate::http::rejection::Rejection;
use crate::http::request::RequestContext;
use crate::sign_in::links;
use crate::state::AppState;

/// A sign-in whose state has not been issued yet.
#[derive(Debug, Clone)]
pub(crate) struct PendingSignIn {
    pub(crate) instance: Arc<Instance>,
    pub(crate) flow: Flow,
}

impl PendingSignIn {
    /// The address of this sign-in's page.
    pub(crate) fn path(&self) -> String {
        links::again(&self.instance, Purpose::from(&self.flow), self.flow.return_to.as_deref())
    }
}

/// A state, and the cookies that its browser needs to finish the sign-in.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) state: State,
    cookies: Vec<HeaderValue>,
}

impl Issued {
    /// Sets the cookies on an answer.
    pub(crate) fn set_cookies(self, headers: &mut HeaderMap) {
        for cookie in self.cookies {
            headers.append(SET_COOKIE, cookie);
        }
    }
}

/// The visitor's browser name, and the cookie that sets it if it is new.
pub(crate) fn browser(app: &AppState, context: &RequestContext) -> (BrowserId, Option<HeaderValue>) {
    match &context.visitor.browser {
        Some(browser) => (browser.clone(), None),
        None => {
            let config = &app.config;
            let browser = config.browser_names.issue(&config.entropy, config.clock.now());
            let cookie = config.cookies.set_browser(&browser);
            (browser, Some(cookie))
        }
    }
}

/// Issues a state to the visitor's browser.
pub(crate) fn issue(
    app: &AppState,
    context: &RequestContext,
    instance: &Instance,
    flow: &Flow,
    restarts: u8,
) -> Result<Issued, Rejection> {
    let (browser, is_new) = browser(app, context);
    let owner = StateOwner::Browser(&browser);
    let (state, flow_cookie) = app.identity.login.issue(instance, owner, flow, restarts)?;
    let mut cookies = Vec::from_iter(is_new);
    if let Some(flow_cookie) = flow_cookie {
        let names = app.config.cookies;
        cookies.extend(names.expire_flows(&context.visitor.flows, &flow_cookie));
        cookies.push(names.set_flow(&flow_cookie));
    }
    Ok(Issued { state, cookies })
}
