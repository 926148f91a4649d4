use askama::Template;
use wecom_login_model::Bilingual;

use crate::{Chrome, html};

/// The page on which a person at a computer signs in.
#[derive(Debug, Clone)]
pub struct LoginPage<'a> {
    /// What one signs in to: the app's name.
    pub title: &'a str,
    /// How WeCom's sign-in is shown.
    pub panel: Panel<'a>,
    /// WeCom's sign-in as a page of its own: the button of [`Panel::Link`], the way out below [`Panel::Frame`].
    pub link_url: &'a str,
    /// Why the person sees this page again, such as a sign-in that was restarted.
    pub notice: Option<Bilingual>,
}

/// How WeCom's sign-in is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel<'a> {
    /// In a frame: 480 by 416 pixels, 320 by 380 on a phone (the two sizes of WeCom's panel, WeCom 98172).
    Frame {
        /// What the frame shows; `frame-src` must allow its origin.
        url: &'a str,
    },
    /// On a page of its own, behind a button.
    Link,
}

impl<'a> Panel<'a> {
    pub(crate) fn frame(&self) -> Option<&'a str> {
        match self {
            Self::Frame { url } => Some(url),
            Self::Link => None,
        }
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    chrome: &'a Chrome<'a>,
    page: &'a LoginPage<'a>,
}

impl LoginPage<'_> {
    /// The page as HTML.
    pub fn html(&self, chrome: &Chrome<'_>) -> String {
        html(&Login { chrome, page: self })
    }
}
