//! Entries in WeCom's own browser. Several people may use one computer, and WeCom knows who is signed in to its client now: each
//! entry asks it again by the silent redirect.

use std::time::Duration;

use wecom_login_model::Timestamp;
use wecom_login_session::Session;

use crate::http::request::RequestContext;

/// The proof of a session's member counts for this time, so that the pages of one entry do not each lead through WeCom.
const PROOF_COUNTS_FOR: Duration = Duration::from_mins(1);

/// True if WeCom must be asked who is using its client before the session is used.
pub(crate) fn asks_again(context: &RequestContext, session: &Session, now: Timestamp) -> bool {
    context.is_in_workbench() && now >= session.proved_at + PROOF_COUNTS_FOR
}
