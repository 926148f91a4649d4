//! Who may administer: a signed-in member whom the settings list, or a program with an API key. A key goes in a header
//! and nowhere else, so that it stands in no address; a session counts for unsafe methods only under the rules that the
//! border keeps for all of them (see [`crate::http::fetch_metadata`]).

use axum::http::header;
use wecom_login_accounts::ApiKey;
use wecom_login_model::MemberRef;
use wecom_login_session::Session;
use wecom_login_store::{Act, AuditEntry, AuditEvent};

use crate::http::error_numbers::{ADMINISTRATORS_ONLY, NOT_SIGNED_IN, TOO_MANY_FAILURES};
use crate::http::rejection::Rejection;
use crate::http::request::{RequestContext, bearer};
use crate::http::visitor::session_of;
use crate::operations::audit;
use crate::state::AppState;

/// A proved administrator.
#[derive(Debug, Clone)]
pub(crate) enum Administrator {
    /// A member who is signed in.
    Member(MemberRef),
    /// A program with the API key of this name.
    Program(String),
}

impl Administrator {
    /// The administrator who sends the request. A wrong key, and a session of another member, count as failures of the
    /// address.
    pub(crate) async fn admitted(app: &AppState, context: &RequestContext) -> Result<Self, Rejection> {
        let now = app.config.clock.now();
        if app.identity.limits.is_locked_out(context.address, now).await? {
            return Err(Rejection::of(TOO_MANY_FAILURES));
        }
        let recognised = Self::recognise(app, context).await;
        if recognised.as_ref().is_err_and(|rejection| rejection.number() == ADMINISTRATORS_ONLY) {
            let entry = AuditEntry::new(AuditEvent::AdministrationRefused, now).outcome("forbidden");
            audit::write(&app.operations, entry.detail("path", context.uri.path())).await;
            app.identity.limits.count_failure(context.address, now).await;
        }
        recognised
    }

    /// Whether an element function is called by an administrator. Others may still call the functions that are for
    /// everybody; only a wrong key counts as a failure.
    pub(crate) async fn is_caller(
        app: &AppState,
        context: &RequestContext,
        session: Option<&Session>,
    ) -> Result<bool, Rejection> {
        if context.access.is_some() || !context.headers.contains_key(header::AUTHORIZATION) {
            let admins = &app.config.settings.administrators.admins;
            return Ok(session.is_some_and(|session| admins.contains(&session.corp_id, &session.user_key)));
        }
        match Self::recognise(app, context).await {
            Ok(_) => Ok(true),
            Err(rejection) if rejection.number() == ADMINISTRATORS_ONLY => {
                app.identity.limits.count_failure(context.address, app.config.clock.now()).await;
                Ok(false)
            }
            Err(rejection) => Err(rejection),
        }
    }

    async fn recognise(app: &AppState, context: &RequestContext) -> Result<Self, Rejection> {
        // A key takes the place of a session beside it.
        if context.access.is_none() && context.headers.contains_key(header::AUTHORIZATION) {
            let key = match bearer(&context.headers).and_then(ApiKey::parse) {
                Some(key) => app.identity.api_keys.check(&key).await?,
                None => None,
            };
            let program = key.map(|key| Self::Program(key.name));
            let program = program.ok_or_else(|| Rejection::of(ADMINISTRATORS_ONLY))?;
            Act::current().is_by(&program.to_string());
            return Ok(program);
        }
        let session = session_of(&app.identity, context).await?;
        let session = session.ok_or_else(|| Rejection::of(NOT_SIGNED_IN))?;
        if !app.config.settings.administrators.admins.contains(&session.corp_id, &session.user_key) {
            return Err(Rejection::of(ADMINISTRATORS_ONLY));
        }
        Ok(Self::Member(MemberRef { corp_id: session.corp_id, user_id: session.user_key }))
    }
}

impl std::fmt::Display for Administrator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Member(member) => write!(f, "member {member}"),
            Self::Program(name) => write!(f, "API key {name}"),
        }
    }
}
