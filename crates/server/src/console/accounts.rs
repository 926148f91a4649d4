//! /console/api/accounts: the list, imports, binding and unbinding, for administrators. Answers are envelopes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use wecom_login_accounts::Bound;
use wecom_login_accounts::import::{Format, List};
use wecom_login_login::Refusal;
use wecom_login_model::{CorpId, MemberRef, UserId, Username};

use super::call::{Console, known, text};
use crate::api::arguments;
use crate::body::{self, NoBody};
use crate::problems::{BAD_ARGUMENTS, BODY_TOO_SLOW, BOUND_ELSEWHERE, NO_LIST, NO_SUCH_ACCOUNT, NOT_BOUND};
use crate::site::Site;

const LARGEST_LIST: usize = 16 * 1024 * 1024;

pub(crate) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/", get(list))
        .route("/import", post(import))
        .route("/bind", post(bind))
        .route("/unbind", post(unbind))
}

/// GET ?page=&size=: accounts by number, with their members. `page` begins at 1; `size` is 50, and 500 at most.
async fn list(State(site): State<Arc<Site>>, console: Console) -> Response {
    let (page, size) = match console.page() {
        Ok(page) => page,
        Err(refused) => return *refused,
    };
    match site.accounts.list((page - 1) * size, size).await {
        Ok((rows, total)) => {
            console.call.success(json!({"rowDatas": rows, "page": page, "size": size, "totalCount": total}))
        }
        Err(error) => console.failed(error),
    }
}

/// POST a list as text/csv or application/x-ndjson; `?dryRun=true` tells what would come of it.
async fn import(State(site): State<Arc<Site>>, console: Console, request: Request) -> Response {
    let Some(format) = format(request.headers()) else {
        return console.bad(NO_LIST, "Content-Type: text/csv, application/x-ndjson");
    };
    let dry_run = match console.call.visit.parameter("dryRun").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return console.bad(BAD_ARGUMENTS, "dryRun: true, false"),
    };
    let bytes = match body::read(request.into_body(), LARGEST_LIST).await {
        Ok(bytes) => bytes,
        Err(NoBody::TooSlow) => return console.call.problem(StatusCode::REQUEST_TIMEOUT, BODY_TOO_SLOW),
        Err(NoBody::TooLarge) => return console.bad(NO_LIST, "16 MiB"),
        Err(NoBody::Broken) => return console.call.problem(StatusCode::BAD_REQUEST, NO_LIST),
    };
    let list = match List::read(&bytes, format) {
        Ok(list) => list,
        Err(error) => return console.bad(NO_LIST, &error.to_string()),
    };
    // A client that goes away leaves no list half imported.
    let accounts = site.accounts.clone();
    let work = site.background.spawn(async move { accounts.import(list, dry_run, |_| ()).await });
    let imported = match work.await {
        Ok(imported) => imported,
        Err(error) => {
            return console.failed(Refusal::Unforeseen(format!("the import broke off: {error}")));
        }
    };
    match imported {
        Ok(report) => {
            tracing::info!(
                by = %console.by,
                dry_run,
                created = report.created,
                updated = report.updated,
                bad = report.bad.len(),
                "accounts were imported"
            );
            console.call.success(json!(report))
        }
        Err(error) => console.failed(error),
    }
}

fn format(headers: &HeaderMap) -> Option<Format> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    match text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/csv" => Some(Format::Csv),
        "application/x-ndjson" | "application/jsonl" => Some(Format::JsonLines),
        _ => None,
    }
}

/// POST {username, corpId, userId}
async fn bind(State(site): State<Arc<Site>>, console: Console, request: Request) -> Response {
    let arguments = match arguments(request).await {
        Ok(arguments) => arguments,
        Err((status, number)) => return console.call.problem(status, number),
    };
    let read = known(&arguments, &["username", "corpId", "userId"])
        .and_then(|()| member(&arguments))
        .and_then(|member| {
            let username =
                Username::parse(text(&arguments, "username")?).map_err(|error| error.to_string())?;
            Ok((member, username))
        });
    let (member, username) = match read {
        Ok(read) => read,
        Err(problem) => return console.bad(BAD_ARGUMENTS, &problem),
    };
    match site.accounts.bind_by_name(&member, &username).await {
        Ok(Bound::Done) => {
            tracing::info!(by = %console.by, %member, %username, "bound by an administrator");
            console.call.success(json!({}))
        }
        Ok(Bound::NoAccount) => console.call.problem(StatusCode::NOT_FOUND, NO_SUCH_ACCOUNT),
        Ok(Bound::Elsewhere(_)) => console.call.problem(StatusCode::CONFLICT, BOUND_ELSEWHERE),
        Err(error) => console.failed(error),
    }
}

/// POST {corpId, userId}: unties the member and ends their sessions.
async fn unbind(State(site): State<Arc<Site>>, console: Console, request: Request) -> Response {
    let arguments = match arguments(request).await {
        Ok(arguments) => arguments,
        Err((status, number)) => return console.call.problem(status, number),
    };
    let member = match known(&arguments, &["corpId", "userId"]).and_then(|()| member(&arguments)) {
        Ok(member) => member,
        Err(problem) => return console.bad(BAD_ARGUMENTS, &problem),
    };
    match site.accounts.unbind(&member).await {
        Ok(true) => {
            tracing::info!(by = %console.by, %member, "unbound by an administrator");
            console.call.success(json!({}))
        }
        Ok(false) => console.call.problem(StatusCode::NOT_FOUND, NOT_BOUND),
        Err(error) => console.failed(error),
    }
}

fn member(arguments: &Map<String, Value>) -> Result<MemberRef, String> {
    Ok(MemberRef {
        corp_id: CorpId::parse(text(arguments, "corpId")?).map_err(|error| error.to_string())?,
        user_id: UserId::parse(text(arguments, "userId")?).map_err(|error| error.to_string())?,
    })
}
