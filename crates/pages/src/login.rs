use askama::Template;
use wecom_login_model::{Bilingual, Explanation};

use crate::explained::Explained;
use crate::{Chrome, html};

/// The page on which a person at a computer signs in.
#[derive(Debug, Clone)]
pub struct LoginPage<'a> {
    /// What one signs in to: the app's name.
    pub title: &'a str,
    /// WeCom's panel in the page; `None` where it would not work, so that the link is all there is.
    pub panel: Option<Panel<'a>>,
    /// WeCom's sign-in as a page of its own: the way in without a panel, the way out below it.
    pub link_url: &'a str,
    /// Why the person sees this page again, such as a sign-in that was restarted.
    pub notice: Option<Bilingual>,
    /// What may go wrong in the panel, told when it does.
    pub troubles: Vec<Trouble>,
}

/// What the page's script needs to show WeCom's panel and to renew it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panel<'a> {
    /// Full name of the instance.
    pub element: &'a str,
    /// The company's `corpid`.
    pub corp_id: &'a str,
    /// The app's number.
    pub agent_id: &'a str,
    /// Where WeCom sends the browser back to.
    pub redirect_uri: &'a str,
    /// The state of this sign-in.
    pub state: &'a str,
    /// Where a POST gives the next state of the same sign-in.
    pub renew_url: &'a str,
    /// The sign-in page is WeCom's own. Any other may be framed without script as well; `frame-src` must allow its
    /// origin.
    pub is_official: bool,
}

/// Something that may go wrong in the panel.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// Which one; the script (`clients/js/src/login_page.ts`) knows them by it.
    pub kind: TroubleKind,
    /// What happened, in a few words.
    pub title: Bilingual,
    /// What it means, who must act and how, and its number.
    pub explanation: &'static Explanation,
    /// Values that the one who acts will need, each with its label.
    pub details: Vec<(Bilingual, String)>,
}

/// The troubles that the script tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// WeCom's page did not come.
    Blocked,
    /// The person said no.
    Declined,
    /// The redirect address is on a host that the console does not have.
    Domain,
    /// WeCom's panel reported anything else.
    Failed,
    /// No new state could be had.
    Lost,
}

impl TroubleKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Declined => "declined",
            Self::Domain => "domain",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }

    /// Where the link is the way on, it stands in the panel's place already.
    fn has_retry(self) -> bool {
        self != Self::Blocked
    }
}

impl Trouble {
    fn explained(&self) -> Explained<'_> {
        Explained { hook: "trouble", explanation: self.explanation, details: &self.details }
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
