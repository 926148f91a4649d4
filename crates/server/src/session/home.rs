use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::http::rejection::Rejection;
use crate::http::request::Context;
use crate::http::visitor::session_of;
use crate::session::person;
use crate::sign_in::workbench;
use crate::state::AppState;

/// GET /: the page of a signed-in member, or the sign-in page.
pub(crate) async fn home(
    State(app): State<AppState>,
    Extension(context): Context,
) -> Result<Response, Rejection> {
    let session = session_of(&app.identity, &context).await?;
    if let Some(session) =
        session.filter(|session| workbench::asks_again(&context, session, app.config.clock.now()))
    {
        let proof = workbench::proof(&app.apps.loaded(), &session, context.path_and_query());
        return Ok(Redirect::to(&proof).into_response());
    }
    person::page(&app, &context).await
}
