use askama::Template;

use crate::{Chrome, html};

/// The page after signing out.
#[derive(Debug, Clone)]
pub struct SignedOutPage<'a> {
    /// Where one signs in again.
    pub sign_in_url: &'a str,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOut<'a> {
    chrome: &'a Chrome<'a>,
    page: &'a SignedOutPage<'a>,
}

impl SignedOutPage<'_> {
    /// The page as HTML.
    pub fn html(&self, chrome: &Chrome<'_>) -> String {
        html(&SignedOut { chrome, page: self })
    }
}
