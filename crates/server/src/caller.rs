use wecom_login_element::{Browser, Caller};
use wecom_login_login::BrowserId;
use wecom_login_session::Session;

use crate::request::Visit;

/// The visitor as element functions see them.
pub(crate) fn caller(
    visit: &Visit,
    browser: Option<&BrowserId>,
    session: Option<&Session>,
    administrator: bool,
) -> Caller {
    Caller::Browser(Browser {
        id: browser.map(|browser| browser.secret().clone()),
        address: visit.address,
        member: session.map(|session| (session.corp_id.clone(), session.user_key.clone())),
        administrator,
        language: visit.language,
    })
}
