//! Administrators: a signed-in member listed in `admins` with the account that the entry stands for, or a program with an API key. A key is accepted in a header only,
//! so that it never appears in an address. A session is subject to the rules of [`crate::http::fetch_metadata`] for unsafe
//! methods.

use wecom_login_accounts::Administration;
use wecom_login_model::MemberRef;
use wecom_login_session::Session;
use wecom_login_store::{Act, AuditEntry, AuditEvent};

use crate::http::error_numbers::{ADMINISTRATORS_ONLY, NOT_SIGNED_IN};
use crate::http::rejection::Rejection;
use crate::http::request::{Bearer, RequestContext};
use crate::http::visitor::session_of;
use crate::state::AppState;

/// An authenticated administrator.
#[derive(Debug, Clone)]
pub(crate) enum Administrator {
    /// A signed-in member.
    Member(MemberRef),
    /// A program with the API key of this name.
    Program(String),
}

impl Administrator {
    /// The administrator that sends the request.
    pub(crate) async fn admitted(app: &AppState, context: &RequestContext) -> Result<Self, Rejection> {
        let recognised = Self::recognise(app, context).await;
        if recognised.as_ref().is_err_and(|rejection| rejection.number() == ADMINISTRATORS_ONLY) {
            note_refusal(app, context);
        }
        recognised
    }

    /// True if an administrator calls an element function. Other callers may still call public functions.
    pub(crate) async fn is_caller(
        app: &AppState,
        context: &RequestContext,
        session: Option<&Session>,
    ) -> Result<bool, Rejection> {
        if matches!(context.bearer, None | Some(Bearer::Access(_))) {
            let Some(session) = session else { return Ok(false) };
            return Ok(administration(app, session).await? == Administration::Full);
        }
        match Self::recognise(app, context).await {
            Ok(_) => Ok(true),
            Err(rejection) if rejection.number() == ADMINISTRATORS_ONLY => {
                note_refusal(app, context);
                Ok(false)
            }
            Err(rejection) => Err(rejection),
        }
    }

    async fn recognise(app: &AppState, context: &RequestContext) -> Result<Self, Rejection> {
        // A key takes precedence over a session in the same request.
        let key = match &context.bearer {
            None | Some(Bearer::Access(_)) => None,
            Some(Bearer::Key(key)) => Some(app.identity.api_keys.check(key).await?),
            Some(Bearer::Unknown) => Some(None),
        };
        if let Some(key) = key {
            let program = key.map(|key| Self::Program(key.name));
            let program = program.ok_or_else(|| Rejection::of(ADMINISTRATORS_ONLY))?;
            Act::current().is_by(&program.to_string());
            return Ok(program);
        }
        let session = session_of(&app.identity, context).await?;
        let session = session.ok_or_else(|| Rejection::of(NOT_SIGNED_IN))?;
        match administration(app, &session).await? {
            Administration::Full => {}
            // A session of a version without accounts.
            Administration::NoAccount => return Err(Rejection::of(NOT_SIGNED_IN)),
            Administration::NotListed | Administration::Unconfirmed => {
                return Err(Rejection::of(ADMINISTRATORS_ONLY));
            }
        }
        Ok(Self::Member(MemberRef { corp_id: session.corp_id, user_id: session.user_key }))
    }
}

async fn administration(app: &AppState, session: &Session) -> Result<Administration, Rejection> {
    let Session { corp_id, user_key, account_id, .. } = session;
    let administration = app.identity.accounts.administration(corp_id, user_key, *account_id).await?;
    if administration == Administration::Unconfirmed {
        tracing::warn!(
            %corp_id,
            user_id = %user_key,
            "a member listed in admins was refused: the entry stands for another account, or the member was deleted since; \
             `wecom-login admin list` shows it, `wecom-login admin confirm` decides"
        );
    }
    Ok(administration)
}

/// Records a wrong key, or the session of a member who is not an administrator. A key has 256 bits and cannot be guessed, so
/// no limit depends on it.
fn note_refusal(app: &AppState, context: &RequestContext) {
    app.operations.metrics.refused_administration();
    let now = app.config.clock.now();
    let entry = AuditEntry::new(AuditEvent::AdministrationRefused, now).outcome("forbidden");
    app.operations.counted_events.count(entry.detail("path", context.uri.path()));
}

impl std::fmt::Display for Administrator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Member(member) => write!(f, "member {member}"),
            Self::Program(name) => write!(f, "API key {name}"),
        }
    }
}
