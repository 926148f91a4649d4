//! What all handlers share.

use std::collections::HashMap;
use std::sync::Arc;

use wecom_login_accounts::{Accounts, ApiKeys};
use wecom_login_login::{CallbackMode, Instance, Instances, Login};
use wecom_login_model::{Clock, Entropy};
use wecom_login_session::Sessions;
use wecom_login_store::Store;

use crate::cookies::Cookies;
use crate::limits::Limits;
use crate::routes;
use crate::settings::Settings;

#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) settings: Settings,
    pub(crate) org_id: String,
    pub(crate) app_name: String,
    pub(crate) instances: Instances,
    /// Why an instance's sign-in in the browser is off, by full name.
    pub(crate) browser_off: HashMap<String, String>,
    pub(crate) login: Login,
    pub(crate) sessions: Sessions,
    pub(crate) accounts: Accounts,
    pub(crate) api_keys: ApiKeys,
    pub(crate) store: Store,
    pub(crate) limits: Limits,
    pub(crate) cookies: Cookies,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// Why this server cannot take the instance's redirect, if so.
pub(crate) fn browser_off(instance: &Instance, settings: &Settings) -> Option<String> {
    let redirect = instance.redirect_url();
    if instance.callback() == CallbackMode::Page {
        return None;
    }
    if redirect.origin() != settings.public_url.origin() {
        return Some(format!(
            "redirectUri is at {}, public_url is {}",
            redirect.origin().ascii_serialization(),
            settings.public_url.origin().ascii_serialization()
        ));
    }
    routes::is_ours(redirect.path())
        .then(|| format!("redirectUri has the path {}, which is our own", redirect.path()))
}
