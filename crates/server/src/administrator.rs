//! Who may administer: a signed-in member whom the settings list, or a program with an API key. A key goes in a header
//! and nowhere else, so that it stands in no address; a session counts for unsafe methods only under the rules that the
//! border keeps for all of them (see [`crate::cross_site`]).

use std::time::Instant;

use axum::http::{StatusCode, header};
use axum::response::Response;
use wecom_login_accounts::ApiKey;
use wecom_login_login::Refusal;
use wecom_login_model::MemberRef;
use wecom_login_session::Session;
use wecom_login_store::{Act, AuditEntry, AuditEvent};

use crate::envelope::Call;
use crate::problem;
use crate::problems::{ADMINISTRATORS_ONLY, NOT_SIGNED_IN, TOO_MANY_FAILURES};
use crate::request::{Visit, bearer};
use crate::session::session_of;
use crate::site::Site;

/// Somebody who may administer.
#[derive(Debug, Clone)]
pub(crate) enum Administrator {
    /// A member who is signed in.
    Member(MemberRef),
    /// A program with the API key of this name.
    Program(String),
}

/// Why not.
#[derive(Debug)]
enum NoAdministrator {
    NotSignedIn,
    Forbidden,
    TooManyFailures,
    Failed(Refusal),
}

impl<T: Into<Refusal>> From<T> for NoAdministrator {
    fn from(error: T) -> Self {
        Self::Failed(error.into())
    }
}

impl Administrator {
    /// Who it is. A wrong key, and a session of somebody else, count as failures of the address.
    async fn of(site: &Site, visit: &Visit) -> Result<Self, NoAdministrator> {
        let now = site.clock.now();
        if site.limits.is_locked_out(visit.address, now).await? {
            return Err(NoAdministrator::TooManyFailures);
        }
        let recognised = Self::recognise(site, visit).await;
        if matches!(recognised, Err(NoAdministrator::Forbidden)) {
            let entry = AuditEntry::new(AuditEvent::AdministrationRefused, now).outcome("forbidden");
            site.write(entry.detail("path", visit.uri.path())).await;
            site.limits.count_failure(visit.address, now).await;
        }
        recognised
    }

    /// The call with who makes it; everybody else is refused with an envelope.
    pub(crate) async fn admitted(site: &Site, visit: Visit) -> Result<(Self, Call), Box<Response>> {
        let call = Call { visit, now: site.clock.now(), began: Instant::now() };
        let refused = match Self::of(site, &call.visit).await {
            Ok(administrator) => return Ok((administrator, call)),
            Err(refused) => refused,
        };
        Err(Box::new(match refused {
            NoAdministrator::NotSignedIn => call.problem(StatusCode::UNAUTHORIZED, NOT_SIGNED_IN),
            NoAdministrator::Forbidden => call.problem(StatusCode::FORBIDDEN, ADMINISTRATORS_ONLY),
            NoAdministrator::TooManyFailures => {
                call.problem(StatusCode::TOO_MANY_REQUESTS, TOO_MANY_FAILURES)
            }
            NoAdministrator::Failed(refusal) => {
                problem::log(&call.visit, &refusal);
                call.problem(StatusCode::SERVICE_UNAVAILABLE, refusal.code())
            }
        }))
    }

    /// Whether an element function is called by an administrator. Whoever is none may still call the functions that are
    /// for everybody; only a wrong key counts as a failure.
    pub(crate) async fn of_call(
        site: &Site,
        visit: &Visit,
        session: Option<&Session>,
    ) -> Result<bool, Refusal> {
        if visit.access.is_some() || !visit.headers.contains_key(header::AUTHORIZATION) {
            return Ok(session
                .is_some_and(|session| site.settings.admins.contains(&session.corp_id, &session.user_key)));
        }
        match Self::recognise(site, visit).await {
            Ok(_) => Ok(true),
            Err(NoAdministrator::Failed(refusal)) => Err(refusal),
            Err(_) => {
                site.limits.count_failure(visit.address, site.clock.now()).await;
                Ok(false)
            }
        }
    }

    async fn recognise(site: &Site, visit: &Visit) -> Result<Self, NoAdministrator> {
        // Whoever sends a key means it: a session beside it does not help.
        if visit.access.is_none() && visit.headers.contains_key(header::AUTHORIZATION) {
            let key = match bearer(&visit.headers).and_then(ApiKey::parse) {
                Some(key) => site.api_keys.check(&key).await?,
                None => None,
            };
            let program = key.map(|key| Self::Program(key.name)).ok_or(NoAdministrator::Forbidden)?;
            Act::current().is_by(&program.to_string());
            return Ok(program);
        }
        let Some(session) = session_of(site, visit).await? else { return Err(NoAdministrator::NotSignedIn) };
        if !site.settings.admins.contains(&session.corp_id, &session.user_key) {
            return Err(NoAdministrator::Forbidden);
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
