//! The session of a request, from its cookies or its access token.

use wecom_login_session::Session;
use wecom_login_sign_in::SignInError;
use wecom_login_store::Act;

use crate::http::request::{Bearer, RequestContext};
use crate::state::Identity;

/// The visitor's active session. Of several session cookies the first active one counts, so that a cookie which another page
/// of the host has added does not sign the visitor out.
pub(crate) async fn session_of(
    identity: &Identity,
    context: &RequestContext,
) -> Result<Option<Session>, SignInError> {
    let mut session = match &context.bearer {
        Some(Bearer::Access(access)) => identity.sessions.check_access(access).await?,
        Some(Bearer::Key(_) | Bearer::Unknown) | None => None,
    };
    for token in &context.tokens {
        if session.is_some() {
            break;
        }
        session = identity.sessions.check(token).await?;
    }
    if let Some(session) = &session {
        Act::current().is_by(&format!("member {}/{}", session.corp_id, session.user_key));
    }
    Ok(session)
}

/// All active sessions that the request proves, the one of [`session_of`] first.
pub(crate) async fn sessions_of(
    identity: &Identity,
    context: &RequestContext,
) -> Result<Vec<Session>, SignInError> {
    let mut sessions: Vec<Session> = session_of(identity, context).await?.into_iter().collect();
    for token in &context.tokens {
        let others = identity.sessions.check(token).await?;
        sessions.extend(others.filter(|other| sessions.iter().all(|session| session.id != other.id)));
    }
    Ok(sessions)
}
