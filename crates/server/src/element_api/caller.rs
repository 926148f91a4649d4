use std::sync::Arc;

use wecom_login_element::{Browser, CallContext, Caller};
use wecom_login_session::Session;
use wecom_login_sign_in::Visitor;

use crate::http::request::RequestContext;

/// The caller that element functions receive.
pub(crate) fn caller(
    context: &RequestContext,
    visitor: Arc<Visitor>,
    session: Option<&Session>,
    administrator: bool,
) -> Caller {
    Caller::Browser(Browser {
        address: context.address.known(),
        member: session.map(|session| (session.corp_id.clone(), session.user_key.clone())),
        administrator,
        language: context.language,
        context: CallContext::new(visitor),
    })
}
