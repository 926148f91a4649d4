//! Addresses of our own pages, for links and for the declarations of their routes.

use wecom_login_sign_in::{Instance, Purpose};

/// The page of a signed-in member.
pub(crate) const HOME: &str = "/";
/// The sign-in page.
pub(crate) const LOGIN: &str = "/login";

/// The address of the sign-in page, for an instance and with an address to return to.
pub(crate) fn login(element: Option<&str>, return_to: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in [("element", element), ("return_to", return_to)] {
        if let Some(value) = value {
            query.append_pair(key, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { LOGIN.to_owned() } else { format!("{LOGIN}?{query}") }
}

/// The address of the sign-in page for binding: the next sign-in's identity is bound to the account of this session.
pub(crate) fn binding(element: Option<&str>, return_to: Option<&str>) -> String {
    let login = login(element, return_to);
    let separator = if login.contains('?') { '&' } else { '?' };
    format!("{login}{separator}bind=1")
}

/// The address of the page that begins a sign-in like this one again.
pub(crate) fn again(instance: &Instance, purpose: Purpose, return_to: Option<&str>) -> String {
    let element = Some(instance.full_name());
    match purpose {
        Purpose::Bind => binding(element, return_to),
        Purpose::SignIn => login(element, return_to),
    }
}
