//! After a binding the member lands on an ordinary page. A short-lived cookie tells the home page which member was bound. The cookie is
//! sealed for the session, so no other page of the host can write it, and no other session shows it.

use std::time::Duration;

use axum::http::HeaderValue;
use serde::{Deserialize, Serialize};
use wecom_login_model::Secret;
use wecom_login_session::Session;
use wecom_login_sign_in::{SessionChange, SignedIn};

use crate::http::request::RequestContext;
use crate::state::AppState;

/// Longer than a redirect takes, and too short to surprise anybody.
const LIFETIME: Duration = Duration::from_mins(2);
/// The longest sealed value, in bytes.
const LONGEST: usize = 2000;

/// The member who was bound.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BoundNotice {
    pub(crate) user_id: String,
    pub(crate) name: String,
}

/// The cookie for the answer to a redirect; `None` if it bound nobody.
pub(crate) fn cookie(app: &AppState, signed_in: &SignedIn) -> Option<HeaderValue> {
    if signed_in.change != SessionChange::Bound {
        return None;
    }
    let user = &signed_in.user;
    let notice = BoundNotice { user_id: user.user_id.clone(), name: user.name.clone() };
    let json = Secret::new(serde_json::to_string(&notice).ok()?);
    let sealed = app.config.sealer.seal(&place(&signed_in.session), &json).ok()?;
    (sealed.len() <= LONGEST).then(|| app.config.cookies.set_bound(&sealed, LIFETIME))
}

/// The notice for a session, and the cookie that takes it away. `None` without one that was sealed for this session.
pub(crate) fn take(
    app: &AppState,
    context: &RequestContext,
    session: &Session,
) -> Option<(BoundNotice, HeaderValue)> {
    let (config, place) = (&app.config, place(session));
    let opened = config.cookies.bound(&context.headers).filter(|sealed| sealed.len() <= LONGEST);
    let mut opened = opened.filter_map(|sealed| config.sealer.open(&place, sealed).ok());
    let notice = opened.find_map(|json| serde_json::from_str(json.expose()).ok())?;
    Some((notice, config.cookies.end_bound()))
}

fn place(session: &Session) -> String {
    format!("bound notice/{}", session.id)
}
