//! Entries in WeCom's own browser. Several people may use one computer, and WeCom knows who is signed in to its client now: each
//! entry asks it again by the silent redirect.

use std::time::Duration;

use wecom_login_model::Timestamp;
use wecom_login_session::Session;

use crate::http::request::RequestContext;
use crate::sign_in::links;
use crate::sign_in::return_to::LONGEST;
use crate::state::LoadedApp;

/// The proof of a session's member counts for this time, so that the pages of one entry do not each lead through WeCom.
const PROOF_COUNTS_FOR: Duration = Duration::from_mins(1);

/// True if WeCom must be asked who is using its client before the session is used.
pub(crate) fn asks_again(context: &RequestContext, session: &Session, now: Timestamp) -> bool {
    context.is_in_workbench() && now >= session.proved_at + PROOF_COUNTS_FOR
}

/// The address at which WeCom proves the member of a session again; from there the member goes on to `path`. An instance that
/// is gone cannot be asked.
pub(crate) fn proof(loaded: &LoadedApp, session: &Session, path: &str) -> String {
    let instance = loaded.instances.get(&session.instance);
    // A longer address cannot be returned to; the page is the same without its query.
    let path = if path.len() <= LONGEST / 2 { path } else { path.split('?').next().unwrap_or(links::HOME) };
    links::login(instance.map(|instance| instance.full_name()), Some(path))
}
