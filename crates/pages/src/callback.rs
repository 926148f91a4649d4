use askama::Template;

use crate::{Chrome, html};

/// The bare page on a redirect address whose app has no page of its own there: it finishes the sign-in with the
/// JavaScript client. Needs `; connect-src 'self'` in its policy.
#[derive(Debug, Clone)]
pub struct CallbackPage<'a> {
    /// What one signs in to: the app's name.
    pub title: &'a str,
    /// True if the member is bound to an account instead of being signed in.
    pub binds: bool,
    /// Full name of the instance.
    pub element: &'a str,
    /// Where to go once the member is signed in.
    pub next_url: &'a str,
    /// Where the sign-in begins again.
    pub again_url: &'a str,
}

#[derive(Template)]
#[template(path = "callback.html")]
struct Callback<'a> {
    chrome: &'a Chrome<'a>,
    page: &'a CallbackPage<'a>,
}

impl CallbackPage<'_> {
    /// The page as HTML.
    pub fn html(&self, chrome: &Chrome<'_>) -> String {
        html(&Callback { chrome, page: self })
    }
}
