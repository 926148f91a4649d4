//! The end of a sign-in, shared by the redirect and the element API.

use wecom_login_model::Secret;
use wecom_login_session::{EndReason, SessionToken};

use crate::http::request::RequestContext;
use crate::state::AppState;

/// Ends the browser's former session, which the new sign-in replaces.
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
        tracing::warn!(request_id = %context.request_id, %error, "a former session could not be ended and stays active until it expires");
    }
}

/// Ends the session of a sign-in that the app's own Type has refused after WeCom had identified the member.
pub(crate) async fn withdraw(app: &AppState, context: &RequestContext, state: &Secret) {
    let Some(browser) = &context.browser else { return };
    if let Err(error) = app.identity.login.withdraw(state, browser).await {
        tracing::error!(
            request_id = %context.request_id,
            %error,
            "the session of a refused sign-in could not be ended and stays active until it expires"
        );
    }
}
