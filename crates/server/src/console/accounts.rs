//! /console/api/accounts: lists, imports, binds and unbinds accounts, for administrators. Answers are envelopes.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value, json};
use wecom_login_accounts::Bound;
use wecom_login_accounts::import::{Format, List};
use wecom_login_model::{CorpId, MemberRef, UserId, Username};
use wecom_login_sign_in::SignInError;

use super::call::{Console, bad_arguments, known, parsed};
use crate::http::body::{self, BodyError, arguments};
use crate::http::envelope;
use crate::http::error_numbers::{
    BODY_TOO_SLOW, BOUND_ELSEWHERE, LEFT_THE_COMPANY, NO_LIST, NO_SUCH_ACCOUNT, NOT_BOUND,
};
use crate::http::header_bytes::media_type;
use crate::http::rejection::Rejection;
use crate::state::AppState;

const LARGEST_LIST: usize = 16 * 1024 * 1024;

/// GET ?page=&size=: accounts ordered by number, with their members. `page` starts at 1; `size` is 50 by default, at most 500.
pub(crate) async fn list(State(app): State<AppState>, console: Console) -> Result<Response, Rejection> {
    let (page, size) = console.page()?;
    let (rows, total) = app.identity.accounts.list((page - 1) * size, size).await?;
    let data = json!({"rowDatas": rows, "page": page, "size": size, "totalCount": total});
    Ok(envelope::success(&console.context, data))
}

/// POST text/csv or application/x-ndjson: imports a list; `?dryRun=true` reports without writing.
pub(crate) async fn import(
    State(app): State<AppState>,
    console: Console,
    request: Request,
) -> Result<Response, Rejection> {
    let no_list = |note: &str| Rejection::of(NO_LIST).note(note);
    let format =
        format(request.headers()).ok_or_else(|| no_list("Content-Type: text/csv, application/x-ndjson"))?;
    let dry_run = match console.context.parameter("dryRun").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(bad_arguments("dryRun: true, false")),
    };
    let bytes = body::read(request.into_body(), LARGEST_LIST).await.map_err(|problem| match problem {
        BodyError::TooSlow => Rejection::of(BODY_TOO_SLOW),
        BodyError::TooLarge => no_list("16 MiB"),
        BodyError::Broken => Rejection::of(NO_LIST),
    })?;
    let list = List::read(&bytes, format).map_err(|error| no_list(&error.to_string()))?;
    let companies = app.apps.loaded().companies();
    let list = if companies > 1 { list.requiring_companies() } else { list };
    // The import continues if the client disconnects, so that no list is imported in part.
    let accounts = app.identity.accounts.clone();
    let work = app.operations.background.spawn(async move { accounts.import(list, dry_run, |_| ()).await });
    let report =
        work.await.map_err(|error| SignInError::Unforeseen(format!("the import task failed: {error}")))??;
    tracing::info!(
        by = %console.by,
        dry_run,
        created = report.created,
        updated = report.updated,
        bad = report.bad.len(),
        "accounts were imported"
    );
    Ok(envelope::success(&console.context, json!(report)))
}

fn format(headers: &HeaderMap) -> Option<Format> {
    match media_type(headers)?.as_str() {
        "text/csv" => Some(Format::Csv),
        "application/x-ndjson" | "application/jsonl" => Some(Format::JsonLines),
        _ => None,
    }
}

/// POST {username, corpId, userId}
pub(crate) async fn bind(
    State(app): State<AppState>,
    console: Console,
    request: Request,
) -> Result<Response, Rejection> {
    let arguments = arguments(request).await?;
    known(&arguments, &["username", "corpId", "userId"])?;
    let member = member(&arguments)?;
    let username = parsed(&arguments, "username", Username::parse)?;
    match app.identity.accounts.bind_by_name(&member, &username).await? {
        Bound::Done => {
            tracing::info!(by = %console.by, %member, %username, "bound by an administrator");
            Ok(envelope::success(&console.context, json!({})))
        }
        Bound::NoAccount => Err(Rejection::of(NO_SUCH_ACCOUNT)),
        Bound::Elsewhere(_) => Err(Rejection::of(BOUND_ELSEWHERE)),
        Bound::Left => Err(Rejection::of(LEFT_THE_COMPANY)),
    }
}

/// POST {corpId, userId}: unbinds the member and ends their sessions.
pub(crate) async fn unbind(
    State(app): State<AppState>,
    console: Console,
    request: Request,
) -> Result<Response, Rejection> {
    let arguments = arguments(request).await?;
    known(&arguments, &["corpId", "userId"])?;
    let member = member(&arguments)?;
    if !app.identity.accounts.unbind(&member).await? {
        return Err(Rejection::of(NOT_BOUND));
    }
    tracing::info!(by = %console.by, %member, "unbound by an administrator");
    Ok(envelope::success(&console.context, json!({})))
}

fn member(arguments: &Map<String, Value>) -> Result<MemberRef, Rejection> {
    Ok(MemberRef {
        corp_id: parsed(arguments, "corpId", CorpId::parse)?,
        user_id: parsed(arguments, "userId", UserId::parse)?,
    })
}
