use askama::Template;

use crate::binding::BindingPage;
use crate::{Chrome, html};

/// The page on which a person chooses among several ways to sign in, or among those that another WeCom identity has.
#[derive(Debug, Clone)]
pub struct ChoosePage<'a> {
    /// Set if the proved member is bound to an account instead of being signed in.
    pub binding: Option<BindingPage<'a>>,
    /// The ways, in the order in which they are shown. Without any, the page says who can add one.
    pub choices: Vec<Choice<'a>>,
}

/// One way to sign in: an instance.
#[derive(Debug, Clone)]
pub struct Choice<'a> {
    /// The app's name.
    pub title: &'a str,
    /// The instance's full name, such as `auths.loginTypes.QywxInnerExample`.
    pub full_name: &'a str,
    /// Its sign-in page.
    pub url: String,
}

#[derive(Template)]
#[template(path = "choose.html")]
struct Choose<'a> {
    chrome: &'a Chrome<'a>,
    page: &'a ChoosePage<'a>,
}

impl ChoosePage<'_> {
    /// The page as HTML.
    pub fn html(&self, chrome: &Chrome<'_>) -> String {
        html(&Choose { chrome, page: self })
    }
}
