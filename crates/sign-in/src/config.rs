use serde::Serialize;

use crate::{Instance, State};

/// What getLoginConfig gives: enough to build the sign-in link, and no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginConfig {
    /// The company.
    pub corp_id: String,
    /// The app, always as a string.
    pub agent_id: String,
    /// Where WeCom sends the browser back to.
    pub redirect_uri: String,
    /// New each time: 32 characters of a-zA-Z0-9, for one use within 10 minutes.
    pub state: String,
}

impl LoginConfig {
    pub(crate) fn new(instance: &Instance, state: &State) -> Self {
        Self {
            corp_id: instance.corp_id().to_string(),
            agent_id: instance.agent_id().to_string(),
            redirect_uri: instance.redirect_uri().to_owned(),
            state: state.as_str().to_owned(),
        }
    }
}
