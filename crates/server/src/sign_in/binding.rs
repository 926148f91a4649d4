//! The binding that `bind=1` requests at /login: the next sign-in's member is bound to the account of the visitor's session.

use wecom_login_model::{AccountId, Username};
use wecom_login_pages::BindingPage;
use wecom_login_session::Session;
use wecom_login_sign_in::Binding;

use crate::http::error_numbers::{CROSS_SITE, NOT_SIGNED_IN};
use crate::http::fetch_metadata::SEC_FETCH_SITE;
use crate::http::header_bytes::single;
use crate::http::rejection::Rejection;
use crate::http::request::RequestContext;
use crate::http::visitor::session_of;
use crate::sign_in::links;
use crate::state::AppState;

/// The session that requests a binding, and its account.
#[derive(Debug)]
pub(super) struct Binder {
    pub(super) session: Session,
    account: AccountId,
}

/// What the page says of the account.
#[derive(Debug)]
pub(super) struct Named {
    username: Username,
    member: String,
    by_tap: bool,
}

impl Binder {
    /// The session must be active and have an account.
    ///
    /// Outside the workbench the request must come from our own pages or from the address bar, so that no other site puts a
    /// code that binds on a member's screen. In the workbench WeCom is asked first, and its redirect counts as another site;
    /// there nothing is bound without a tap.
    pub(super) async fn of(app: &AppState, context: &RequestContext) -> Result<Self, Rejection> {
        let from = single(&context.headers, SEC_FETCH_SITE);
        if !context.is_in_workbench() && !from.is_none_or(|site| matches!(site, b"same-origin" | b"none")) {
            return Err(Rejection::of(CROSS_SITE).home());
        }
        let session = session_of(&app.identity, context).await?;
        let found = session.and_then(|session| Some(Self { account: session.account_id?, session }));
        found.ok_or_else(|| Rejection::of(NOT_SIGNED_IN).retry(links::login(None, None)))
    }

    pub(super) fn binding(&self) -> Binding {
        Binding { account: self.account, session: self.session.id.clone() }
    }

    /// The names of the account and of the member who is signed in to it.
    pub(super) async fn named(&self, app: &AppState, context: &RequestContext) -> Result<Named, Rejection> {
        let identity = &app.identity;
        let account =
            identity.accounts.get(self.account).await?.ok_or_else(|| Rejection::of(NOT_SIGNED_IN))?;
        let member = identity.login.user_info_of(&self.session).await?;
        let member = member.map(|user| user.name).unwrap_or_default();
        Ok(Named { username: account.username, member, by_tap: context.is_inside_wecom() })
    }
}

impl Named {
    pub(super) fn shown(&self) -> BindingPage<'_> {
        BindingPage {
            username: self.username.as_str(),
            name: &self.member,
            by_tap: self.by_tap,
            leave_url: links::HOME,
        }
    }
}
