//! The page of a person who is signed in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use wecom_login_login::{Refusal, UserInfo};
use wecom_login_pages::HomePage;
use wecom_login_session::Session;

use crate::login_page;
use crate::problem::{self, Problem};
use crate::request::Visit;
use crate::session::session_of;
use crate::site::Site;

/// GET /: the person's page, or the sign-in page.
pub(crate) async fn home(State(site): State<Arc<Site>>, visit: Visit) -> Response {
    page(&site, &visit).await
}

pub(crate) async fn page(site: &Site, visit: &Visit) -> Response {
    match person(site, visit).await {
        Ok(Some((session, user))) => {
            let departments = departments(&user);
            let page = HomePage {
                name: &user.name,
                user_id: &user.user_id,
                position: &user.position,
                departments: &departments,
                corp_id: session.corp_id.as_str(),
                element: &session.instance,
                signed_in_at: session.created_at,
                session_end: session.expires_at,
            };
            problem::html(StatusCode::OK, page.html(&problem::chrome(site, visit)))
        }
        Ok(None) => Redirect::to(&login_page::path(None, None)).into_response(),
        Err(refusal) => problem::page(site, visit, &Problem::of_refusal(&refusal, "/".to_owned())),
    }
}

async fn person(site: &Site, visit: &Visit) -> Result<Option<(Session, UserInfo)>, Refusal> {
    let Some(session) = session_of(site, visit).await? else { return Ok(None) };
    let user = site.login.user_info_of(&session).await?;
    Ok(user.map(|user| (session, user)))
}

/// The departments' names; the number of one whose name the local copy does not know yet.
fn departments(user: &UserInfo) -> Vec<String> {
    let named = user.department.iter().zip(&user.department_names);
    named.map(|(id, name)| if name.is_empty() { id.to_string() } else { name.clone() }).collect()
}
