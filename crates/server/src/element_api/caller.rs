use wecom_login_element::{Browser, Caller};
use wecom_login_session::Session;
use wecom_login_sign_in::BrowserId;

use crate::http::request::RequestContext;

/// The caller that element functions receive.
pub(crate) fn caller(
    context: &RequestContext,
    browser: Option<&BrowserId>,
    session: Option<&Session>,
    administrator: bool,
) -> Caller {
    Caller::Browser(Browser {
        id: browser.map(|browser| browser.secret().clone()),
        address: context.address,
        member: session.map(|session| (session.corp_id.clone(), session.user_key.clone())),
        administrator,
        language: context.language,
    })
}
