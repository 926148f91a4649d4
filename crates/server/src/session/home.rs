use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use crate::http::rejection::Rejection;
use crate::http::request::Context;
use crate::session::person;
use crate::state::AppState;

/// GET /: the page of a signed-in member, or the sign-in page.
pub(crate) async fn home(
    State(app): State<AppState>,
    Extension(context): Context,
) -> Result<Response, Rejection> {
    person::page(&app, &context).await
}
