//! The page of a signed-in member; other visitors go to the sign-in page. In the workbench WeCom may be asked first.

use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse as _, Redirect, Response};
use wecom_login_pages::{BoundMember, HomePage};
use wecom_login_session::Session;
use wecom_login_sign_in::{SignInError, UserInfo};

use crate::http::page;
use crate::http::rejection::Rejection;
use crate::http::request::RequestContext;
use crate::http::visitor::session_of;
use crate::sign_in::{bound_notice, links, workbench};
use crate::state::{AppState, Identity};

pub(super) async fn page(app: &AppState, context: &RequestContext) -> Result<Response, Rejection> {
    let person = person(&app.identity, context).await;
    let person = person.map_err(|refusal| Rejection::from(refusal).retry(links::HOME.to_owned()))?;
    let Some((session, user)) = person else {
        return Ok(Redirect::to(&links::login(None, None)).into_response());
    };
    if workbench::asks_again(context, &session, app.config.clock.now()) {
        let proof = workbench::proof(&app.apps.loaded(), &session, context.path_and_query());
        return Ok(Redirect::to(&proof).into_response());
    }
    let departments = departments(&user);
    let notice = bound_notice::take(app, context, &session);
    let page = HomePage {
        name: &user.name,
        user_id: &user.user_id,
        position: &user.position,
        departments: &departments,
        corp_id: session.corp_id.as_str(),
        element: &session.instance,
        signed_in_at: session.created_at,
        session_end: session.expires_at,
        bound: notice.as_ref().map(|(bound, _)| BoundMember { name: &bound.name, user_id: &bound.user_id }),
    };
    let mut response = page::html(StatusCode::OK, page.html(&page::chrome(&app.config.settings, context)));
    if let Some((_, end)) = notice {
        response.headers_mut().append(SET_COOKIE, end);
    }
    Ok(response)
}

async fn person(
    identity: &Identity,
    context: &RequestContext,
) -> Result<Option<(Session, UserInfo)>, SignInError> {
    let Some(session) = session_of(identity, context).await? else { return Ok(None) };
    let user = identity.login.user_info_of(&session).await?;
    Ok(user.map(|user| (session, user)))
}

/// The names of the departments, or the number where the local copy has no name yet.
fn departments(user: &UserInfo) -> Vec<String> {
    let named = user.department.iter().zip(&user.department_names);
    named.map(|(id, name)| if name.is_empty() { id.to_string() } else { name.clone() }).collect()
}
