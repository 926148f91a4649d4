//! The session of a request, from its cookie or access token.

use wecom_login_session::Session;
use wecom_login_sign_in::SignInError;
use wecom_login_store::Act;

use crate::http::request::RequestContext;
use crate::state::Identity;

/// The visitor's active session.
pub(crate) async fn session_of(
    identity: &Identity,
    context: &RequestContext,
) -> Result<Option<Session>, SignInError> {
    let session = match (&context.access, &context.token) {
        (Some(access), _) => identity.sessions.check_access(access).await?,
        (None, Some(token)) => identity.sessions.check(token).await?,
        (None, None) => None,
    };
    if let Some(session) = &session {
        Act::current().is_by(&format!("member {}/{}", session.corp_id, session.user_key));
    }
    Ok(session)
}
