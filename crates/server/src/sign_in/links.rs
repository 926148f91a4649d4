//! Addresses of our own pages, of which links are made. Their routes are declared with these names.

/// The person's page.
pub(crate) const HOME: &str = "/";
/// The sign-in page.
pub(crate) const LOGIN: &str = "/login";

/// The address of the sign-in page, of one instance and with the address to return to.
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

/// The address of a page that binds the identity that the next sign-in proves to the account of this session.
pub(crate) fn binding(element: Option<&str>, return_to: Option<&str>) -> String {
    let login = login(element, return_to);
    let separator = if login.contains('?') { '&' } else { '?' };
    format!("{login}{separator}bind=1")
}
