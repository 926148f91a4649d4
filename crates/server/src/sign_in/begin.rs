//! The start of a sign-in: its instance, its purpose, and the state that is issued to the browser.

use std::sync::Arc;

use wecom_login_sign_in::{BrowserId, Holder, Instance, Purpose, State};

use crate::http::error_numbers::OVERLOADED;
use crate::http::rejection::Rejection;
use crate::http::request::RequestContext;
use crate::sign_in::links;
use crate::state::AppState;

/// A sign-in whose state has not been issued yet.
#[derive(Debug, Clone)]
pub(crate) struct PendingSignIn {
    pub(crate) instance: Arc<Instance>,
    pub(crate) purpose: Purpose,
}

impl PendingSignIn {
    /// The address of this sign-in's page.
    pub(crate) fn path(&self) -> String {
        let (element, return_to) = (Some(self.instance.full_name()), self.purpose.return_to.as_deref());
        match self.purpose.binding {
            Some(_) => links::binding(element, return_to),
            None => links::login(element, return_to),
        }
    }
}

/// The visitor's browser id, and true if it is new and must be set.
pub(crate) fn browser(app: &AppState, context: &RequestContext) -> (BrowserId, bool) {
    match &context.browser {
        Some(browser) => (browser.clone(), false),
        None => (BrowserId::generate(&app.config.entropy), true),
    }
}

/// Issues a state to the visitor's browser, within the limits.
pub(crate) async fn issue(
    app: &AppState,
    context: &RequestContext,
    instance: &Instance,
    browser: &BrowserId,
    purpose: Purpose,
) -> Result<State, Rejection> {
    let again = links::login(Some(instance.full_name()), purpose.return_to.as_deref());
    let overloaded = || Rejection::of(OVERLOADED).retry(again.clone());
    let limits = &app.identity.limits;
    let _place = limits.place().ok_or_else(overloaded)?;
    let failed = |error| Rejection::from(error).retry(again.clone());
    if context.browser.is_some() {
        let may = limits.may_issue(browser, app.config.clock.now()).await.map_err(failed)?;
        if !may {
            return Err(overloaded());
        }
    }
    app.identity.login.issue_state(instance, Holder::Browser(browser), purpose).await.map_err(failed)
}
