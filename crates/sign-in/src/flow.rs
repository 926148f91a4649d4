//! What a sign-in carries from its link to its redirect, in a cookie of its own: nothing of it is stored here.

use serde::{Deserialize, Serialize};
use wecom_login_model::{AccountId, Secret};
use wecom_login_store::{SealError, Sealer};

use crate::State;

/// What a sign-in is begun for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Where the member wants to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
    /// To bind the proved member, instead of signing them in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
}

/// The account to which the proved member is bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The account.
    pub account: AccountId,
    /// The session of that account, in the same browser, that asked for it.
    pub session: String,
}

/// A flow in its cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowCookie {
    /// What tells the flows of a browser apart. Ids sort by age.
    pub id: String,
    /// The sealed flow.
    pub value: Secret,
}

impl Flow {
    /// The largest value of the cookie, in bytes. Browsers take 4,096 with the name and the attributes.
    pub const LARGEST: usize = 3500;

    /// True if there is nothing to carry.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Seals the flow for its state: it opens beside no other state, and by its owner the state is bound to one browser.
    pub(crate) fn seal(&self, sealer: &Sealer, state: &State) -> Result<FlowCookie, SealError> {
        let json = serde_json::to_string(self).map_err(|_| SealError::DoesNotOpen)?;
        let value = sealer.seal(&place(state), &Secret::new(json))?;
        Ok(FlowCookie { id: state.flow_id(), value: Secret::new(value) })
    }

    /// The flow in a cookie; `None` if it was not sealed for this state.
    pub(crate) fn open(sealer: &Sealer, state: &State, value: &Secret) -> Option<Self> {
        if value.expose().len() > Self::LARGEST {
            return None;
        }
        serde_json::from_str(sealer.open(&place(state), value.expose()).ok()?.expose()).ok()
    }
}

fn place(state: &State) -> String {
    format!("flow/{}", state.fingerprint().to_hex())
}
