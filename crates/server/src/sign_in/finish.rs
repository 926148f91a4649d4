//! What ends a sign-in, whether a redirect or a call of the element API has brought the code.

use wecom_login_model::Secret;
use wecom_login_session::{EndReason, SessionToken};

use crate::http::request::RequestContext;
use crate::state::AppState;

/// Ends the session that the browser had before: a new sign-in takes its place.
pub(crate) async fn leave_former_session(
    app: &AppState,
    context: &RequestContext,
    token: &SessionToken,
    id: &str,
) {
    let Some(former) = context.token.as_ref().filter(|former| *former != token) else { return };
    let sessions = &app.identity.sessions;
    let ended = match sessions.check(former).await {
        Ok(Some(session)) if session.id != id => {
            sessions.end(&session, EndReason::Replaced).await.map(|_| ())
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        tracing::warn!(request_id = %context.request_id, %error, "a former session stays until it runs out");
    }
}

/// Takes back what WeCom's proof has begun, when the app's own Type has refused.
pub(crate) async fn withdraw(app: &AppState, context: &RequestContext, state: &Secret) {
    let Some(browser) = &context.browser else { return };
    if let Err(error) = app.identity.login.withdraw(state, browser).await {
        tracing::error!(
            request_id = %context.request_id,
            %error,
            "the session of a refused sign-in stays until it runs out"
        );
    }
}
